# SPDX-License-Identifier: MIT
"""The command `stack`: the interrupt frame, and who pushed what."""

from __future__ import annotations

import gdb

from grader.evidence import iret
from kernel.gdb import frames
from kernel.gdb.machine import Command, Now, address, look, show

_NT = 1 << 14


class StackOf(Command):
    """stack [ADDR]: draw the interrupt frame on the stack, and who pushed what.

    Looks upwards from the stack pointer, or from ADDR, for what the CPU pushes: SS and
    ESP (in 64-bit mode always, else only from another ring), EFLAGS, CS, EIP, and for
    some exceptions an error code. The words below are the stub's: named after struct
    trap_frame if they can be that. Before `iret` it shows what will be popped; in ring
    3, what the next interrupt would push, and where."""

    name = "stack"

    def run(self, argument: str) -> None:
        now = look()
        if not now.protected:
            raise gdb.GdbError("Real mode: there are no frames of protected mode yet.")
        if argument:
            _draw(now, address(argument))
        elif now.regs.cpl == 3:
            _from_ring3(now)
        elif not _popping(now) and not _task(now) and not _unclaimed(now):
            _draw(now, now.regs.sp or 0)


def _stack(now: Now, sp: int) -> frames.Stack:
    return frames.Stack(now.scene, now.regs, sp, _stub_fields(), now.name)


def _stub_fields() -> tuple[str, ...]:
    """The fields of struct trap_frame below the error code, lowest first."""
    try:
        names = [field.name for field in gdb.lookup_type("struct trap_frame").fields()]
    except gdb.error:
        return ()
    return tuple(names[: names.index("error")])


def _draw(now: Now, sp: int) -> None:
    stack = _stack(now, sp)
    found = frames.find(stack)
    if found is not None:
        show(frames.draw(found))
    elif not stack.words:
        print(f"Nothing can be read at {sp:#x}: `pagewalk {sp:#x}` says why.")
    else:
        print(f"No interrupt frame lies between {sp:#x} and the end of this stack.")


def _unclaimed(now: Now) -> bool:
    """In the core's last words, which it says on a stack of their own."""
    if not now.name(now.regs.ip or 0).startswith(("unclaimed", "panic")):
        return False
    known = now.symbols
    name = "unclaimed_state.rsp" if now.size == 8 else "unclaimed_state.esp"
    places = [known.find(word) for word in (name, "unclaimed_state.vector")]
    sp, vector = (now.number(at) if at else None for at in places)
    if not sp or vector is None:
        return False
    found = frames.entered(_stack(now, sp), vector)
    if found is None:
        return False
    print("The core panicked at an interrupt that nobody handles. Of the stack before:")
    show(frames.draw(found))
    return True


def _from_ring3(now: Now) -> None:
    print("CPL 3: on this stack only the program itself has pushed anything.")
    if now.scene.tss(now.regs) is None:
        print("The next interrupt finds no TSS, so no stack: see `tss`.")
        return
    show(frames.to_come(_stack(now, now.regs.sp or 0)))


def _popping(now: Now) -> bool:
    """At `iret` into ring 3: what it is about to pop, beside what that should be."""
    sp, at = now.regs.sp or 0, now.regs.ip or 0
    instruction = now.scene.instruction(now.regs, at)
    if instruction is None or instruction.mnemonic not in iret.MNEMONICS:
        return False
    frame = iret.frame_of(now.scene, now.regs, sp, instruction.mnemonic)
    if not frame.whole:
        print(f"`{instruction}` is next, but the stack at {sp:#x} cannot be read.")
        return True
    kernel = now.regs.segments["CS"].selector
    if frame.words[1] == kernel:
        return False  # back to where the kernel was interrupted
    show(iret.exhibit(frame))
    return True


def _task(now: Now) -> bool:
    """Behind a task gate nothing is pushed but an error code."""
    state = now.scene.tss(now.regs)
    saved = {} if state is None else dict(state.saved)
    flags = now.regs.flags or 0
    if not saved.get("link") or not flags & _NT:
        return False
    print("A task gate led here: the CPU pushed an error code at most, and left the")
    print(f"registers of before in the TSS that {saved['link'] & 0xffff:#06x} names:")
    task = now.scene.tss_at(now.regs, saved["link"] & 0xFFFF)
    before = None if task is None else now.scene.tss_read(now.regs, task.base)
    for name, value in before.saved if before is not None else ():
        if name in ("eip", "cs", "eflags", "esp", "ss"):
            print(f"  {name:<7} {value:#010x}  {now.name(value)}".rstrip())
    return True


def load() -> None:
    StackOf()
