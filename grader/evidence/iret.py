# SPDX-License-Identifier: MIT
"""A fault at `iret`: which of the words that it pops is wrong, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from grader.evidence.descriptors import SegmentDescriptor
from grader.evidence.descriptors import selector as selector_text
from grader.evidence.exhibit import Exhibit, Row
from grader.evidence.paging import PAGE_BYTES, canonical
from grader.evidence.registers import EFLAGS_IF, EFLAGS_VM, Registers
from grader.evidence.scene import Scene

MNEMONICS = ("iret", "iretd", "iretq")
WORDS = 5
_WORDS_OF_RING_0 = 3  # in 32-bit code, if the ring stays the same
_BEGINS_WITH_CS = (
    "it begins with CS: the address to go to is missing, or already popped"
)
EFLAGS_FIXED, EFLAGS_NT = 1 << 1, 1 << 14
_IP, _CS, _FLAGS, _SP, _SS = range(WORDS)
_AROUND = 3  # how many words too many are looked for


@dataclass(frozen=True)
class Frame:
    """The five words from the stack pointer up, and what the tables say of them.

    size: bytes of a word, by the instruction: `iretd` pops 4 in 64-bit code too. words:
    fewer, but three at least, if the stack ends there.
    """

    scene: Scene
    regs: Registers
    sp: int
    size: int
    words: Sequence[int]

    @property
    def narrow(self) -> bool:
        """The words are narrower than the code is wide."""
        return self.size < self.scene.bits(self.regs) // 8

    @property
    def cs(self) -> int:
        return self.words[_CS] & 0xFFFF

    @property
    def ss(self) -> int:
        return self.words[_SS] & 0xFFFF

    @property
    def whole(self) -> bool:
        """All five words are there."""
        return len(self.words) == WORDS

    @property
    def of_kernel(self) -> bool:
        """It was to lead back to ring 0: only the kernel's selectors stand there."""
        ring_3 = any(self.code(word) or self.data(word) for word in self.words)
        return self.kernel_cs_at is not None and not ring_3

    @property
    def kernel_cs_at(self) -> Optional[int]:
        """Which of the words that every `iret` pops is the kernel's CS."""
        for position, word in enumerate(self.words[:_WORDS_OF_RING_0]):
            if word & 3 == 0 and _code(self._descriptor(word), 0):
                return position
        return None

    def code(self, word: int) -> bool:
        """The word is a selector of ring 3 that a code segment of ring 3 answers."""
        return word & 3 == 3 and _code(self._descriptor(word), 3)

    def data(self, word: int) -> bool:
        """The word is a selector of ring 3 for a stack of ring 3."""
        return word & 3 == 3 and _stack(self._descriptor(word), 3)

    def names(self, word: int) -> bool:
        """The word is a selector of some present segment: no stray value."""
        found = self._descriptor(word)
        return found is not None and found.s == 1 and found.p == 1

    def _descriptor(self, word: int) -> Optional[SegmentDescriptor]:
        if word > 0xFFFF:
            return None
        return self.scene.descriptor(self.regs, word)


def frame_of(scene: Scene, regs: Registers, sp: int, mnemonic: str) -> Frame:
    """What the instruction of that name is about to pop."""
    size = 8 if mnemonic == "iretq" else 4
    counts = range(WORDS, _WORDS_OF_RING_0 - 1, -1)
    tried = (scene.words(regs, sp, count, size) for count in counts)
    return Frame(scene, regs, sp, size, next(filter(None, tried), []))


def _code(found: Optional[SegmentDescriptor], ring: int) -> bool:
    return found is not None and found.code and found.p == 1 and found.dpl == ring


def _stack(found: Optional[SegmentDescriptor], ring: int) -> bool:
    return found is not None and found.writable and found.p == 1 and found.dpl == ring


def names(frame: Frame) -> tuple[str, ...]:
    """The words from low to high addresses."""
    letter = "R" if frame.size == 8 else "E"
    every = (f"{letter}IP", "CS", f"{letter}FLAGS", f"{letter}SP", "SS")
    short = frame.of_kernel and frame.size < 8
    return every[:_WORDS_OF_RING_0] if short else every


def disorder(frame: Frame) -> str:
    """How the words stand instead of where they belong, or ""."""
    words, size = frame.words, frame.size
    if frame.of_kernel:
        return _of_kernel(frame)
    if not frame.whole:
        return _BEGINS_WITH_CS if any(map(frame.code, words[:1])) else ""
    more = frame.scene.words(frame.regs, frame.sp, WORDS + _AROUND, size)
    if frame.code(words[_CS]):
        if frame.code(words[_SS]):
            return "the word in the place of SS names the code segment, like CS"
        return _between(frame, more)
    if frame.code(words[_SS]) and frame.data(words[_CS]):
        return "CS and SS are swapped"
    if frame.code(words[_IP]) and words[_CS] > 0xFFFF and frame.data(words[_SS]):
        return "the address and CS are swapped"
    if frame.data(words[_IP]) and frame.code(words[_SP]):
        return "its words stand in the reverse order: what is popped first goes last"
    if frame.code(words[_FLAGS]) and frame.data(words[_SS]):
        return "CS and the flags are swapped"
    extras = () if frame.names(words[_CS]) else range(1, len(more) - WORDS + 1)
    for extra in extras:
        if frame.code(more[extra + _CS]) and frame.data(more[extra + _SS]):
            count = "one word" if extra == 1 else f"{extra} words"
            shown = " ".join(f"{word:#x}" for word in more[:extra])
            return (
                f"{count} too many on top ({shown}): the frame itself begins"
                f" {extra * size} bytes higher"
            )
    if frame.code(words[_IP]) and frame.data(words[_SP]):
        return _BEGINS_WITH_CS
    return ""


def _of_kernel(frame: Frame) -> str:
    """How a frame that leads back to ring 0 is off, by where its CS stands."""
    if frame.kernel_cs_at == _IP:
        return _BEGINS_WITH_CS
    if frame.kernel_cs_at == _FLAGS:
        return f"one word too many on top ({frame.words[_IP]:#x})"
    return ""


def _between(frame: Frame, more: Sequence[int]) -> str:
    """A word too many or too few behind a sound CS."""
    if frame.names(frame.words[_SS]):
        return ""
    stands = f"{frame.words[_SS]:#x} stands in the place of SS"
    if frame.data(frame.words[_SP]):
        place = names(frame)[_SP]
        return (
            f"SS is in the place of {place}, and {stands}: they are swapped, or a word"
            " is missing"
        )
    for extra in range(1, len(more) - WORDS + 1):
        if frame.data(more[_SS + extra]):
            count = "one word" if extra == 1 else f"{extra} words"
            return f"{count} too many between CS and SS, so that {stands}"
    return ""


def culprit(frame: Frame) -> str:
    """The first word that the CPU cannot take, when the error code names none."""
    words = frame.words
    found = disorder(frame)
    if found:
        return found
    flags = frame.regs.flags or 0
    if flags & EFLAGS_NT:
        return "NT is set in the flags, so `iret` would return to another task"
    shown = f"the word in the place of CS is {words[_CS]:#x}"
    if words[_CS] > 0xFFFF:
        return f"{shown}, which is no selector"
    if words[_CS] & ~3 == 0:
        return f"{shown}, a null selector"
    if words[_CS] & 4:
        return f"{shown}, whose bit 2 (TI) names the LDT, and there is none"
    code = frame.scene.descriptor(frame.regs, frame.cs)
    if code is not None and code.code and code.dpl == 0 and words[_SS] & 3 == 3:
        return f"its CS {words[_CS]:#x} is the kernel's, which does not lead to ring 3"
    if not frame.code(words[_CS]):
        return f"{shown}, which names no code segment of ring 3"
    if words[_SS] & 0xFFFC == 0:
        return f"the word in the place of SS is {words[_SS]:#x}, a null selector"
    if not frame.data(words[_SS]):
        return (
            f"the word in the place of SS is {words[_SS]:#x}, which names no stack"
            " segment of ring 3"
        )
    if frame.size == 8 and not canonical(words[_IP]):
        return f"the address to go to, {words[_IP]:#x}, is not canonical"
    return "the CPU cannot take one of the words"


def exhibit(frame: Frame) -> Exhibit:
    """The frame word by word beside what it should be."""
    scene, regs, words = frame.scene, frame.regs, frame.words
    size = frame.size
    code = _name(scene.selector_of(regs, code=True, ring=3), "code")
    data = _name(scene.selector_of(regs, code=False, ring=3), "data")
    flags = words[_FLAGS]
    meanings = (
        scene.source(words[_IP]) or "where it goes on",
        _selector(frame, words[_CS]),
        _flags(flags),
        "the stack of ring 3",
        _selector(frame, words[_SS]),
    )
    wanted = ("an address of ring 3", code, "bit 1 = 1, IF=1, IOPL=0", "", data)
    asked = EFLAGS_FIXED | EFLAGS_IF
    bad_flags = flags & asked != asked or flags >> 22 or flags & EFLAGS_VM
    wrong = (
        not canonical(words[_IP]) or words[_IP] < PAGE_BYTES,  # page 0 is absent
        not frame.code(words[_CS]),
        bool(bad_flags) or flags >> 12 & 3 != 0,
        frame.data(words[_SP]) or frame.code(words[_SP]),
        not frame.data(words[_SS]),
    )
    rows = tuple(
        Row((name, f"{frame.sp + n * size:#x}", f"{words[n]:#x}", *texts), bool(bad))
        for n, (name, *texts, bad) in enumerate(
            zip(names(frame), meanings, wanted, wrong)
        )
    )
    columns = ("word", "at", "value", "meaning", "should be")
    title = "The frame that `iret` pops, from the stack pointer up"
    note = disorder(frame)
    if frame.narrow:
        note = "`iretd` pops words of 4 bytes; those of the frame are 8 bytes wide."
    return Exhibit("frame", title, columns, rows, note)


def _name(value: Optional[int], kind: str) -> str:
    text = f"the user {kind} selector"
    return text if value is None else f"{text}, {value:#06x}"


def _selector(frame: Frame, word: int) -> str:
    if word > 0xFFFF:
        return "no selector: larger than 16 bits"
    if word & 0xFFFC == 0:
        return "the null selector"
    found = frame.scene.descriptor(frame.regs, word)
    kind = "no such entry" if found is None else f"{found.kind}, DPL {found.dpl}"
    return f"{selector_text(word)}: {kind}"


def _flags(value: int) -> str:
    if value >> 22:
        return "no flags: bits beyond 21 are set"
    words = f"IF={int(bool(value & EFLAGS_IF))} IOPL={value >> 12 & 3}"
    words += " VM=1" if value & EFLAGS_VM else ""
    return words + (" NT=1" if value & EFLAGS_NT else "")
