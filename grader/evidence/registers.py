# SPDX-License-Identifier: MIT
"""The CPU state as QEMU prints it, in a trace record or for `info registers`.

QEMU chooses the shape by the code that runs: 64-bit code gets RIP and 16-digit
bases, anything else (compatibility mode too) gets EIP and 8-digit bases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Optional, Union

EFLAGS_IF = 1 << 9
EFLAGS_IOPL_SHIFT = 12
EFLAGS_VM = 1 << 17
CR0_PG = 1 << 31
EFER_LMA = 1 << 10
EFER_NXE = 1 << 11

SEGMENT_NAMES = ("ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR")

# Plain strings: `re` compiles them on first use, as start-up is paid on every run.
# A number that nothing follows may be cut off.
_VALUE = r"\b([A-Z][A-Z0-9]{1,3}) ?=([0-9a-f]+)(?=\s)"
_SEGMENT = (
    r"(?m)^(ES|CS|SS|DS|FS|GS|LDT|TR) ?=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]{8})"
    r" ([0-9a-f]{8})(?: DPL=([0-3]) ([^\n]*))?"
)
_TABLE = r"(?m)^(GDT|IDT)= +([0-9a-f]+) ([0-9a-f]{8})"
_WANTED = frozenset(
    "EIP RIP EFL RFL CPL II A20 SMM HLT CR0 CR2 CR3 CR4 EFER"
    " R8 R9 R10 R11 R12 R13 R14 R15".split()
    + [p + r for p in "ER" for r in "AX BX CX DX SI DI BP SP".split()]
)


@dataclass(frozen=True)
class Segment:
    """A segment register with the hidden part that the CPU loaded.

    flags: the descriptor's second word as cached (type in bits 8-11, S in 12,
    DPL in 13-14, P in 15, L in 21, D/B in 22, G in 23).
    limit: last valid offset in bytes. kind: QEMU's own words ("CS32 [-R-]").
    """

    name: str
    selector: int
    base: int
    limit: int
    flags: int
    kind: str = ""

    @property
    def rpl(self) -> int:
        """The low two bits of the selector."""
        return self.selector & 3

    @property
    def dpl(self) -> int:
        """The privilege level in the cached descriptor."""
        return self.flags >> 13 & 3

    @property
    def present(self) -> bool:
        """P of the cached descriptor."""
        return bool(self.flags & 0x8000)

    @property
    def code(self) -> bool:
        """A code segment (S=1 and the type's top bit set)."""
        return self.flags & 0x1800 == 0x1800

    @property
    def data(self) -> bool:
        """A data segment (S=1, type's top bit clear)."""
        return self.flags & 0x1800 == 0x1000

    @property
    def long(self) -> bool:
        """L: 64-bit code."""
        return bool(self.flags & 1 << 21)

    @property
    def big(self) -> bool:
        """D/B: 32-bit operands, or a 32-bit stack."""
        return bool(self.flags & 1 << 22)

    @property
    def usable(self) -> bool:
        """Neither a null selector nor an absent descriptor."""
        return self.selector & ~3 != 0 and self.present

    @property
    def flat(self) -> bool:
        """Base 0 and, unless 64-bit code, the whole 4 GiB."""
        return self.base == 0 and (self.long or self.limit == 0xFFFFFFFF)


@dataclass(frozen=True)
class Table:
    """GDTR or IDTR. base: linear address; limit: last valid offset."""

    base: int
    limit: int


@dataclass(frozen=True)
class Registers(Mapping[str, int]):
    """A dump, as a mapping from QEMU's names ("EIP", "RAX", "CR3") to values."""

    values_by_name: Mapping[str, int]
    segments: Mapping[str, Segment] = field(default_factory=dict)
    gdt: Optional[Table] = None
    idt: Optional[Table] = None

    def __getitem__(self, name: str) -> int:
        return self.values_by_name[name]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def _either(self, narrow: str, wide: str) -> Optional[int]:
        return self.values_by_name.get(wide, self.values_by_name.get(narrow))

    def general(self, name: str) -> Optional[int]:
        """A general register by its short name: "ax" is EAX or RAX; "r8" as it is."""
        short = name.upper()
        if short.startswith("R") and short[1:].isdigit():
            return self.get(short)
        return self._either("E" + short, "R" + short)

    @property
    def ip(self) -> Optional[int]:
        """EIP or RIP."""
        return self._either("EIP", "RIP")

    @property
    def sp(self) -> Optional[int]:
        """ESP or RSP."""
        return self._either("ESP", "RSP")

    @property
    def flags(self) -> Optional[int]:
        """EFLAGS or RFLAGS."""
        return self._either("EFL", "RFL")

    @property
    def cpl(self) -> Optional[int]:
        """The current privilege level that QEMU states."""
        return self.get("CPL")

    @property
    def halted(self) -> bool:
        """The CPU sits in HLT."""
        return self.get("HLT") == 1

    @property
    def interrupts_on(self) -> bool:
        """EFLAGS.IF."""
        return bool((self.flags or 0) & EFLAGS_IF)

    @property
    def iopl(self) -> Optional[int]:
        """EFLAGS.IOPL."""
        return None if self.flags is None else self.flags >> EFLAGS_IOPL_SHIFT & 3

    @property
    def vm(self) -> bool:
        """EFLAGS.VM: virtual-8086 mode."""
        return bool((self.flags or 0) & EFLAGS_VM)

    @property
    def paging(self) -> bool:
        """CR0.PG."""
        return bool(self.get("CR0", 0) & CR0_PG)

    @property
    def long_mode(self) -> bool:
        """EFER.LMA: IA-32e mode is active, 64-bit or compatibility."""
        return bool(self.get("EFER", 0) & EFER_LMA)

    @property
    def complete(self) -> bool:
        """No part that judging needs is cut off."""
        return (
            self.ip is not None
            and self.flags is not None
            and "CPL" in self
            and all(name in self.segments for name in SEGMENT_NAMES)
            and self.gdt is not None
            and self.idt is not None
            and "CR3" in self
        )


def parse(text: Union[str, bytes]) -> Registers:
    """Read one register dump; what is missing or cut off is left out.

    text: QEMU's lines, from a trace record or from HMP `info registers`; when
    several dumps stand in it, the first counts.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    text = text.replace("\r", "")
    second = text.find("\nCPU#1")
    if second >= 0:
        text = text[:second]
    # Segment lines hold words that look like registers, debug lines do not matter.
    head, _, rest = text.partition("\nES =")
    tail = rest[rest.find("\nCR0=") :] if "\nCR0=" in rest else ""
    cut = tail.find("\nDR0=")
    efer = tail.find("\nEFER=")
    if cut >= 0:
        tail = tail[:cut] + (tail[efer : efer + 30] if efer >= 0 else "")
    values: dict[str, int] = {}
    for name, digits in re.findall(_VALUE, head + tail):
        if name in _WANTED and name not in values:
            values[name] = int(digits, 16)
    segments: dict[str, Segment] = {}
    for name, selector, base, limit, flags, _, kind in re.findall(_SEGMENT, text):
        if name not in segments:
            segments[name] = Segment(
                name,
                int(selector, 16),
                int(base, 16),
                int(limit, 16),
                int(flags, 16),
                kind.strip(),
            )
    tables: dict[str, Table] = {}
    for name, base, limit in re.findall(_TABLE, text):
        tables.setdefault(name, Table(int(base, 16), int(limit, 16)))
    return Registers(values, segments, tables.get("GDT"), tables.get("IDT"))
