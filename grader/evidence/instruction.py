# SPDX-License-Identifier: MIT
"""Why an instruction itself faulted: its selector, frame, address, or rights."""

from __future__ import annotations

from typing import Optional

from grader.evidence import iret, paging
from grader.evidence.descriptors import selector as selector_text
from grader.evidence.load import TI, from_ldt, loaded, objection
from grader.evidence.registers import EFER_NXE, Registers
from grader.evidence.scene import Diagnosis, Scene
from grader.evidence.trace import Interrupt

TS, NP, SS, GP, PF = 0x0A, 0x0B, 0x0C, 0x0D, 0x0E
_STACK_SLACK = 4096
_PRIVILEGED = frozenset(
    "in out insb insw insd outsb outsw outsd cli sti hlt lgdt lidt lldt ltr lmsw clts"
    " invlpg wbinvd invd rdmsr wrmsr swapgs sysret sysexit".split()
)


def own_fault(scene: Scene, event: Interrupt, seen: str) -> Optional[Diagnosis]:
    """Why the instruction faulted; None if it did not, or nothing particular shows."""
    if not event.fault:
        return None
    if event.v not in (GP, NP, SS, TS, PF):
        return None
    regs = event.regs
    instruction = scene.instruction(regs, event.pc)
    name = "" if instruction is None else instruction.mnemonic
    if name in iret.MNEMONICS and not iret.off_stack(event):
        return _iret(scene, event, name, seen)
    if from_ldt(scene, event):
        return _selector(scene, event, loaded(scene, event).selector, seen)
    if event.v == PF:
        return _page_fault(scene, event, seen)
    if event.e & 0xFFF8 and not event.e & 2:
        return _selector(scene, event, event.e & 0xFFFC, seen)
    if event.e == 0 and scene.bits(regs) == 64:
        found = _not_canonical(scene, event, seen)
        if found is not None:
            return found
    if event.cpl == 3 and event.e == 0 and event.v == GP and instruction is not None:
        if name in _PRIVILEGED or name == "mov" and "cr" in instruction.operands:
            text = str(instruction)
            return scene.diagnosis("privileged", seen, event.pc, instruction=text)
    return None


def _not_canonical(scene: Scene, event: Interrupt, seen: str) -> Optional[Diagnosis]:
    """In 64-bit code #GP(0) or #SS(0) also means an address that is none."""
    regs = event.regs
    if not paging.canonical(event.pc):
        address, did = event.pc, "went on at"
    else:
        used = [a for a in scene.addresses(regs, event.pc) if not paging.canonical(a)]
        if not used:
            return None
        address, did = used[0], "used"
    who = f"Ring {event.cpl}"
    return scene.diagnosis(
        "not-canonical", seen, event.pc, who=who, did=did, address=f"{address:#x}"
    )


def _selector(scene: Scene, event: Interrupt, sel: int, seen: str) -> Diagnosis:
    """A segment that the CPU refused, by the selector in the error code."""
    found = scene.descriptor(event.regs, sel)
    load = loaded(scene, event)
    sel = load.selector if load.selector & ~3 == sel & ~3 else sel
    asks = max(event.cpl, sel & 3)
    text = selector_text(sel)
    if sel & TI:
        return scene.diagnosis("selector-ldt", seen, event.pc, selector=text)
    if found is None:
        gdt = event.regs.gdt
        why = "the GDT has no such entry"
        if gdt is not None:
            why += f", its limit is {gdt.limit:#x}"
    elif not found.p:
        why = "the descriptor is not present"
    elif found.data and found.dpl < asks and load.register != "ss":
        seen += f" Descriptor: {found}."
        return scene.diagnosis(
            "data-dpl", seen, event.pc, selector=text, dpl=found.dpl, cpl=asks
        )
    elif load.register == "tr":
        gdt = event.regs.gdt
        last = (sel | 7) + (8 if scene.wide(event.regs) else 0)
        why = f"`ltr` takes an available TSS, and this is {found.kind}"
        if gdt is not None and gdt.limit < last:
            why = (
                "a TSS has a descriptor of 16 bytes in long mode, which ends at"
                f" {last:#x} in the GDT, and the GDT's limit is {gdt.limit:#x}"
            )
    else:
        why = objection(load, found, event.cpl)
    if found is not None:
        seen += f" Descriptor: {found}."
    return scene.diagnosis("segment-refused", seen, event.pc, selector=text, why=why)


def _iret(scene: Scene, event: Interrupt, name: str, seen: str) -> Diagnosis:
    """A fault at `iret`: look at the frame that it was about to pop."""
    regs = event.regs
    if scene.bits(regs) == 64 and name != "iretq":
        return scene.diagnosis("iret-narrow", seen, event.pc)
    frame = iret.frame_of(scene, regs, event.sp, name)
    shape = ", ".join(iret.names(frame))
    why = "the stack that it should lie on cannot be read"
    if frame.whole:
        shown = " ".join(f"{word:#x}" for word in frame.words)
        seen += f" The five words on the stack: {shown} (as {shape})."
        why = iret.disorder(frame)
        named = event.e & 0xFFFC if event.v != PF else 0
        if not why and named:
            if named == frame.words[1] & ~3:
                return _iret_code(scene, event, frame.cs, seen)
            if named == frame.words[4] & ~3 and frame.ss & 3 <= frame.cs & 3:
                return _iret_stack(scene, event, frame.cs, frame.ss, seen)
        why = why or iret.culprit(frame)
    return scene.diagnosis(
        "iret-frame", seen, event.pc, instruction=name, why=why, shape=shape
    )


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
    fetch = event.e & paging.PF_I or fetches(regs, event)
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


def fetches(regs: Registers, event: Interrupt) -> bool:
    """Without NX the error code has no fetch bit; then CR2 is the instruction."""
    return not regs.get("EFER", 0) & EFER_NXE and event.cr2 == event.pc
