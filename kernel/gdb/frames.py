# SPDX-License-Identifier: MIT
"""What an interrupt left on a stack: found by what the CPU must have pushed, and drawn.

    high addresses     SS ESP        only if it came from another ring; in 64-bit mode
                                     always
                       EFLAGS CS EIP always
                       error code    only some exceptions
    low addresses      what the entry stub and the functions behind it pushed

Only the CPU's own words are relied upon: a CS that names a code segment with its own
privilege level, flags that flags can have, an SS that goes with that CS. What a stub
has pushed below is named after struct trap_frame where it can be that.
SDM 3A "Exception- or Interrupt-Handler Procedures" (6.12.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from grader.evidence import paging
from grader.evidence.descriptors import selector
from grader.evidence.exhibit import Exhibit, Row
from grader.evidence.registers import Registers
from grader.evidence.scene import Scene, vector_name

WITH_ERROR_CODE = (8, 10, 11, 12, 13, 14, 17, 21)
SEARCH_BYTES = 4 * paging.PAGE_BYTES
CALLS_SHOWN = 16  # words of the functions behind the stub
_IP, _CS, _FLAGS, _SP, _SS = range(5)
# Bit 1 is always set; bits 3, 5, 15, VM, VIF, VIP and all above 21 never are.
_FLAGS_SET, _FLAGS_CLEAR = 0x2, ~0x257FD7
_INT, _INT_BYTES = 0xCD, 2
_NAMED = ((0, "CF"), (6, "ZF"), (8, "TF"), (9, "IF"), (10, "DF"), (14, "NT"))


@dataclass(frozen=True)
class Stack:
    """The words of a stack from its pointer up, as far as they can be read.

    stub: the fields of struct trap_frame that an entry stub pushes, from low addresses
    up, `vector` last; the error code lies above it. name: an address in the kernel's
    own terms, or "".
    """

    scene: Scene
    regs: Registers
    sp: int
    stub: Sequence[str]
    name: Callable[[int], str]

    @property
    def size(self) -> int:
        """Bytes of a word."""
        return 8 if self.scene.wide(self.regs) else 4

    @cached_property
    def words(self) -> list[int]:
        """From the stack pointer up."""
        space = self.scene.space(self.regs)
        raw = b"" if space is None else space.read(self.sp, SEARCH_BYTES)
        whole = len(raw) // self.size
        return [
            int.from_bytes(raw[n * self.size : (n + 1) * self.size], "little")
            for n in range(whole)
        ]


@dataclass(frozen=True)
class Found:
    """A frame on a stack. index: of the word with EIP or RIP, counted from the pointer.

    vector: None if nothing tells it. how: what tells it. stub: how many words below
    are those of struct trap_frame, the error code not counted.
    """

    stack: Stack
    words: Sequence[int]
    index: int
    vector: Optional[int] = None
    how: str = ""
    stub: int = 0

    @property
    def ring(self) -> int:
        """Of the code that was interrupted."""
        return self.words[self.index + _CS] & 3

    @property
    def pushed(self) -> int:
        """How many words the CPU pushed, the error code not counted."""
        return 5 if self.stack.size == 8 or self.ring else 3

    @property
    def coded(self) -> bool:
        """The CPU pushed an error code; `int n` pushes none, whatever n is."""
        return self.vector in WITH_ERROR_CODE

    @property
    def end(self) -> int:
        """One past the highest byte."""
        return self.stack.sp + (self.index + self.pushed) * self.stack.size


def find(stack: Stack) -> Optional[Found]:
    """The innermost frame on the stack; None if there is none."""
    words = stack.words
    handler = [v for v, at in _handlers(stack).items() if at == stack.regs.ip]
    if len(handler) == 1 and stack.sp == stack.regs.sp:
        index = int(handler[0] in WITH_ERROR_CODE)
        if _basic(stack, words, index):
            how = "the CPU stands at the first instruction of that gate's handler"
            return Found(stack, words, index, handler[0], how)
    for index in range(len(words) - 2):
        if _frame_at(stack, words, index):
            return _told(stack, words, index)
    return None


def entered(stack: Stack, vector: int) -> Optional[Found]:
    """The frame of that vector, if the pointer is as the CPU left it."""
    words, index = stack.words, int(vector in WITH_ERROR_CODE)
    if index + 5 > len(words):
        return None
    return Found(stack, words, index, vector, "as the entry has noted")


def _handlers(stack: Stack) -> dict[int, int]:
    gates = ((v, stack.scene.gate(stack.regs, v)) for v in range(256))
    return {v: gate.offset for v, gate in gates if gate is not None and gate.p}


def _basic(stack: Stack, words: Sequence[int], index: int) -> bool:
    """Do a CS and flags stand where the CPU pushes them above this word?"""
    if index + _FLAGS >= len(words):
        return False
    _, cs, flags = words[index : index + 3]
    if cs > 0xFFFF or not flags & _FLAGS_SET or flags & _FLAGS_CLEAR:
        return False
    code = stack.scene.descriptor(stack.regs, cs)
    if code is None or not code.code or not code.p or code.dpl != cs & 3:
        return False
    return index + _SS < len(words) or stack.size == 4 and not cs & 3


def _frame_at(stack: Stack, words: Sequence[int], index: int) -> bool:
    """May the CPU have pushed the words from here up, wherever they lie?"""
    if not _basic(stack, words, index):
        return False
    ip, cs = words[index : index + 2]
    if not cs & 3 and stack.size == 4:
        # A jump astray is an address of nothing: then the stub's words must tell.
        whole = _stub_words(stack, words, index, 14) == len(stack.stub)
        return bool(stack.name(ip)) or whole
    sp, ss = words[index + _SP], words[index + _SS]
    if not cs & 3:
        # In 64-bit mode the CPU aligns the stack before it pushes.
        end = stack.sp + (index + 5) * stack.size
        if end % 16 or not stack.name(ip) and sp & -16 != end:
            return False
    if not cs & 3 and ss == 0:
        return True
    data = stack.scene.descriptor(stack.regs, ss) if ss <= 0xFFFF else None
    return data is not None and data.writable and ss & 3 == cs & 3


def _told(stack: Stack, words: Sequence[int], index: int) -> Found:
    """Which vector it was: by the stub that runs, by what it pushed, by `int n`."""
    running = [stack.regs.ip or 0] if stack.sp == stack.regs.sp else []
    names = {_function(stack, at) for at in [*running, *words[:index]]} - {""}
    reached = [v for v, at in _handlers(stack).items() if _function(stack, at) in names]
    if len(reached) == 1:
        how = "its handler is what runs, or what called"
        stub = _stub_words(stack, words, index, reached[0])
        return Found(stack, words, index, reached[0], how, stub)
    stub = _stub_words(stack, words, index, words[index - 2]) if index > 1 else 0
    if stub and (words[index - 2] or _divides(stack, words[index])):
        how = "the words below the CPU's are those of struct trap_frame"
        return Found(stack, words, index, words[index - 2], how, stub)
    space = stack.scene.space(stack.regs)
    before = b"" if space is None else space.read(words[index] - _INT_BYTES, 2)
    if len(before) == _INT_BYTES and before[0] == _INT:
        how = f"`int {before[1]:#x}` stands before the address to go back to"
        return Found(stack, words, index, before[1], how)
    return Found(stack, words, index)


def _divides(stack: Stack, ip: int) -> bool:
    """A vector of 0 may be any two words of zeros, unless there is a division."""
    found = stack.scene.instruction(stack.regs, ip)
    return found is not None and found.mnemonic in ("div", "idiv")


def _function(stack: Stack, address: int) -> str:
    return stack.name(address).split(" ")[0].split("+")[0]


def _stub_words(stack: Stack, words: Sequence[int], index: int, vector: int) -> int:
    """How many words of struct trap_frame lie below the error code, pushed so far."""
    if not stack.stub or index < 2 or words[index - 2] != vector or vector > 255:
        return 0
    error = words[index - 1]
    if error > 0xFFFF or error and vector not in WITH_ERROR_CODE:
        return 0
    return min(len(stack.stub), index - 1)


def draw(found: Found) -> Exhibit:
    """The frame, high addresses first, with who pushed each word."""
    stack, words, index = found.stack, found.words, found.index
    cpu = "CPU" if found.vector is not None else "CPU, or code"
    rows = [
        _row(stack, at, words[at], name, cpu, meaning)
        for at, name, meaning in _cpu(found)
    ]
    below = index
    if found.coded or found.stub:
        below -= 1
        who, what = "CPU", _error(found, words[below])
        if not found.coded:
            who, what = "stub", "in the place of an error code: this vector has none"
        rows.append(_row(stack, below, words[below], "error", who, what))
    for name in reversed(stack.stub[len(stack.stub) - found.stub :]):
        below -= 1
        text = vector_name(words[below]) if name == "vector" else ""
        rows.append(_row(stack, below, words[below], name, "stub", text))
    who = "function" if found.stub else "stub or function"
    for at in range(below - 1, max(below - 1 - CALLS_SHOWN, -1), -1):
        rows.append(_row(stack, at, words[at], "", who, stack.name(words[at])))
    left = max(below - CALLS_SHOWN, 0)
    columns = ("address", "value", "word", "pushed by", "")
    title = f"A frame that leads to ring {found.ring}"
    if found.vector is not None:
        title = f"An interrupt from ring {found.ring}: {vector_name(found.vector)}"
        title += f"\n  ({found.how})"
    return Exhibit("frame", title, columns, tuple(rows), _note(found, left))


def _cpu(found: Found) -> list[tuple[int, str, str]]:
    """The CPU's words from high to low: index, name, meaning."""
    words, index, stack = found.words, found.index, found.stack
    r = "R" if stack.size == 8 else "E"
    ip, cs, flags = words[index : index + 3]
    rows = [
        (index + _IP, f"{r}IP", stack.name(ip) or f"an address of ring {found.ring}"),
        (index + _CS, "CS", selector(cs)),
        (index + _FLAGS, f"{r}FLAGS", flags_in_words(flags)),
    ]
    if found.pushed == 5:
        rows.append((index + _SP, f"{r}SP", f"the stack of ring {found.ring}"))
        rows.append((index + _SS, "SS", selector(words[index + _SS])))
    return rows[::-1]


def flags_in_words(flags: int) -> str:
    """ "IF ZF IOPL=0"."""
    names = [name for bit, name in _NAMED if flags >> bit & 1]
    return " ".join([*names, f"IOPL={flags >> 12 & 3}"])


def _error(found: Found, error: int) -> str:
    if found.vector == 14:
        return paging.error_code(error)
    if found.vector == 8 or not error & 0xFFFF:
        return "it names no descriptor"
    table = "IDT" if error & 2 else "LDT" if error & 4 else "GDT"
    return f"entry {error >> 3 & 0x1FFF:#x} of the {table}"


def _row(stack: Stack, at: int, value: int, name: str, who: str, text: str) -> Row:
    where = f"{stack.sp + at * stack.size:#x}"
    digits = stack.size * 2
    mark = f"{text}  <- stack pointer".strip() if at == 0 else text
    return Row((where, f"0x{value:0{digits}x}", name, who, mark))


def _note(found: Found, left: int) -> str:
    stack, notes = found.stack, []
    if left:
        notes.append(
            f"{left} more words lie below, of the functions called since: `bt`."
        )
    if found.vector is None:
        notes.append(
            "Nothing tells the vector: the CPU may have pushed this, and below it an\n"
            "error code; or code has built it for `iret`."
        )
    state = stack.scene.tss(stack.regs)
    if found.ring == 3 and state is not None:
        name = "rsp0" if state.wide else "esp0"
        if found.end == state.stack0:
            notes.append(f"It ends at {name} = {found.end:#x}, as the TSS says.")
        elif found.end not in state.ist:
            notes.append(f"It ends at {found.end:#x}; {name} is {state.stack0:#x} now.")
    above = range(found.index + found.pushed, len(found.words) - 2)
    further = next((n for n in above if _frame_at(stack, found.words, n)), None)
    if further is not None:
        where = stack.sp + further * stack.size
        notes.append(f"Another frame lies further up: stack {where:#x}")
    return "\n".join(notes)


def to_come(stack: Stack) -> Exhibit:
    """What the CPU would push now, from ring 3, and where."""
    regs, state = stack.regs, stack.scene.tss(stack.regs)
    assert state is not None
    r, name = ("R", "rsp0") if state.wide else ("E", "esp0")
    values = (
        ("SS", regs.segments["SS"].selector, selector(regs.segments["SS"].selector)),
        (f"{r}SP", regs.sp or 0, "the stack of ring 3"),
        (f"{r}FLAGS", regs.flags or 0, flags_in_words(regs.flags or 0)),
        ("CS", regs.segments["CS"].selector, selector(regs.segments["CS"].selector)),
        (f"{r}IP", regs.ip or 0, "an address of ring 3"),
    )
    digits = stack.size * 2
    rows = tuple(
        Row(
            (f"{state.stack0 - n * stack.size:#x}", f"0x{value:0{digits}x}", word, text)
        )
        for n, (word, value, text) in enumerate(values, 1)
    )
    title = f"The next interrupt would push this, down from {name} = {state.stack0:#x}"
    return Exhibit("frame", title, ("address", "value", "word", ""), rows)
