# SPDX-License-Identifier: MIT
"""Everything known about one run, with the look-ups that explaining it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Iterator, Optional, Sequence

from grader.evidence import disasm
from grader.evidence.descriptors import (
    GateDescriptor,
    SegmentDescriptor,
    TssDescriptor,
)
from grader.evidence.exhibit import Exhibit
from grader.evidence.memory import Physical, Space
from grader.evidence.paging import KERNEL_ROOT, Walk
from grader.evidence.registers import Registers
from grader.evidence.signatures import SIGNATURES
from grader.evidence.symbols import Lookup, Place
from grader.evidence.trace import Event, Interrupt, interrupts
from grader.evidence.tss import TSS_BYTES, Tss

_CALLS = 32  # of a chain of frames, that are looked at
_GDT_BYTES = 512  # how much of a GDT is searched

MNEMONICS = {
    0: "#DE divide error",
    1: "#DB debug",
    2: "NMI",
    3: "#BP breakpoint",
    4: "#OF overflow",
    5: "#BR bound range",
    6: "#UD invalid opcode",
    7: "#NM no FPU",
    8: "#DF double fault",
    10: "#TS invalid TSS",
    11: "#NP segment not present",
    12: "#SS stack fault",
    13: "#GP general protection",
    14: "#PF page fault",
    16: "#MF x87 error",
    17: "#AC alignment check",
    18: "#MC machine check",
    19: "#XM SIMD error",
}


def vector_name(vector: int) -> str:
    """ "#GP general protection (0x0d)", "vector 0x80"."""
    name = MNEMONICS.get(vector)
    return f"{name} ({vector:#04x})" if name else f"vector {vector:#04x}"


@dataclass(frozen=True)
class Diagnosis:
    """What went wrong, for the student.

    cause: the likely mistake; seen: what the machine did; hint: the mend; read:
    an SDM title; source: "function (file:line)" or ""; key: the name of the
    mistake in the catalogue, or of the abnormal end; exhibits: what the CPU met,
    decoded, most telling first.
    """

    cause: str
    seen: str
    hint: str
    read: str
    source: str = ""
    key: str = ""
    exhibits: tuple[Exhibit, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A run as plain values; all but arch and end may be missing.

    end: the name of how it ended ("TRIPLE_FAULT"); registers and ram: the state
    at the end; detail and stderr: the machine's and QEMU's words.
    """

    arch: str
    end: str = ""
    events: Sequence[Event] = ()
    registers: Optional[Registers] = None
    ram: Optional[Physical] = field(default=None, repr=False)
    symbols: Optional[Lookup] = field(default=None, repr=False)
    console: bytes = field(default=b"", repr=False)
    stderr: str = ""
    detail: str = ""
    truncated: bool = False

    @cached_property
    def interrupts(self) -> list[Interrupt]:
        """The deliveries, in order."""
        return interrupts(list(self.events))

    def wide(self, regs: Registers) -> bool:
        """Whether tables have their long-mode form."""
        return regs.long_mode

    def space(self, regs: Registers) -> Optional[Space]:
        """Memory as the CPU saw it with these registers; None if that is not known."""
        cr3 = regs.get("CR3") if regs.paging else None
        if self.ram is None or regs.paging and cr3 is None:
            return None
        return Space(self.ram, "x86_64" if self.wide(regs) else "i386", cr3)

    def _bytes(self, regs: Registers, address: int, size: int) -> bytes:
        space = self.space(regs)
        raw = b"" if space is None else space.read(address, size)
        return raw if len(raw) == size else b""

    def gate(self, regs: Registers, vector: int) -> Optional[GateDescriptor]:
        """An IDT entry; None if unreadable or beyond the limit."""
        wide = self.wide(regs)
        size = 16 if wide else 8
        if regs.idt is None or vector * size + size - 1 > regs.idt.limit:
            return None
        raw = self._bytes(regs, regs.idt.base + vector * size, size)
        return GateDescriptor.decode(raw, wide=wide) if raw else None

    def descriptor(self, regs: Registers, sel: int) -> Optional[SegmentDescriptor]:
        """A GDT entry; None if unreadable, null, in the LDT or beyond the limit."""
        if regs.gdt is None or sel & 4 or sel < 4 or (sel | 7) > regs.gdt.limit:
            return None
        raw = self._bytes(regs, regs.gdt.base + (sel & ~7), 8)
        return SegmentDescriptor.decode(raw) if raw else None

    def tss_at(self, regs: Registers, sel: int) -> Optional[TssDescriptor]:
        """The TSS descriptor that a selector names; None as for a segment."""
        wide = self.wide(regs)
        size = 16 if wide else 8
        if regs.gdt is None or sel & 4 or sel < 4:
            return None
        if (sel & ~7) + size - 1 > regs.gdt.limit:
            return None
        raw = self._bytes(regs, regs.gdt.base + (sel & ~7), size)
        return TssDescriptor.decode(raw, wide=wide) if raw else None

    def tss(self, regs: Registers) -> Optional[Tss]:
        """The TSS behind TR."""
        task = regs.segments.get("TR")
        if task is None or task.selector < 4:
            return None
        return self.tss_read(regs, task.base)

    def tss_read(self, regs: Registers, base: int) -> Optional[Tss]:
        """The TSS at a linear address."""
        raw = self._bytes(regs, base, TSS_BYTES)
        return Tss.decode(raw, wide=self.wide(regs)) if raw else None

    def walk(self, regs: Registers, va: int) -> Optional[Walk]:
        """The page walk of an address, or None (paging off, no RAM)."""
        space = self.space(regs)
        return None if space is None else space.walk(va)

    def words(self, regs: Registers, address: int, count: int, size: int) -> list[int]:
        """Stack words of `size` bytes from an address up; none if one is missing."""
        raw = self._bytes(regs, address, size * count)
        cut = range(0, len(raw), size)
        return [int.from_bytes(raw[n : n + size], "little") for n in cut]

    def bits(self, regs: Registers) -> int:
        """The code segment's mode: 16, 32 or 64."""
        code = regs.segments.get("CS")
        if code is None:
            return 64 if self.arch == "x86_64" else 32
        if regs.long_mode and code.long:
            return 64
        return 32 if code.big else 16

    def instruction(self, regs: Registers, pc: int) -> Optional[disasm.Instruction]:
        """The instruction at a linear address, from memory at the end."""
        space = self.space(regs)
        code = b"" if space is None else space.read(pc, disasm.MAX_INSTRUCTION_BYTES)
        return disasm.one(code, pc, self.bits(regs)) if code else None

    def zeros(self, regs: Registers, pc: int) -> bool:
        """Whether the instruction at a linear address is two zero bytes."""
        raw = self._bytes(regs, pc, 2)
        return bool(raw) and not any(raw)

    def listing(
        self, regs: Registers, start: int, end: int
    ) -> list[disasm.Instruction]:
        """The instructions from start up to end, which must fit exactly; else none."""
        space = self.space(regs)
        code = b"" if space is None else space.read(start, end - start)
        found = disasm.many(code, start, self.bits(regs))
        whole = sum(one.size for one in found) == end - start
        return found if whole else []

    def addresses(self, regs: Registers, pc: int) -> list[int]:
        """The linear addresses that the instruction at pc works on in memory."""
        space = self.space(regs)
        code = b"" if space is None else space.read(pc, disasm.MAX_INSTRUCTION_BYTES)
        found = [] if not code else disasm.memory(code, pc, self.bits(regs))
        known = {name.lower(): value for name, value in regs.items()}
        return [place.address(known) for place in found]

    def calls(self, regs: Registers) -> Iterator[Place]:
        """Where the CPU is, and where it was called from, the innermost first: what the
        chain of frame pointers tells, as long as it leads up the stack."""
        size = 8 if self.bits(regs) == 64 else 4
        address, frame, below = regs.ip, regs.general("bp") or 0, -1
        for _ in range(_CALLS):
            found = self.place(address)
            if found is not None:
                yield found
            words = self.words(regs, frame, 2, size) if frame > below else []
            if not words:
                return
            below, frame = frame, words[0]
            address = words[1] - 1  # the call itself, not what comes after it

    def selector_of(self, regs: Registers, *, code: bool, ring: int) -> Optional[int]:
        """The selector of the GDT's first usable segment of that kind and ring."""
        slots = 0 if regs.gdt is None else min(regs.gdt.limit + 1, _GDT_BYTES) // 8
        for index in range(1, slots):
            found = self.descriptor(regs, index * 8)
            if found is None or not found.p or found.dpl != ring:
                continue
            if found.code if code else found.writable:
                return index * 8 | ring
        return None

    def place(self, address: Optional[int]) -> Optional[Place]:
        """The function and line of an address."""
        if self.symbols is None or address is None:
            return None
        return self.symbols.at(address)

    @property
    def kernel_root(self) -> Optional[int]:
        """The tree that the kernel came up with, by the core's own table."""
        if self.symbols is None:
            return None
        return self.symbols.find(KERNEL_ROOT[self.arch])

    def source(self, address: Optional[int]) -> str:
        """ "gdt_set+0x12 (gdt.c:42)", or ""."""
        place = self.place(address)
        return "" if place is None else str(place)

    def line(self, address: int) -> str:
        """ "gdt.c:42", or ""."""
        place = self.place(address)
        return "" if place is None else place.source

    def at(self, regs: Registers, pc: int) -> str:
        """ "`mov ds, ax` at 0x100034, in gdt_load (gdt.asm:12)"."""
        instruction = self.instruction(regs, pc)
        text = f"`{instruction}` at {pc:#x}" if instruction else f"{pc:#x}"
        source = self.source(pc)
        return f"{text}, in {source}" if source else text

    def diagnosis(
        self, key: str, seen: str, pc: Optional[int], **facts: object
    ) -> Diagnosis:
        """An entry of the catalogue, filled in."""
        return signature(key, seen, self.source(pc), **facts)


def signature(key: str, seen: str, source: str = "", **facts: object) -> Diagnosis:
    """A known mistake by name; facts fill the braces of its texts.

    Raises KeyError for an unknown name or a missing fact.
    """
    entry = SIGNATURES[key]
    return Diagnosis(
        entry.cause.format_map(facts),
        seen,
        entry.hint.format_map(facts),
        entry.read,
        source,
        key,
    )
