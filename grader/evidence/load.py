# SPDX-License-Identifier: MIT
"""Which selector an instruction loads, and why the CPU takes no such segment."""

from __future__ import annotations

from dataclasses import dataclass

from grader.evidence.descriptors import SegmentDescriptor
from grader.evidence.scene import Scene
from grader.evidence.trace import Interrupt

TI = 4  # of a selector: it names the LDT
_SEGMENTS = ("ds", "es", "fs", "gs", "ss")
_FAR = ("lcall", "ljmp", "retf", "retfq")


@dataclass(frozen=True)
class Load:
    """register: "ds", "ss", "cs" for a far jump, "tr" for `ltr`, or ""."""

    register: str
    selector: int


def loaded(scene: Scene, event: Interrupt) -> Load:
    """What the event's instruction loads where; the error code lacks the RPL."""
    refused = event.e & 0xFFFC
    instruction = scene.instruction(event.regs, event.pc)
    if instruction is None:
        return Load("", refused)
    name, operands = instruction.mnemonic, instruction.operands
    target, _, source = operands.partition(", ")
    if name == "ltr":
        return Load("tr", refused)
    if name in _FAR:
        return Load("cs", refused)
    if target not in _SEGMENTS:
        return Load("", refused)
    value = refused
    if name == "pop":
        value = next(iter(scene.words(event.regs, event.sp, 1, 4)), refused)
    elif name == "mov":
        value = event.regs.general(source[-2:]) or refused
    value &= 0xFFFF
    if value & 0xFFFC != refused:
        value = refused
    return Load(target, value)


def objection(load: Load, found: SegmentDescriptor, cpl: int) -> str:
    """Why the segment register does not take this descriptor, in words."""
    rpl = load.selector & 3
    if load.register == "ss":
        if not found.writable:
            return f"SS takes a writable data segment, and this is {found.kind}"
        return (
            f"SS takes a segment whose DPL and RPL both are the CPL, {cpl}; here DPL is"
            f" {found.dpl} and RPL is {rpl}"
        )
    if load.register == "cs":
        if not found.code:
            return f"CS takes a code segment, and this is {found.kind}"
        return f"its DPL is {found.dpl}, and CPL is {cpl}"
    if load.register and not found.readable:
        return f"it can be loaded only with what is readable, and this is {found.kind}"
    return f"the descriptor is {found.kind}, DPL {found.dpl}, and CPL is {cpl}"
