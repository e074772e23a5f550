# SPDX-License-Identifier: MIT
"""From what a run left behind to what the student should know about it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Callable, Mapping, Optional, Sequence

from grader.evidence import console, descriptors, faults, trace
from grader.evidence.memory import Physical
from grader.evidence.observe import observe
from grader.evidence.registers import Registers
from grader.evidence.scene import Diagnosis, Scene, signature, vector_name
from grader.evidence.signatures import (
    READ_DOUBLE,
    READ_EXCEPTIONS,
    READ_HLT,
    READ_IF,
    READ_TR,
)
from grader.evidence.symbols import Lookup
from grader.evidence.trace import Event, Interrupt

__all__ = ["Diagnosis", "Scene", "diagnose", "fault", "observe", "signature"]

LOOP_FAULTS = 20
READ_RESET = 'SDM 3A "Processor State After Reset" (9.1.1)'
READ_HANDLER = 'SDM 3A "Exception Classifications" (6.5)'


def diagnose(
    scene: Optional[Scene] = None,
    *,
    arch: str = "i386",
    end: object = "",
    events: Sequence[Event] = (),
    registers: Optional[Registers] = None,
    ram: Optional[Physical] = None,
    symbols: Optional[Lookup] = None,
    console: bytes = b"",
    stderr: str = "",
    detail: str = "",
    truncated: bool = False,
) -> Diagnosis:
    """Why a run ended as it did. Never raises on damaged evidence.

    scene: everything in one, or the same as single arguments. end: the name of
    the end ("TRIPLE_FAULT") or an enum member with that name.
    """
    if scene is None:
        scene = Scene(
            arch,
            str(getattr(end, "name", end)),
            events,
            registers,
            ram,
            symbols,
            console,
            stderr,
            detail,
            truncated,
        )
    known = _ENDS.get(scene.end)
    return known(scene) if known is not None else _unknown(scene)


def fault(scene: Scene, event: Interrupt) -> Diagnosis:
    """Why one fault happened that a check did not expect.

    event: one of the scene's own; the deliveries before and behind it that belong
    to the same attempt are taken in.
    """
    every = scene.interrupts
    chain = [event]
    at = next((n for n, e in enumerate(every) if e is event), None)
    if at is not None:
        while at > 0 and trace.refused([every[at - 1], every[at]], 0) is not None:
            at -= 1
        chain = [every[at]]
        for following in every[at + 1 : at + 4]:
            if trace.refused([chain[-1], following], 0) is None:
                break
            chain.append(following)
    return faults.explain_chain(scene, chain, triple=False)


def _triple(scene: Scene) -> Diagnosis:
    chain = trace.triple_fault_chain(list(scene.events))
    if not chain:
        return Diagnosis(
            "The machine reset itself by a triple fault: a fault while the CPU was"
            " delivering a double fault.",
            "No record of the first fault is left in the trace.",
            "Look at the last thing the kernel did before; a gate for vector 8 that"
            " works would stop the chain earlier.",
            READ_DOUBLE,
            "",
            "triple-fault",
        )
    return faults.explain_chain(scene, chain, triple=True)


def _where(scene: Scene) -> str:
    regs = scene.registers
    if regs is None or regs.ip is None:
        return "The CPU's state at the end is not known."
    pc = _pc(regs) or 0
    state = ", halted" if regs.halted else ""
    on = "on" if regs.interrupts_on else "off"
    text = f"The CPU stands at {scene.at(regs, pc)}; CPL {regs.cpl}, interrupts"
    return f"{text} {on} (IF={regs.interrupts_on:d}){state}."


def _pc(regs: Registers) -> Optional[int]:
    """The linear address where the CPU stands; a halted one stands behind `hlt`."""
    code = regs.segments.get("CS")
    if regs.ip is None:
        return None
    return regs.ip + (0 if code is None else code.base) - regs.halted


def _source(scene: Scene) -> str:
    return "" if scene.registers is None else scene.source(_pc(scene.registers))


def _said(scene: Scene) -> str:
    last = console.tail(console.kernel(scene.console), 3)
    if not last:
        return " The console shows nothing."
    return " The console ends with: " + " | ".join(last)


def _last_fault(scene: Scene) -> str:
    every = scene.interrupts
    if not every or not every[-1].fault:
        return ""
    return f" The last exception before: {faults.describe(every[-1])}."


def _halted(scene: Scene) -> Diagnosis:
    found = Diagnosis(
        "The CPU executed `hlt` with interrupts off, so nothing can wake it again.",
        _where(scene) + _last_fault(scene) + _said(scene),
        "Either the code got to a place that it should not reach, or IF must be set"
        " (`sti`, or IF in the frame) before `hlt`.",
        READ_HLT,
        _source(scene),
        "halted",
    )
    return _silent(scene, found) if _mute(scene) else found


def _mute(scene: Scene) -> bool:
    return not console.kernel(scene.console)


def _silent(scene: Scene, state: Diagnosis) -> Diagnosis:
    """A boot that printed nothing; state: what the CPU does instead."""
    regs = scene.registers
    early = ""
    if not scene.interrupts and (regs is None or not regs.paging):
        early = " It did not even get as far as switching paging on."
    return replace(
        state,
        cause=f"The boot was silent: nothing at all was printed.{early} {state.cause}",
        hint=f"{state.hint} To see how far it gets, set a breakpoint on the first"
        " function (make debug) and step from there.",
        key="silent",
    )


def _looping(scene: Scene) -> Optional[Diagnosis]:
    """The same fault at the same instruction, over and over."""
    last = [e for e in scene.interrupts[-200:] if e.fault]
    counted = Counter((e.v, e.pc) for e in last)
    if not counted:
        return None
    (vector, pc), times = counted.most_common(1)[0]
    if times < LOOP_FAULTS:
        return None
    same = [e for e in last if (e.v, e.pc) == (vector, pc)]
    event = next((e for e in reversed(same) if e.regs.complete), same[-1])
    total = sum(1 for e in scene.interrupts if (e.v, e.pc) == (vector, pc))
    return Diagnosis(
        f"{vector_name(vector)} repeats for ever: the handler returns to the"
        " instruction that faulted, and it faults again.",
        f"{total} times {faults.describe(event)}; the instruction is"
        f" {scene.at(event.regs, pc)}.",
        "After a fault the saved address is that of the instruction itself: mend the"
        " cause, end the program, or do not return.",
        READ_HANDLER,
        scene.source(pc),
        "fault-loop",
    )


def _cpu_limit(scene: Scene) -> Diagnosis:
    looping = _looping(scene)
    if looping is not None:
        return looping
    found = _busy(scene)
    return _silent(scene, found) if _mute(scene) else found


def _busy(scene: Scene) -> Diagnosis:
    regs = scene.registers
    cause = "The kernel kept the CPU busy until its time was used up: an endless loop."
    hint = "Find out what the loop at this place waits for, and why it never comes."
    read = READ_EXCEPTIONS
    if regs is not None and regs.ip is not None and not regs.interrupts_on:
        hint += " Interrupts are off, so it cannot be an interrupt."
        read = READ_IF
    seen = _where(scene) + _said(scene)
    silent = ("pic-not-remapped", "if-clear", "eoi-missing")
    for item in (found for found in observe(scene) if found.key in silent):
        cause, hint, read = f"{cause} {item.cause}", item.hint, item.read
        seen = f"{seen} {item.seen}"
        break
    return Diagnosis(cause, seen, hint, read, _source(scene), "busy")


def _wall_limit(scene: Scene) -> Diagnosis:
    regs = scene.registers
    if regs is not None and regs.halted:
        found = Diagnosis(
            "The kernel sleeps in `hlt` and waits for an interrupt that never comes.",
            _where(scene) + _said(scene),
            "See that the interrupt is unmasked in the PIC, that its device runs, and"
            " that each handler sends EOI.",
            READ_IF,
            _source(scene),
            "waiting",
        )
        return _silent(scene, found) if _mute(scene) else found
    return _cpu_limit(scene)


def _console_limit(scene: Scene) -> Diagnosis:
    return Diagnosis(
        f"The kernel printed without end: {len(scene.console)} bytes.",
        _where(scene) + _said(scene),
        "Look at the loop around the output, and at its end condition.",
        READ_EXCEPTIONS,
        _source(scene),
        "endless-output",
    )


def _log_limit(scene: Scene) -> Diagnosis:
    looping = _looping(scene)
    if looping is not None:
        return looping
    counted = Counter(e.v for e in scene.interrupts)
    most = counted.most_common(1)
    what = f", most of them {vector_name(most[0][0])}" if most else ""
    return Diagnosis(
        "There were so many exceptions and interrupts that their log was cut off, so"
        " it proves nothing.",
        f"{len(scene.interrupts)} records{what}. {_where(scene)}",
        "Look for a handler that returns to the faulting instruction, or for an"
        " interrupt that is never acknowledged.",
        READ_HANDLER,
        _source(scene),
        "log-limit",
    )


def _qemu_abort(scene: Scene) -> Diagnosis:
    words = f"{scene.stderr}\n{scene.detail}"
    found = re.search(r"fatal: ([^\n]+)", words)
    said = found[1] if found else next(iter(words.strip().splitlines()), "no message")
    said = console.sanitise(said.encode())[:200]
    seen = f'QEMU gave up: "{said}".'
    regs = scene.registers
    if regs is None and "CPL=" in scene.stderr:
        from grader.evidence import registers as dump

        regs = dump.parse(scene.stderr)
    pc = None if regs is None else regs.ip
    if regs is not None and pc is not None:
        seen += f" It stood at {scene.at(regs, pc)}, CPL {regs.cpl}."
    if "invalid tss type" in words:
        task = None if regs is None else regs.segments.get("TR")
        text = "0" if task is None else descriptors.selector(task.selector)
        return scene.diagnosis("no-ltr", seen, pc, selector=text)
    return Diagnosis(
        "The kernel brought the CPU into a state that QEMU cannot emulate.",
        seen,
        "Look at the tables that the CPU was using: GDT, TSS, IDT, page tables.",
        READ_TR if "tss" in said else READ_EXCEPTIONS,
        scene.source(pc),
        "qemu-abort",
    )


def _panic(scene: Scene) -> Diagnosis:
    lines = console.panic(scene.console) or [scene.detail or "no reason given"]
    last = next((e for e in reversed(scene.interrupts) if not e.hardware), None)
    seen = "The kernel's own words: " + " | ".join(x for x in lines[:6] if x)
    if last is not None and last.fault:
        found = fault(scene, last)
        return Diagnosis(
            f"The kernel panicked. {found.cause}",
            f"{found.seen} {seen}",
            found.hint,
            found.read,
            found.source,
            found.key,
        )
    return Diagnosis(
        f"The kernel panicked: {lines[0]}",
        seen,
        "The first line names the reason; start at the function that it names.",
        READ_EXCEPTIONS,
        _source(scene),
        "panic",
    )


def _reset(scene: Scene) -> Diagnosis:
    chain = trace.triple_fault_chain(list(scene.events))
    if chain:
        return _triple(scene)
    return Diagnosis(
        "The kernel reset the machine without a fault: something wrote to a reset"
        " port, or jumped to the reset vector.",
        _where(scene) + _said(scene),
        "Look for an `out` to port 0x64, 0x92 or 0xcf9.",
        READ_RESET,
        _source(scene),
        "reset",
    )


def _shutdown(scene: Scene) -> Diagnosis:
    return Diagnosis(
        "The machine was switched off before the scenario had ended.",
        _where(scene) + _said(scene),
        "Only the grader's code ends a scenario: do not write to the exit or power"
        " ports.",
        READ_EXCEPTIONS,
        _source(scene),
        "shutdown",
    )


def _unknown(scene: Scene) -> Diagnosis:
    found = observe(scene)
    if found:
        return found[0]
    return Diagnosis(
        f"The run ended in an unforeseen way ({scene.end or 'not known'}).",
        _where(scene) + _said(scene),
        "Run it again with make debug and watch where it goes.",
        READ_EXCEPTIONS,
        _source(scene),
        "unknown",
    )


_ENDS: Mapping[str, Callable[[Scene], Diagnosis]] = {
    "TRIPLE_FAULT": _triple,
    "RESET": _reset,
    "SHUTDOWN": _shutdown,
    "HALTED": _halted,
    "CPU_LIMIT": _cpu_limit,
    "WALL_LIMIT": _wall_limit,
    "CONSOLE_LIMIT": _console_limit,
    "LOG_LIMIT": _log_limit,
    "QEMU_ABORT": _qemu_abort,
    "PANIC": _panic,
}
