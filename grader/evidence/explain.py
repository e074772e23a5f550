# SPDX-License-Identifier: MIT
"""From what a run left behind to what the student should know about it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Callable, Iterable, Mapping, Optional, Sequence

from grader.evidence import console, descriptors, exhibits, faults, mistakes, trace
from grader.evidence.exhibits import DF
from grader.evidence.instruction import root_refused
from grader.evidence.memory import Physical
from grader.evidence.observe import observe
from grader.evidence.registers import Registers
from grader.evidence.scene import Diagnosis, Scene, signature, vector_name
from grader.evidence.signatures import READ_IF
from grader.evidence.symbols import Lookup, Place
from grader.evidence.trace import Event, Interrupt

__all__ = [
    "Diagnosis",
    "Scene",
    "diagnose",
    "fault",
    "looping",
    "observe",
    "signature",
    "where",
]

LOOP_FAULTS = 20
_LIMITS = ("CPU_LIMIT", "WALL_LIMIT", "LOG_LIMIT")
_FRAMES = 6  # of a backtrace, that are shown
_FRAME = re.compile(r"\s*at 0x[0-9a-f]{1,16}\b")
_OF_FAULT = re.compile(r"\b(vector|fault)\b")  # a panic about the last exception
_GIVEN = ("kernel/", "grader/", "user/")


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
    found = known(scene) if known is not None else _unknown(scene)
    if scene.end not in _LIMITS:
        return found
    found = mistakes.of_wait(scene, found)
    limit = f"The run met its limit, {scene.detail}. " if scene.detail else ""
    return replace(found, seen=f"{limit}{found.seen}")


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
        seen = "No record of the first fault is left in the trace."
        return signature("triple-fault", seen)
    return faults.explain_chain(scene, chain, triple=True)


def where(scene: Scene) -> str:
    """Where the CPU stands at the end, and in which state."""
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
    seen = where(scene) + _last_fault(scene) + _said(scene)
    found = signature("halted", seen, _source(scene))
    return _silent(scene, found) if _mute(scene) else found


def _mute(scene: Scene) -> bool:
    return not console.kernel(scene.console)


def _silent(scene: Scene, state: Diagnosis) -> Diagnosis:
    """A boot that printed nothing; state: what the CPU does instead."""
    regs = scene.registers
    early = ""
    if not scene.interrupts and (regs is None or not regs.paging):
        early = " It did not even get as far as switching paging on."
    facts = {"early": early, "cause": state.cause, "hint": state.hint}
    found = signature("silent", state.seen, state.source, **facts)
    return replace(found, read=state.read)


def looping(scene: Scene) -> Optional[Diagnosis]:
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
    seen = f"{total} times {faults.describe(event)}; the instruction is"
    seen += f" {scene.at(event.regs, pc)}."
    found = scene.diagnosis("fault-loop", seen, pc, fault=vector_name(vector))
    return replace(found, exhibits=exhibits.of_chain(scene, [event], triple=False))


def _cpu_limit(scene: Scene) -> Diagnosis:
    again = looping(scene)
    if again is not None:
        return again
    regs = scene.registers
    if regs is not None:
        refused = root_refused(scene, regs, _pc(regs) or 0)
        if refused is not None:
            return refused
    found = _asleep(scene) if _sleeps(scene) else _busy(scene)
    return _silent(scene, found) if _mute(scene) else found


def _busy(scene: Scene) -> Diagnosis:
    regs = scene.registers
    found = signature("busy", where(scene) + _said(scene), _source(scene))
    told = _or_interrupts(scene, found)
    if told is not found:
        return told
    if regs is not None and regs.ip is not None and not regs.interrupts_on:
        hint = f"{found.hint} Interrupts are off, so it cannot be an interrupt."
        return replace(found, hint=hint, read=READ_IF)
    return found


def _or_interrupts(scene: Scene, found: Diagnosis) -> Diagnosis:
    """With a mistake that keeps interrupts away, if there is one."""
    silent = ("pic-not-remapped", "if-clear", "eoi-missing")
    for item in (other for other in observe(scene) if other.key in silent):
        cause, seen = f"{found.cause} {item.cause}", f"{found.seen} {item.seen}"
        return replace(found, cause=cause, seen=seen, hint=item.hint, read=item.read)
    return found


def _sleeps(scene: Scene) -> bool:
    """The CPU stands at `hlt`, and an interrupt would wake it."""
    regs = scene.registers
    return regs is not None and regs.halted and regs.interrupts_on


def _asleep(scene: Scene) -> Diagnosis:
    key = "idle" if any(e.hardware for e in scene.interrupts) else "waiting"
    found = signature(key, where(scene) + _said(scene), _source(scene))
    return _or_interrupts(scene, found) if key == "idle" else found


def _wall_limit(scene: Scene) -> Diagnosis:
    regs = scene.registers
    if regs is not None and regs.halted:
        found = _asleep(scene)
        return _silent(scene, found) if _mute(scene) else found
    return _cpu_limit(scene)


def _console_limit(scene: Scene) -> Diagnosis:
    """Where in the kernel's own code a printing CPU was stopped says nothing."""
    source = _own(() if scene.registers is None else scene.calls(scene.registers))
    printing = f"The output comes from {source}." if source else where(scene)
    seen = printing + _said(scene)
    return signature("endless-output", seen, source, much=scene.detail)


def _log_limit(scene: Scene) -> Diagnosis:
    again = looping(scene)
    if again is not None:
        return again
    counted = Counter(e.v for e in scene.interrupts)
    most = counted.most_common(1)
    what = f", most of them {vector_name(most[0][0])}" if most else ""
    seen = f"{len(scene.interrupts)} records{what}. {where(scene)}"
    hardware = sum(event.hardware for event in scene.interrupts)
    mostly = 2 * hardware > len(scene.interrupts)
    if mostly and _sleeps(scene):
        return _asleep(scene)
    key = "still-running" if mostly else "log-limit"
    return signature(key, seen, _source(scene))


def _qemu_abort(scene: Scene) -> Diagnosis:
    words = f"{scene.stderr}\n{scene.detail}"
    match = re.search(r"fatal: ([^\n]+)", words)
    said = match[1] if match else next(iter(words.strip().splitlines()), "no message")
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
        found_tr = scene.diagnosis("no-ltr", seen, pc, selector=text)
        shown = () if regs is None else exhibits.of_task(scene, regs)
        return replace(found_tr, exhibits=shown)
    return scene.diagnosis("qemu-abort", seen, pc)


def _panic(scene: Scene) -> Diagnosis:
    lines = console.panic(scene.console) or [scene.detail or "no reason given"]
    every = scene.interrupts
    last = next((e for e in reversed(every) if not e.hardware), None)
    if every and every[-1].hardware and every[-1].v in trace.PIC_VECTORS:
        last = every[-1]  # an exception's vector, but the timer's interrupt
    calls = [line.strip() for line in lines[1:] if _FRAME.match(line)]
    seen = "The kernel's own words: " + " | ".join([lines[0], *calls[:_FRAMES]])
    meant = last is not None and last.cpl == 3 and not _OF_FAULT.search(lines[0])
    if last is not None and (last.fault or last.hardware) and not meant:
        found = fault(scene, last)
        cause, hint = f"The kernel panicked. {found.cause}", found.hint
        if last.v == DF and found.key == "stack-overflow":
            cause += " This overflow was taken by the #DF handler."
            hint = f"If the overflow is not meant: {hint[0].lower()}{hint[1:]}"
        found = replace(found, cause=cause, seen=f"{found.seen} {seen}", hint=hint)
        return mistakes.of_fault(found, last, calls)
    source = _caller(scene, calls) if calls else _source(scene)
    found = signature("panic", seen, source, reason=lines[0].rstrip("."))
    return mistakes.of_panic(scene, found, lines[0], calls)


def _caller(scene: Scene, calls: Sequence[str]) -> str:
    """The first place of a backtrace that is not the kernel's own, else the first."""
    found = (scene.place(int(call.split()[1], 16)) for call in calls)
    places = [place for place in found if place is not None]
    return _own(places) or (str(places[0]) if places else "")


def _own(places: Iterable[Place]) -> str:
    """The first place that is not in the kernel's own code, or ""."""
    theirs = (p for p in places if p.file and not p.file.startswith(_GIVEN))
    return str(next(theirs, ""))


def _reset(scene: Scene) -> Diagnosis:
    chain = trace.triple_fault_chain(list(scene.events))
    if chain:
        return _triple(scene)
    return signature("reset", where(scene) + _said(scene), _source(scene))


def _shutdown(scene: Scene) -> Diagnosis:
    return signature("shutdown", where(scene) + _said(scene), _source(scene))


def _unknown(scene: Scene) -> Diagnosis:
    found = observe(scene)
    if found:
        return found[0]
    seen = where(scene) + _said(scene)
    end = scene.end or "not known"
    return signature("unknown", seen, _source(scene), end=end)


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
