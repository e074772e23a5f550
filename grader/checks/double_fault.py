# SPDX-License-Identifier: MIT
"""Why a double fault did not reach its handler: the gate, the descriptor, the TSS."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case
from grader.checks.record import Evidence
from grader.evidence.descriptors import GateDescriptor
from grader.evidence.registers import Registers
from grader.evidence.trace import Interrupt
from grader.evidence.tss import TSS_BYTES, Tss
from grader.machine import End

TASK_GATE = 5
AVAILABLE, BUSY = 9, 11

# What gives #DF a stack of its own; where the state that failed lies, and what to do.
OWN_STACK = {"i386": "a task gate", "x86_64": "an IST slot"}
STATE = {
    "i386": (
        "a task gate saves it in the previous TSS, the one that the link field of the "
        "new TSS names",
        "tss_at(link) finds the TSS of the task that was interrupted.",
    ),
    "x86_64": (
        "it is in the frame that the CPU pushed on the IST stack",
        "From the top of the IST stack down lie SS, RSP, RFLAGS, CS, RIP and, lowest, "
        "the error code.",
    ),
}


def wrong_way(case: Case, evidence: Evidence, event: Interrupt | None) -> str:
    """The likely mistake, given the #DF that was raised; None if none was recorded."""
    known = event or next(iter(reversed(support.interrupts(evidence))), None)
    if known is None:
        return "The stack did not overflow: the kernel never got that far."
    gate = evidence.scene.gate(known.regs, 8)
    if case.arch == "i386" and gate is not None:
        if gate.type != TASK_GATE:
            return (
                f"The gate of vector 8 is {gate.kind}: the CPU pushes the frame of the "
                "#DF on the same stack that has just overflowed, and that fault is the "
                "third."
            )
        wrong = wrong_task(case, evidence, known.regs, gate.selector)
        if wrong:
            return wrong
    if case.arch == "x86_64" and gate is not None:
        wrong = wrong_slot(evidence, known.regs, gate)
        if wrong:
            return wrong
    if evidence.run.end is End.TRIPLE_FAULT:
        return (
            "The CPU could not enter the handler of #DF: its way there faults as well."
        )
    if event is None:
        return "No #DF was raised at the push that overflowed the stack."
    return (
        "The handler of #DF was entered, but did not come to its end: it has to report "
        "and then call double_fault_end, since there is nothing to go back to."
    )


def wrong_task(case: Case, evidence: Evidence, regs: Registers, selector: int) -> str:
    """What keeps the CPU from switching to the task of a task gate (i386)."""
    if selector != support.of(case)["SEL_DF_TSS"]:
        return (
            f"The task gate names the selector {selector:#x}. It must be that of a TSS "
            "of its own; a switch to the task that is running already is refused."
        )
    if regs.gdt is None or regs.gdt.limit < (selector | 7):
        limit = 0 if regs.gdt is None else regs.gdt.limit
        return (
            f"The GDT limit in the CPU is {limit:#x}: the slot of selector "
            f"{selector:#x} lies behind it. Reload the GDTR with the new slot."
        )
    found = evidence.scene.descriptor(regs, selector)
    if found is None or found.s or found.type not in (AVAILABLE, BUSY) or not found.p:
        return f"The descriptor {selector:#x} is no present TSS: {found}."
    if found.last_offset < TSS_BYTES - 1:
        return (
            f"The limit of the TSS descriptor is {found.last_offset:#x}: a TSS has "
            f"{TSS_BYTES} bytes, so its limit is at least {TSS_BYTES - 1:#x}."
        )
    space = evidence.scene.space(regs)
    raw = space.read(found.base, TSS_BYTES) if space and found.base else b""
    if len(raw) < TSS_BYTES:
        return (
            f"The TSS descriptor has the base {found.base:#x}: there is no TSS there."
        )
    return wrong_registers(
        case, evidence, dict(Tss.decode(raw, wide=False).saved), regs
    )


def wrong_slot(evidence: Evidence, regs: Registers, gate: GateDescriptor) -> str:
    """What keeps the CPU from the stack of an IST slot (x86_64)."""
    if not gate.p:
        return (
            f"The gate of vector 8 ({gate}) is not present: the CPU finds no handler "
            "for the #DF, and that fault is the third."
        )
    if not gate.ist:
        return (
            f"The gate of vector 8 ({gate}) names no IST slot: the CPU pushes the "
            "frame of the #DF on the same stack that has just overflowed, and that "
            "fault is the third."
        )
    tss = evidence.scene.tss(regs)
    if tss is None:
        return f"The gate of vector 8 names IST slot {gate.ist}, but TR names no TSS."
    top = tss.ist[gate.ist - 1]
    walk = evidence.scene.walk(regs, (top or 8) - 8)
    if walk is None or not (walk.present and walk.writable):
        others = [slot for slot, at in enumerate(tss.ist, 1) if at and not top]
        found = f" Only slot {others[0]} holds a stack." if others else ""
        return (
            f"IST slot {gate.ist} of the TSS is {top:#x}: the word below is not there "
            f"or not writable.{found} A stack grows down, so the slot holds its top. "
            "Gates count the slots from 1."
        )
    page = evidence.scene.gate(regs, 14)
    if page is not None and page.ist:
        return (
            f"The gate of vector 14 ({page}) names IST slot {page.ist}, so the #PF at "
            "the push found a stack and never became a #DF. Faults that can nest must "
            "not use the IST: each one starts at the same top, over the frame of the "
            "last."
        )
    return ""


def wrong_registers(
    case: Case, evidence: Evidence, saved: dict[str, int], regs: Registers
) -> str:
    """What is wrong with the registers that the task would start with."""
    values = support.of(case)
    directory = regs["CR3"]
    if saved["cr3"] != directory:
        return (
            f"cr3 in the TSS of the #DF task is {saved['cr3']:#x}, the page directory "
            f"is at {directory:#x}: the CPU loads CR3 with the task, and then finds no "
            "page."
        )
    if saved["cs"] & 0xFFFF != values["SEL_KCODE"]:
        return f"cs in the TSS of the #DF task is {saved['cs']:#x}, no code of ring 0."
    for name in ("ss", "ds", "es"):
        if saved[name] & 0xFFFF != values["SEL_KDATA"]:
            return (
                f"{name} in the TSS of the #DF task is {saved[name]:#x}: the CPU loads "
                f"it with the task, and the handler needs {values['SEL_KDATA']:#x}."
            )
    walk = evidence.scene.walk(regs, (saved["esp"] or 4) - 4)
    if walk is None or not (walk.present and walk.writable):
        return (
            f"esp in the TSS of the #DF task is {saved['esp']:#x}: the word below is "
            "not there or not writable. A stack grows down, so esp starts at its top."
        )
    place = evidence.symbols.at(saved["eip"])
    if place is None:
        return f"eip in the TSS of the #DF task is {saved['eip']:#x}, no code of yours."
    return ""
