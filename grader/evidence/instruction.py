# SPDX-License-Identifier: MIT
"""Why an instruction itself faulted: its selector, frame, address, or rights."""

from __future__ import annotations

from typing import Optional

from grader.evidence import iret, paging
from grader.evidence.descriptors import selector as selector_text
from grader.evidence.load import TI, loaded, objection
from grader.evidence.registers import EFER_NXE, Registers
from grader.evidence.scene import Diagnosis, Scene
from grader.evidence.signatures import KFREE_BYTE
from grader.evidence.trace import Interrupt

TS, NP, SS, GP, PF = 0x0A, 0x0B, 0x0C, 0x0D, 0x0E
_STACK_SLACK = 4096
_STACK_WORDS = 64  # bytes that an instruction takes from a stack at most
_SLOTS = 64  # no GDT here has more
_BUSY = 0xB  # the type of a TSS
_PAGE_0 = 4096  # absent, so that null pointers fault
_MEMBERS = 4096  # no struct of the kernel's is larger
_IN_CR3 = {"who": "The kernel", "did": "gives CR3 the address"}
_PHYSICAL_BITS = 40  # of an address, for QEMU's qemu64
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
    if event.cpl == 0 and scene.zeros(regs, event.pc):
        return scene.diagnosis("zeros", seen, event.pc)
    instruction = scene.instruction(regs, event.pc)
    name = "" if instruction is None else instruction.mnemonic
    if event.v == PF:
        return _page_fault(scene, event, seen)
    if name in iret.MNEMONICS:
        return _iret(scene, event, name, seen)
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
    key = "freed" if _freed(address, 8) else "not-canonical"
    return scene.diagnosis(
        key, seen, event.pc, who=who, did=did, address=f"{address:#x}"
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
        why = "the GDT has no such entry"
        return _beyond(scene, event, sel, seen, why)
    if found.empty:
        slot = sel >> 3
        return scene.diagnosis("slot-empty", seen, event.pc, selector=text, slot=slot)
    if load.register == "tr" and scene.tss_at(event.regs, sel) is None:
        last = (sel | 7) + 8
        why = "a TSS has a descriptor of 16 bytes in long mode, which ends at"
        return _beyond(scene, event, sel, seen, f"{why} {last:#x} in the GDT")
    seen += f" Descriptor: {found}."
    if not found.p:
        why = "the descriptor is not present"
    elif found.data and found.dpl < asks and load.register != "ss":
        return scene.diagnosis(
            "data-dpl", seen, event.pc, selector=text, dpl=found.dpl, cpl=asks
        )
    elif load.register == "tr":
        if found.type == _BUSY and not found.s:
            return scene.diagnosis("tss-busy", seen, event.pc, selector=text)
        why = f"`ltr` takes an available TSS, and this is {found.kind}"
    else:
        why = objection(load, found, event.cpl)
    return scene.diagnosis("segment-refused", seen, event.pc, selector=text, why=why)


def _beyond(scene: Scene, event: Interrupt, sel: int, seen: str, why: str) -> Diagnosis:
    """A selector whose entry the GDT does not hold, as far as the CPU knows it."""
    mend = (
        "The table ends before this entry does: call gdt_reload for it, before its"
        " selector is loaded."
    )
    if sel >> 3 >= _SLOTS:
        mend = "Nothing here has such a selector: find out where it comes from."
        if loaded(scene, event).register == "tr":
            where = "in di" if scene.wide(event.regs) else "at [esp + 4]"
            mend += f" Is it really the argument, {where}?"
    if event.regs.gdt is not None:
        why += f", and the limit in GDTR is {event.regs.gdt.limit:#x}"
    return scene.diagnosis(
        "selector-beyond",
        seen,
        event.pc,
        selector=selector_text(sel),
        why=why,
        mend=mend,
    )


def _iret(scene: Scene, event: Interrupt, name: str, seen: str) -> Diagnosis:
    """A fault at `iret`: look at the frame that it was about to pop."""
    regs = event.regs
    if scene.bits(regs) == 64 and name != "iretq":
        return scene.diagnosis("iret-narrow", seen, event.pc)
    frame = iret.frame_of(scene, regs, event.sp, name)
    shape = ", ".join(iret.names(frame))
    why = "the stack that it should lie on cannot be read"
    if frame.of_kernel or frame.words and not frame.whole:
        words = frame.words[: len(iret.names(frame))]
        shown = " ".join(f"{word:#x}" for word in words)
        seen += f" The words on the stack: {shown} (as {shape})."
        ends = "the CPU cannot take one of the words"
        ends = ends if frame.of_kernel else "the stack ends before the last of them"
        why = iret.disorder(frame) or ends
    elif frame.whole:
        shown = " ".join(f"{word:#x}" for word in frame.words)
        seen += f" The five words on the stack: {shown} (as {shape})."
        why = iret.disorder(frame)
        named = event.e & 0xFFFC
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
    if null(event):
        return _null(scene, event, seen, did)
    if _freed(event.cr2, 4):
        at = None if event.pc == event.cr2 else event.pc
        did = "went on at" if at is None else did
        return scene.diagnosis("freed", seen, at, who=who, did=did, address=address)
    entry = None if walk is None else walk.blocking(event.e)
    if walk is not None:
        seen += " Page walk: " + "; ".join(paging.explain(walk)) + "."
    text = str(entry) if entry is not None else "the page tables"
    if fetch and _without_kernel(scene, event):
        root = regs.get("CR3", 0)
        if _freed(root, 4):
            return scene.diagnosis("freed", seen, None, **_IN_CR3, address=f"{root:#x}")
        return scene.diagnosis("kernel-missing", seen, event.pc, root=f"{root:#x}")
    if not event.e & (paging.PF_P | paging.PF_U):
        key = _off_stack(scene, event)
        if key:
            sp = f"{event.sp:#x}"
            return scene.diagnosis(key, seen, event.pc, address=address, sp=sp)
    if event.e & paging.PF_P:
        user = event.e & paging.PF_U and (entry is None or not entry.user)
        key = "user-bit" if user else "page-rights"
    else:
        key = "page-absent"
    return scene.diagnosis(
        key, seen, event.pc, who=who, did=did, address=address, entry=text
    )


def root_refused(scene: Scene, regs: Registers, pc: int) -> Optional[Diagnosis]:
    """The CPU stands at a `mov cr3` of no physical address: QEMU goes no further there,
    where a CPU would raise #GP."""
    instruction = scene.instruction(regs, pc)
    if instruction is None or not str(instruction).startswith("mov cr3, "):
        return None
    root = regs.get(instruction.operands.split(", ")[1].upper(), 0)
    if not root >> _PHYSICAL_BITS:
        return None
    seen = f"The CPU stands at {scene.at(regs, pc)}."
    if _freed(root, 8):
        return scene.diagnosis("freed", seen, pc, **_IN_CR3, address=f"{root:#x}")
    return scene.diagnosis("root-no-address", seen, pc, root=f"{root:#x}")


def _without_kernel(scene: Scene, event: Interrupt) -> bool:
    """Ring 0 cannot fetch from its own image, and the tree is not the core's."""
    absent = not event.e & (paging.PF_P | paging.PF_U)
    other = scene.kernel_root not in (None, event.regs.get("CR3"))
    return absent and other and scene.place(event.cr2) is not None


def _off_stack(scene: Scene, event: Interrupt) -> str:
    """How the kernel left its stack at an absent page: the cause's name, or ""."""
    below = event.sp - event.cr2
    if not event.e & paging.PF_W:
        under = scene.walk(event.regs, event.cr2 - 1)
        ends = under is not None and under.writable
        return "stack-top" if ends and -_STACK_WORDS < below <= 0 else ""
    # A push goes below the pointer; a store may go above one that is off the stack.
    over = 0 <= below <= _STACK_SLACK
    if -_STACK_SLACK <= below < 0:
        around = scene.walk(event.regs, event.sp)
        over = around is not None and around.pa is None
    return "stack-overflow" if over else ""


def overflow(scene: Scene, event: Interrupt) -> bool:
    """The kernel ran off its stack onto a page that stays absent, to guard it."""
    absent = event.v == PF and not event.e & (paging.PF_P | paging.PF_U)
    return absent and _off_stack(scene, event) == "stack-overflow"


def null(event: Interrupt) -> bool:
    """Ring 0 used page 0, which is absent on purpose."""
    absent = event.v == PF and not event.e & (paging.PF_P | paging.PF_U)
    return absent and event.cr2 < _PAGE_0


def _freed(address: int, size: int) -> bool:
    """An address of `size` bytes is, or lies near, one made of what kfree writes."""
    return abs(address - int.from_bytes(bytes([KFREE_BYTE]) * size, "big")) < _MEMBERS


def _null(scene: Scene, event: Interrupt, seen: str, did: str) -> Diagnosis:
    """How it came to page 0: through a pointer to data, a call, or a return."""
    address = f"{event.cr2:#x}"
    if event.pc != event.cr2:
        return scene.diagnosis(
            "null-pointer", seen, event.pc, who="Ring 0", did=did, address=address
        )
    call = _call_of(scene, event)
    if call is None:
        return scene.diagnosis("null-return", seen, None, address=address)
    seen += f" On the stack lies the address behind {scene.at(event.regs, call)}."
    caller = scene.source(call)
    return scene.diagnosis("null-call", seen, call, caller=caller, address=address)


def _call_of(scene: Scene, event: Interrupt) -> Optional[int]:
    """The call whose return address lies at the stack pointer, if there is one."""
    regs = event.regs
    for word in scene.words(regs, event.sp, 1, scene.bits(regs) // 8):
        place = scene.place(word)
        before = scene.listing(regs, word - place.offset, word) if place else []
        if before and before[-1].mnemonic == "call":
            return before[-1].address
    return None


def fetches(regs: Registers, event: Interrupt) -> bool:
    """Without NX the error code has no fetch bit; then CR2 is the instruction."""
    return not regs.get("EFER", 0) & EFER_NXE and event.cr2 == event.pc
