# SPDX-License-Identifier: MIT
"""Why a double fault did not reach its handler: the gate, the descriptor, the TSS."""

from __future__ import annotations

from grader.checks import support
from grader.checks.record import Evidence
from grader.evidence.descriptors import GateDescriptor
from grader.evidence.registers import Registers
from grader.evidence.trace import Interrupt
from grader.evidence.tss import TSS_BYTES, Tss
from grader.machine import End
from grader.settings import ROOT

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


def wrong_way(evidence: Evidence, event: Interrupt | None) -> tuple[str, str]:
    """The likely mistake and its mend, given the #DF; None if none was recorded."""
    known = event or next(iter(reversed(support.interrupts(evidence))), None)
    if known is None:
        return (
            "The stack did not overflow: the kernel never got that far.",
            "Look at the end of the console, and at what was executed last.",
        )
    gate = evidence.scene.gate(known.regs, 8)
    wrong = None
    if evidence.arch == "i386" and gate is not None:
        if gate.type != TASK_GATE:
            return (
                f"The gate of vector 8 is no task gate, but this: {gate.kind}. The CPU "
                "pushes the frame of the #DF on the same stack that has just "
                "overflowed, and that fault is the third.",
                "GATE_TASK in the gate, with SEL_DF_TSS: the CPU loads a stack from "
                "the TSS that this selector names.",
            )
        wrong = wrong_task(evidence, known.regs, gate.selector)
    if evidence.arch == "x86_64" and gate is not None:
        wrong = wrong_slot(evidence, known.regs, gate)
    if wrong:
        return wrong
    if evidence.run.end is End.TRIPLE_FAULT:
        return (
            "The CPU could not enter the handler of #DF: its way there faults as well.",
            "Give #DF a stack of its own, through the CPU: "
            f"{OWN_STACK[evidence.arch]}.",
        )
    if event is None:
        return (
            "No #DF was raised at the push that overflowed the stack.",
            "Leave the guard page of the stack absent, and vector 14 without a stack "
            "of its own.",
        )
    return (
        "The handler of #DF was entered, but did not come to its end: it has to report "
        "and then call double_fault_end, since there is nothing to go back to.",
        "End the handler with double_fault_end; see what it executes before that.",
    )


def wrong_task(
    evidence: Evidence, regs: Registers, selector: int
) -> tuple[str, str] | None:
    """What keeps the CPU from switching to the task of a task gate, and the mend."""
    if selector != support.constants(ROOT, evidence.arch)["SEL_DF_TSS"]:
        return (
            f"The task gate names the selector {selector:#x}. It must be that of a TSS "
            "of its own; a switch to the task that is running already is refused.",
            "The selector of the task gate is SEL_DF_TSS.",
        )
    if regs.gdt is None or regs.gdt.limit < (selector | 7):
        limit = 0 if regs.gdt is None else regs.gdt.limit
        return (
            f"The GDT limit in the CPU is {limit:#x}: the slot of selector "
            f"{selector:#x} lies behind it.",
            "Reload the GDTR with the new slot: gdt_reload(GDT_INDEX_DF_TSS + 1).",
        )
    found = evidence.scene.descriptor(regs, selector)
    if found is None or found.s or found.type not in (AVAILABLE, BUSY) or not found.p:
        return (
            f"The descriptor {selector:#x} is no present TSS: {found}.",
            "tss_encode makes the descriptor, gdt_set writes it to GDT_INDEX_DF_TSS.",
        )
    if found.last_offset < TSS_BYTES - 1:
        return (
            f"The limit of the TSS descriptor is {found.last_offset:#x}: a TSS has "
            f"{TSS_BYTES} bytes, so its limit is at least {TSS_BYTES - 1:#x}.",
            "The limit is the size of struct tss minus one.",
        )
    space = evidence.scene.space(regs)
    raw = space.read(found.base, TSS_BYTES) if space and found.base else b""
    if len(raw) < TSS_BYTES:
        return (
            f"The TSS descriptor has the base {found.base:#x}: there is no TSS there.",
            "The base is the address of your second struct tss.",
        )
    return wrong_registers(evidence, dict(Tss.decode(raw, wide=False).saved), regs)


def wrong_slot(
    evidence: Evidence, regs: Registers, gate: GateDescriptor
) -> tuple[str, str] | None:
    """What keeps the CPU from the stack of an IST slot, and the mend."""
    if not gate.p:
        return (
            f"The gate of vector 8 ({gate}) is not present: the CPU finds no handler "
            "for the #DF, and that fault is the third.",
            "GATE_PRESENT belongs to the attributes of every gate.",
        )
    if not gate.ist:
        return (
            f"The gate of vector 8 ({gate}) names no IST slot: the CPU pushes the "
            "frame of the #DF on the same stack that has just overflowed, and that "
            "fault is the third.",
            "The last argument of idt_set_gate is the slot: IST_DOUBLE_FAULT.",
        )
    fill = "ist[IST_DOUBLE_FAULT - 1] = the top that kstack_alloc returned, in the TSS"
    fill += " that SEL_TSS names."
    tss = evidence.scene.tss(regs)
    if tss is None:
        return (
            f"The gate of vector 8 names IST slot {gate.ist}, but TR names no TSS.",
            fill,
        )
    top = tss.ist[gate.ist - 1]
    walk = evidence.scene.walk(regs, (top or 8) - 8)
    if walk is None or not (walk.present and walk.writable):
        others = [slot for slot, at in enumerate(tss.ist, 1) if at and not top]
        found = f" Only slot {others[0]} holds a stack." if others else ""
        return (
            f"IST slot {gate.ist} of the TSS is {top:#x}: the word below is not there "
            f"or not writable.{found} A stack grows down, so the slot holds its top. "
            "Gates count the slots from 1.",
            fill,
        )
    page = evidence.scene.gate(regs, 14)
    if page is not None and page.ist:
        return (
            f"The gate of vector 14 ({page}) names IST slot {page.ist}, so the #PF at "
            "the push found a stack and never became a #DF. Faults that can nest must "
            "not use the IST: each one starts at the same top, over the frame of the "
            "last.",
            "The last argument of idt_set_gate for vector 14 is 0.",
        )
    return None


def wrong_registers(
    evidence: Evidence, saved: dict[str, int], regs: Registers
) -> tuple[str, str] | None:
    """What is wrong with the registers that the task would start with, and the mend."""
    values = support.constants(ROOT, evidence.arch)
    directory = regs["CR3"]
    if saved["cr3"] != directory:
        return (
            f"cr3 in the TSS of the #DF task is {saved['cr3']:#x}, the page directory "
            f"is at {directory:#x}: the CPU loads CR3 with the task, and then finds no "
            "page.",
            "In the second TSS cr3 = read_cr3().",
        )
    if saved["cs"] & 0xFFFF != values["SEL_KCODE"]:
        return (
            f"cs in the TSS of the #DF task is {saved['cs']:#x}, no code of ring 0.",
            "In the second TSS cs = SEL_KCODE.",
        )
    for name in ("ss", "ds", "es"):
        if saved[name] & 0xFFFF != values["SEL_KDATA"]:
            return (
                f"{name} in the TSS of the #DF task is {saved[name]:#x}: the CPU loads "
                f"it with the task, and the handler needs {values['SEL_KDATA']:#x}.",
                f"In the second TSS {name} = SEL_KDATA.",
            )
    walk = evidence.scene.walk(regs, (saved["esp"] or 4) - 4)
    if walk is None or not (walk.present and walk.writable):
        return (
            f"esp in the TSS of the #DF task is {saved['esp']:#x}: the word below is "
            "not there or not writable. A stack grows down, so esp starts at its top.",
            "In the second TSS esp = the top that kstack_alloc returned.",
        )
    if evidence.symbols.at(saved["eip"]) is None:
        return (
            f"eip in the TSS of the #DF task is {saved['eip']:#x}, no code of yours.",
            "In the second TSS eip = the address of your handler.",
        )
    return None
