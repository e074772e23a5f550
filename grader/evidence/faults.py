# SPDX-License-Identifier: MIT
"""Why a fault happened: the descriptor, gate, TSS field or page entry behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Sequence

from grader.evidence import paging
from grader.evidence.descriptors import selector as selector_text
from grader.evidence.exhibits import DF, decimal, hidden, of_chain
from grader.evidence.instruction import GP, NP, PF, SS, TS, fetches, own_fault
from grader.evidence.scene import MNEMONICS, Diagnosis, Scene, vector_name
from grader.evidence.trace import PIC_VECTORS, Interrupt

_UNCLAIMED = "unclaimed_"  # the core's entries of vectors that nobody has set
_OF_GATES = (
    "idt-limit",
    "gate-missing",
    "gate-type",
    "gate-not-present",
    "handler-selector",
)


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
    if event.v == PF and event.fault:
        words = paging.error_code(event.e, fetches(event.regs, event))
        text += f", CR2 {event.cr2:#x} ({words})"
    return text


def describe_chain(chain: Sequence[Interrupt], triple: bool) -> str:
    """The chain from the first fault to the last, on one line."""
    parts: list[str] = []
    for event in chain:
        under = hidden(event)
        if under is not None and (not parts or event.new != chain[-1].v):
            parts.append(f"{MNEMONICS.get(under, hex(under)).split()[0]}")
        short = MNEMONICS.get(event.v, "").split(" ")[0]
        short = "" if event.hardware or event.i else short
        name = short or f"vector {event.v:#04x}"
        coded = event.fault and event.v in (TS, NP, SS, GP, PF)
        parts.append(name + (f"({event.e:#x})" if coded else ""))
    return " -> ".join(parts + (["triple fault"] if triple else []))


def explain_chain(
    scene: Scene, chain: Sequence[Interrupt], *, triple: bool
) -> Diagnosis:
    """Why this chain of deliveries began and could not be handled.

    chain: as trace.triple_fault_chain gives it, not empty, or one fault alone.
    """
    found = _explained(scene, chain, triple)
    return replace(found, exhibits=of_chain(scene, chain, triple=triple))


def _explained(scene: Scene, chain: Sequence[Interrupt], triple: bool) -> Diagnosis:
    first = chain[0]
    seen = f"{describe(first)}; the instruction is {scene.at(first.regs, first.pc)}."
    if len(chain) > 1 or triple:
        seen += f" The chain: {describe_chain(chain, triple)}."
    if first.hardware and first.v in PIC_VECTORS:
        return scene.diagnosis("pic-not-remapped", seen, first.pc)
    rest = chain[1:]
    delivery = None
    if rest or triple:
        own = own_fault(scene, first, seen) if first.fault else None
        delivery = _delivery(scene, first, rest, seen)
        # A fault of ring 3 is normal, and a stack that overflows is the kernel's own.
        if own and delivery and (first.cpl == 3 or delivery.key in _OF_GATES):
            delivery = _both(own, delivery, delivery.seen[len(seen) :])
        elif own and first.cpl != 3:
            delivery = own
    found = delivery or own_fault(scene, first, seen)
    return found or _plain(scene, first, seen, refused=bool(rest or triple))


def _both(own: Diagnosis, delivery: Diagnosis, rest: str) -> Diagnosis:
    """A fault that is a mistake itself, and could not be handled either."""
    if own.key == "privileged":
        return delivery
    cause = f"{own.cause} Then the fault could not be handled: {delivery.cause}"
    hint = f"{own.hint} {delivery.hint}"
    return replace(own, cause=cause, seen=own.seen + rest, hint=hint)


def _plain(scene: Scene, event: Interrupt, seen: str, *, refused: bool) -> Diagnosis:
    if event.i or event.hardware:
        name = vector_name(event.v)
        if refused:
            return scene.diagnosis("delivery", seen, event.pc, vector=name)
        did = (
            f"executed `int {event.v:#x}`" if event.i else f"was interrupted by {name}"
        )
        return scene.diagnosis("interrupted", seen, event.pc, cpl=event.cpl, did=did)
    hints = {
        0: "Something divided by zero, or the quotient does not fit.",
        6: "The CPU ran into bytes that are no instruction: a wrong jump, a wrong"
        " return address, or the wrong mode (32-bit code run as 64-bit).",
        GP: "Look at the selectors, the privilege and the operands of the instruction.",
    }
    hint = hints.get(event.v, "Look at the instruction and its operands.")
    fault = vector_name(event.v)
    return scene.diagnosis(
        "exception", seen, event.pc, fault=fault, cpl=event.cpl, hint=hint
    )


def _delivery(
    scene: Scene, first: Interrupt, rest: Sequence[Interrupt], seen: str
) -> Optional[Diagnosis]:
    """Why the CPU could not enter the handler of `first`."""
    regs = first.regs
    second = rest[0] if rest else None
    code = None
    if second is not None:
        code = hidden(second) if second.v == DF else second.v
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
        why = "it cannot be read"
        return scene.diagnosis("gate-missing", seen, first.pc, vector=name, why=why)
    seen = f"{seen} Gate {name}: {gate}."
    if decimal(scene, regs, vector):
        return scene.diagnosis("gate-decimal", seen, first.pc)
    handler = scene.place(gate.offset)
    unclaimed = handler is not None and handler.function.startswith(_UNCLAIMED)
    if gate.empty or unclaimed and first.i:
        why = "the entry is all zero"
        if unclaimed:
            why = "the entry still leads to the kernel's panic"
        return scene.diagnosis("gate-missing", seen, first.pc, vector=name, why=why)
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
    gate = scene.gate(regs, first.v)
    if tss is not None and gate is not None and gate.ist:
        field, value = f"IST{gate.ist}", f"{tss.ist[gate.ist - 1]:#x}"
    if tss is not None and second is not None and second.v == PF:
        value += f" (the push went to {second.cr2:#x})"
    return scene.diagnosis("stack0-zero", seen, first.pc, field=field, value=value)
