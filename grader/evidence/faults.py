# SPDX-License-Identifier: MIT
"""Why a fault happened: the descriptor, gate, TSS field or page entry behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Sequence

from grader.evidence import paging
from grader.evidence.descriptors import selector as selector_text
from grader.evidence.registers import EFER_NXE, Registers
from grader.evidence.scene import MNEMONICS, Diagnosis, Scene, vector_name
from grader.evidence.signatures import READ_EXCEPTIONS, READ_STACK
from grader.evidence.trace import NO_EXCEPTION, Interrupt

PF, GP, NP, TS, SS, DF = 0x0E, 0x0D, 0x0B, 0x0A, 0x0C, 0x08
SYSCALL_VECTOR = 0x80
_IRETS = ("iret", "iretd", "iretq")
_STACK_SLACK = 4096


def describe(event: Interrupt) -> str:
    """One delivery in words: name, error code, CPL, address."""
    if event.hardware:
        what = f"hardware interrupt {event.v:#04x}"
    elif event.i:
        what = f"`int {event.v:#x}`"
    else:
        what = vector_name(event.v)
        if event.v in (DF, TS, NP, SS, GP, PF, 0x11):
            what += f" with error code {event.e:#x}"
    text = f"{what} at {event.pc:#x}, CPL {event.cpl}"
    if event.v == PF:
        text += f", CR2 {event.cr2:#x} ({paging.error_code(event.e)})"
    return text


def describe_chain(chain: Sequence[Interrupt], triple: bool) -> str:
    """The chain from the first fault to the last, on one line."""
    parts: list[str] = []
    for event in chain:
        hidden = _hidden(event)
        if hidden is not None and (not parts or event.new != chain[-1].v):
            parts.append(f"{MNEMONICS.get(hidden, hex(hidden)).split()[0]}")
        short = MNEMONICS.get(event.v, "").split(" ")[0]
        short = "" if event.hardware or event.i else short
        name = short or f"vector {event.v:#04x}"
        coded = event.v in (TS, NP, SS, GP, PF)
        parts.append(name + (f"({event.e:#x})" if coded else ""))
    return " -> ".join(parts + (["triple fault"] if triple else []))


def _hidden(event: Interrupt) -> Optional[int]:
    """The fault that only the #DF's check_exception line names."""
    if event.v == DF and event.checked and event.new not in (None, DF, NO_EXCEPTION):
        return event.new
    return None


def explain_chain(
    scene: Scene, chain: Sequence[Interrupt], *, triple: bool
) -> Diagnosis:
    """Why this chain of deliveries began and could not be handled.

    chain: as trace.triple_fault_chain gives it, not empty, or one fault alone.
    """
    first = chain[0]
    seen = f"{describe(first)}; the instruction is {scene.at(first.regs, first.pc)}."
    if len(chain) > 1 or triple:
        seen += f" The chain: {describe_chain(chain, triple)}."
    if first.hardware and 8 <= first.v <= 15:
        return scene.diagnosis("pic-not-remapped", seen, first.pc)
    rest = chain[1:]
    delivery = None
    if rest or triple:
        # A fault of the kernel itself comes before the missing handler for it;
        # a fault of ring 3 is normal, and only its delivery is at fault.
        own = None
        if first.cpl != 3 and first.fault:
            own = _own_fault(scene, first, seen)
        delivery = own or _delivery(scene, first, rest, seen)
        if first.cpl == 3 and first.fault and delivery is not None:
            rest_seen = delivery.seen[len(seen) :]
            own = _own_fault(scene, first, seen)
            delivery = _both(own, delivery, rest_seen)
    return delivery or _own_fault(scene, first, seen) or _plain(scene, first, seen)


def _both(own: Optional[Diagnosis], delivery: Diagnosis, rest: str) -> Diagnosis:
    """A fault of ring 3 that is a mistake itself, and could not be handled either."""
    if own is None or own.key == "privileged":
        return delivery
    cause = f"{own.cause} Then the fault could not be handled: {delivery.cause}"
    hint = f"{own.hint} {delivery.hint}"
    return replace(own, cause=cause, seen=own.seen + rest, hint=hint)


def _plain(scene: Scene, event: Interrupt, seen: str) -> Diagnosis:
    if event.i or event.hardware:
        cause = f"The CPU could not deliver {vector_name(event.v)}."
        hint = "Look at its gate, the handler's code segment and the kernel stack."
        return Diagnosis(
            cause, seen, hint, READ_STACK, scene.source(event.pc), "delivery"
        )
    cause = f"{vector_name(event.v)} in ring {event.cpl}"
    hints = {
        0: "Something divided by zero, or the quotient does not fit.",
        6: "The CPU ran into bytes that are no instruction: a wrong jump, a wrong"
        " return address, or the wrong mode (32-bit code run as 64-bit).",
        GP: "Look at the selectors, the privilege and the operands of the instruction.",
    }
    hint = hints.get(event.v, "Look at the instruction and its operands.")
    key = MNEMONICS.get(event.v, "fault").split(" ")[0].strip("#").lower()
    return Diagnosis(
        cause + ".", seen, hint, READ_EXCEPTIONS, scene.source(event.pc), key
    )


def _delivery(
    scene: Scene, first: Interrupt, rest: Sequence[Interrupt], seen: str
) -> Optional[Diagnosis]:
    """Why the CPU could not enter the handler of `first`."""
    regs = first.regs
    second = rest[0] if rest else None
    code = None
    if second is not None:
        code = _hidden(second) if second.v == DF else second.v
    if first.cpl == 3:
        task = regs.segments.get("TR")
        if task is not None and task.selector < 4 and code != NP:
            text = selector_text(task.selector)
            return scene.diagnosis("no-ltr", seen, first.pc, selector=text)
    error = second.e if second is not None and second.v != DF else None
    broken = _gate_fault(scene, first, error, seen)
    if broken is not None:
        return broken
    if first.cpl == 3 and code in (TS, PF, SS, GP):
        return _bad_stack(scene, first, second, code, seen)
    if first.cpl != 3 and (code == PF or code == SS):
        address = second.cr2 if second is not None and code == PF else first.sp
        sp = f"{first.sp:#x}"
        at = f"{address:#x}"
        return scene.diagnosis("stack-overflow", seen, first.pc, address=at, sp=sp)
    return None


def _gate_fault(
    scene: Scene, first: Interrupt, error: Optional[int], seen: str
) -> Optional[Diagnosis]:
    """What is wrong with the gate of `first`, if anything."""
    regs, vector = first.regs, first.v
    name = f"{vector:#04x}"
    size = 16 if scene.wide(regs) else 8
    if regs.idt is not None and vector * size + size - 1 > regs.idt.limit:
        whole = (regs.idt.limit + 1) // size
        held = f"the last whole gate is {whole - 1:#04x}" if whole else "it holds none"
        limit = f"{regs.idt.limit:#x}"
        return scene.diagnosis(
            "idt-limit", seen, first.pc, vector=name, limit=limit, held=held
        )
    gate = scene.gate(regs, vector)
    if gate is None:
        if error is None or not error & 2:
            return None
        return scene.diagnosis(
            "gate-missing", seen, first.pc, vector=name, elsewhere=""
        )
    seen = f"{seen} Gate {name}: {gate}."
    if vector == SYSCALL_VECTOR and not gate.p and gate.offset == 0:
        other = scene.gate(regs, 80)
        if other is not None and other.p and other.dpl == 3:
            return scene.diagnosis("gate-decimal", seen, first.pc)
    if gate.empty:
        return scene.diagnosis(
            "gate-missing", seen, first.pc, vector=name, elsewhere=""
        )
    wide = scene.wide(regs)
    if gate.s or gate.type not in ((0xE, 0xF) if wide else (5, 6, 7, 0xE, 0xF)):
        return scene.diagnosis("gate-type", seen, first.pc, vector=name, kind=gate.kind)
    if first.i and gate.dpl < first.cpl:
        return scene.diagnosis(
            "gate-dpl", seen, first.pc, vector=name, dpl=gate.dpl, cpl=first.cpl
        )
    if not gate.p:
        return scene.diagnosis("gate-not-present", seen, first.pc, vector=name)
    if gate.type == 5:
        return None
    target = scene.descriptor(regs, gate.selector)
    readable = regs.gdt is not None and scene.space(regs) is not None
    if readable and (
        target is None or not target.code or not target.p or target.dpl > first.cpl
    ):
        seen += f" Its code segment: {target or 'no descriptor'}."
        return scene.diagnosis(
            "handler-selector",
            seen,
            first.pc,
            vector=name,
            selector=selector_text(gate.selector),
        )
    return None


def _bad_stack(
    scene: Scene,
    first: Interrupt,
    second: Optional[Interrupt],
    code: int,
    seen: str,
) -> Optional[Diagnosis]:
    """The kernel stack that the TSS names, on a trap from ring 3."""
    regs = first.regs
    tss = scene.tss(regs)
    field = "rsp0" if scene.wide(regs) else "esp0"
    if tss is not None:
        seen += f" TSS: {tss}."
    if code == TS and not scene.wide(regs):
        value = f"{tss.ss0:#06x}" if tss is not None else "not usable"
        found = scene.descriptor(regs, tss.ss0) if tss is not None else None
        if found is not None:
            seen += f" The segment that ss0 names: {found}."
        return scene.diagnosis("ss0-wrong", seen, first.pc, value=value)
    if code == GP and not scene.wide(regs):
        return None
    if code == PF and second is not None and second.v == PF and second.e & 4:
        return None
    value = f"{tss.stack0:#x}" if tss is not None else "not usable"
    if tss is not None and second is not None and second.v == PF:
        value += f" (the push went to {second.cr2:#x})"
    return scene.diagnosis("stack0-zero", seen, first.pc, field=field, value=value)


def _own_fault(scene: Scene, event: Interrupt, seen: str) -> Optional[Diagnosis]:
    """Why the instruction itself faulted."""
    if not event.fault:
        return None
    if event.v == PF:
        return _page_fault(scene, event, seen)
    if event.v not in (GP, NP, SS, TS):
        return None
    regs = event.regs
    instruction = scene.instruction(regs, event.pc)
    name = "" if instruction is None else instruction.mnemonic
    if name in _IRETS:
        return _iret(scene, event, name, seen)
    if event.e & 0xFFF8 and not event.e & 2:
        return _selector(scene, event, event.e & 0xFFFC, seen)
    if event.cpl == 3 and event.e == 0 and event.v == GP and instruction is not None:
        if name in _PRIVILEGED or name == "mov" and "cr" in instruction.operands:
            text = str(instruction)
            return scene.diagnosis("privileged", seen, event.pc, instruction=text)
    return None


_PRIVILEGED = frozenset(
    "in out insb insw insd outsb outsw outsd cli sti hlt lgdt lidt lldt ltr lmsw clts"
    " invlpg wbinvd invd rdmsr wrmsr swapgs sysret sysexit".split()
)


def _mnemonic(scene: Scene, event: Interrupt) -> str:
    instruction = scene.instruction(event.regs, event.pc)
    return "" if instruction is None else instruction.mnemonic


def _selector(scene: Scene, event: Interrupt, sel: int, seen: str) -> Diagnosis:
    """A segment that the CPU refused, by the selector in the error code."""
    found = scene.descriptor(event.regs, sel)
    text = selector_text(sel)
    if found is None:
        gdt = event.regs.gdt
        why = "the GDT has no such entry"
        if gdt is not None:
            why += f", its limit is {gdt.limit:#x}"
    elif not found.p:
        why = "the descriptor is not present"
    elif found.data and found.dpl < event.cpl:
        seen += f" Descriptor: {found}."
        return scene.diagnosis(
            "data-dpl", seen, event.pc, selector=text, dpl=found.dpl, cpl=event.cpl
        )
    elif _mnemonic(scene, event) == "ltr":
        gdt = event.regs.gdt
        last = (sel | 7) + (8 if scene.wide(event.regs) else 0)
        why = f"`ltr` takes an available TSS, and this is {found.kind}"
        if gdt is not None and gdt.limit < last:
            why = (
                "a TSS has a descriptor of 16 bytes in long mode, which ends at"
                f" {last:#x} in the GDT, and the GDT's limit is {gdt.limit:#x}"
            )
    else:
        why = f"the descriptor is {found.kind}, DPL {found.dpl}, and CPL is {event.cpl}"
    if found is not None:
        seen += f" Descriptor: {found}."
    return scene.diagnosis("segment-refused", seen, event.pc, selector=text, why=why)


def _iret(scene: Scene, event: Interrupt, name: str, seen: str) -> Diagnosis:
    """A fault at `iret`: look at the frame that it was about to pop."""
    regs = event.regs
    if scene.bits(regs) == 64 and name != "iretq":
        return scene.diagnosis("iret-narrow", seen, event.pc)
    letter = "R" if scene.bits(regs) == 64 else "E"
    shape = f"{letter}IP, CS, {letter}FLAGS, {letter}SP, SS"
    frame = scene.words(regs, event.sp, 5)
    if len(frame) == 5:
        _, cs, _, _, ss = (word & 0xFFFF for word in frame)
        shown = " ".join(f"{word:#x}" for word in frame)
        seen += f" The five words on the stack: {shown} (as {shape})."
        if event.e and event.e & 0xFFFC == cs & 0xFFFC and not _frame_shifted(frame):
            return _iret_code(scene, event, cs, seen)
        plain = frame[4] <= 0xFFFF and scene.descriptor(regs, ss) is not None
        if event.e and event.e & 0xFFFC == ss & 0xFFFC and cs & 3 and plain:
            return _iret_stack(scene, event, cs, ss, seen)
    why = "the word in the place of CS is no usable selector"
    if len(frame) == 5:
        why = f"the word in the place of CS is {frame[1]:#x}"
        # A null CS, or a null SS behind a sound CS, both give error code 0.
        sound = frame[1] & 3 == 3 and 3 < frame[1] <= 0xFFFF
        if sound and event.e & 0xFFFC == frame[4] & 0xFFFC:
            why = f"the word in the place of SS is {frame[4]:#x}"
        code = scene.descriptor(regs, frame[1]) if 3 < frame[1] <= 0xFFFF else None
        if code is not None and code.code and code.dpl == 0 and frame[4] & 3 == 3:
            why = f"its CS {frame[1]:#x} is the kernel's, which does not lead to ring 3"
    return scene.diagnosis(
        "iret-frame", seen, event.pc, instruction=name, why=why, shape=shape
    )


def _frame_shifted(frame: Sequence[int]) -> bool:
    """The word in the place of CS cannot be a selector."""
    return frame[1] > 0xFFFF


def _iret_code(scene: Scene, event: Interrupt, cs: int, seen: str) -> Diagnosis:
    found = scene.descriptor(event.regs, cs)
    text = selector_text(cs)
    if found is None or not found.code or not found.p:
        return _selector(scene, event, cs, seen)
    seen += f" Descriptor of CS: {found}."
    if cs & 3 == 3 and found.dpl != 3:
        return scene.diagnosis("code-dpl", seen, event.pc, selector=text, dpl=found.dpl)
    if cs & 3 != found.dpl:
        return scene.diagnosis(
            "iret-cs-rpl", seen, event.pc, selector=text, dpl=found.dpl
        )
    return _selector(scene, event, cs, seen)


def _iret_stack(
    scene: Scene, event: Interrupt, cs: int, ss: int, seen: str
) -> Diagnosis:
    found = scene.descriptor(event.regs, ss)
    if found is None or not found.writable or not found.p:
        return _selector(scene, event, ss, seen)
    seen += f" Descriptor of SS: {found}."
    return scene.diagnosis(
        "iret-ss-rpl",
        seen,
        event.pc,
        selector=selector_text(ss),
        dpl=found.dpl,
        rpl=cs & 3,
    )


def _page_fault(scene: Scene, event: Interrupt, seen: str) -> Diagnosis:
    regs = event.regs
    walk = scene.walk(regs, event.cr2)
    who = "Ring 3" if event.e & paging.PF_U else "Ring 0"
    fetch = event.e & paging.PF_I or _fetches(regs, event)
    did = "fetched an instruction from" if fetch else "read"
    did = "wrote to" if event.e & paging.PF_W else did
    address = f"{event.cr2:#x}"
    entry = None if walk is None else walk.blocking(event.e)
    if walk is not None:
        seen += " Page walk: " + "; ".join(paging.explain(walk)) + "."
    text = str(entry) if entry is not None else "the page tables"
    below = event.sp - event.cr2
    # A push goes below the pointer; a store may go above one that is off the stack.
    over = 0 <= below <= _STACK_SLACK
    if -_STACK_SLACK <= below < 0:
        around = scene.walk(regs, event.sp)
        over = around is not None and around.pa is None
    if not event.e & (paging.PF_P | paging.PF_U) and over:
        sp = f"{event.sp:#x}"
        return scene.diagnosis("stack-overflow", seen, event.pc, address=address, sp=sp)
    if event.e & paging.PF_P:
        user = event.e & paging.PF_U and (entry is None or not entry.user)
        key = "user-bit" if user else "page-rights"
    else:
        key = "page-absent"
    return scene.diagnosis(
        key, seen, event.pc, who=who, did=did, address=address, entry=text
    )


def _fetches(regs: Registers, event: Interrupt) -> bool:
    """Without NX the error code has no fetch bit; then CR2 is the instruction."""
    return not regs.get("EFER", 0) & EFER_NXE and event.cr2 == event.pc
