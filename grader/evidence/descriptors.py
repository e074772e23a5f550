# SPDX-License-Identifier: MIT
"""Segment, TSS and gate descriptors: decode, encode, and say what they mean.

    31        24 23 22 21 20 19    16 15 14 13 12 11    8 7         0
    +-----------+--+--+--+--+--------+--+-----+--+-------+-----------+
    | base high | G|DB| L|AV| limit h| P| DPL | S| type  | base mid  |  +4
    +-----------+--+--+--+--+--------+--+-----+--+-------+-----------+
    |         base 15:0              |         limit 15:0            |  +0
    +--------------------------------+-------------------------------+

SDM 3A "Segment Descriptors" (3.4.5), "TSS Descriptor" (7.2.2), "IDT Descriptors"
(6.11). In long mode TSS descriptors and gates are 16 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Union

READ_SEGMENT = 'SDM 3A "Segment Descriptors" (3.4.5)'
READ_TSS_DESCRIPTOR = 'SDM 3A "TSS Descriptor" (7.2.2)'
READ_TSS_DESCRIPTOR_64 = 'SDM 3A "TSS Descriptor in 64-bit mode" (7.2.3)'
READ_GATE = 'SDM 3A "IDT Descriptors" (6.11)'
READ_GATE_64 = 'SDM 3A "64-Bit Mode IDT" (6.14.1)'

SYSTEM_TYPES = {
    0x1: "16-bit TSS (available)",
    0x2: "LDT",
    0x3: "16-bit TSS (busy)",
    0x4: "16-bit call gate",
    0x5: "task gate",
    0x6: "16-bit interrupt gate",
    0x7: "16-bit trap gate",
    0x9: "TSS (available)",
    0xB: "TSS (busy)",
    0xC: "call gate",
    0xE: "interrupt gate",
    0xF: "trap gate",
}


def _number(raw: Union[bytes, int], size: int) -> int:
    if isinstance(raw, int):
        return raw
    if len(raw) < size:
        raise ValueError(f"a descriptor of {size} bytes, got {len(raw)}")
    return int.from_bytes(raw[:size], "little")


@dataclass(frozen=True)
class SegmentDescriptor:
    """The eight bytes of a GDT entry, field by field.

    base: linear address; limit: the raw 20 bits; type: 4 bits; s: 1 for code and
    data, 0 for system descriptors.
    """

    base: int = 0
    limit: int = 0
    type: int = 0
    s: int = 0
    dpl: int = 0
    p: int = 0
    avl: int = 0
    long: int = 0
    db: int = 0
    g: int = 0

    @classmethod
    def decode(cls, raw: Union[bytes, int]) -> SegmentDescriptor:
        """From 8 bytes, or the 64-bit number they are."""
        n = _number(raw, 8)
        return cls(
            base=n >> 16 & 0xFFFFFF | (n >> 56 & 0xFF) << 24,
            limit=n & 0xFFFF | (n >> 48 & 0xF) << 16,
            type=n >> 40 & 0xF,
            s=n >> 44 & 1,
            dpl=n >> 45 & 3,
            p=n >> 47 & 1,
            avl=n >> 52 & 1,
            long=n >> 53 & 1,
            db=n >> 54 & 1,
            g=n >> 55 & 1,
        )

    def encode(self) -> bytes:
        """The eight bytes as they stand in the table."""
        n = self.limit & 0xFFFF | (self.base & 0xFFFFFF) << 16
        n |= (self.type & 0xF) << 40 | (self.s & 1) << 44
        n |= (self.dpl & 3) << 45 | (self.p & 1) << 47
        n |= (self.limit >> 16 & 0xF) << 48 | (self.avl & 1) << 52
        n |= (self.long & 1) << 53 | (self.db & 1) << 54 | (self.g & 1) << 55
        n |= (self.base >> 24 & 0xFF) << 56
        return n.to_bytes(8, "little")

    @property
    def empty(self) -> bool:
        """All zero."""
        return not any(self.encode())

    @property
    def code(self) -> bool:
        """A code segment."""
        return self.s == 1 and self.type & 8 != 0

    @property
    def data(self) -> bool:
        """A data segment."""
        return self.s == 1 and self.type & 8 == 0

    @property
    def writable(self) -> bool:
        """Data that may be written."""
        return self.data and self.type & 2 != 0

    @property
    def readable(self) -> bool:
        """Data, or code with R."""
        return self.data or self.code and self.type & 2 != 0

    @property
    def conforming(self) -> bool:
        """Code that runs with its caller's privilege."""
        return self.code and self.type & 4 != 0

    @property
    def expand_down(self) -> bool:
        """Data whose valid offsets lie above the limit."""
        return self.data and self.type & 4 != 0

    @property
    def accessed(self) -> bool:
        """The bit that the CPU sets at each load."""
        return self.s == 1 and self.type & 1 != 0

    @property
    def last_offset(self) -> int:
        """The limit in bytes, G applied."""
        return self.limit << 12 | 0xFFF if self.g else self.limit

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if not self.s:
            return SYSTEM_TYPES.get(self.type, f"reserved system type {self.type:#x}")
        if self.code:
            words = "code, execute" + ("/read" if self.readable else " only")
            return words + (", conforming" if self.conforming else "")
        words = "data, read" + ("/write" if self.writable else " only")
        return words + (", expand-down" if self.expand_down else "")

    def explain(self) -> list[str]:
        """One line a field, for the student."""
        width = "64-bit code" if self.long else ("32-bit" if self.db else "16-bit")
        if self.long and self.db:
            width = "L and D both set: reserved"
        return [
            f"P={self.p} ({'present' if self.p else 'not present'})",
            f"DPL={self.dpl}",
            f"S={self.s} ({'code or data' if self.s else 'system'})",
            f"type={self.type:#x} ({self.kind})",
            f"L={self.long} D/B={self.db} ({width})",
            f"G={self.g} limit={self.limit:#x} (last offset {self.last_offset:#x})",
            f"base={self.base:#x}",
        ]

    def __str__(self) -> str:
        return ", ".join(self.explain())


def differences(
    seen: SegmentDescriptor, want: SegmentDescriptor, *, long_mode: bool = False
) -> list[str]:
    """Fields that differ, as "DPL is 0, must be 3"; the accessed bit is free.

    long_mode: base, limit and G of user segments do not count, D/B of data
    neither, as the CPU ignores them.
    """
    ignored = {"avl"}
    if long_mode and want.s:
        ignored |= {"base", "limit", "g"} | (set() if want.code else {"db"})
    found = []
    for item in fields(want):
        if item.name in ignored:
            continue
        is_, must = getattr(seen, item.name), getattr(want, item.name)
        if item.name == "type" and seen.s and want.s:
            is_, must = is_ & ~1, must & ~1
        if is_ != must:
            name = "D/B" if item.name == "db" else item.name
            name = name if name in ("base", "limit", "type") else name.upper()
            found.append(f"{name} is {is_:#x}, must be {must:#x}")
    return found


def selector(value: int) -> str:
    """A selector in words: index, table, RPL."""
    table = "LDT" if value & 4 else "GDT"
    return f"{value:#06x} (index {value >> 3} of the {table}, RPL {value & 3})"


@dataclass(frozen=True)
class TssDescriptor:
    """A TSS descriptor: 8 bytes on i386, 16 in long mode.

    base: linear address of the TSS; limit: raw 20 bits; type 9 available, 0xb busy.
    reserved: the last dword of the long form, which must be 0.
    """

    base: int = 0
    limit: int = 0
    type: int = 9
    s: int = 0
    dpl: int = 0
    p: int = 1
    avl: int = 0
    g: int = 0
    reserved: int = 0

    @classmethod
    def decode(cls, raw: bytes, *, wide: bool) -> TssDescriptor:
        """From the table's bytes. wide: the 16-byte form of long mode."""
        n = _number(raw, 16 if wide else 8)
        low = SegmentDescriptor.decode(n & (1 << 64) - 1)
        return cls(
            base=low.base | (n >> 64 & 0xFFFFFFFF) << 32 if wide else low.base,
            limit=low.limit,
            type=low.type,
            s=low.s,
            dpl=low.dpl,
            p=low.p,
            avl=low.avl,
            g=low.g,
            reserved=n >> 96 if wide else 0,
        )

    def encode(self, *, wide: bool) -> bytes:
        """The bytes as they stand in the table."""
        low = SegmentDescriptor(
            base=self.base & 0xFFFFFFFF,
            limit=self.limit,
            type=self.type,
            s=self.s,
            dpl=self.dpl,
            p=self.p,
            avl=self.avl,
            g=self.g,
        ).encode()
        if not wide:
            return low
        high = (self.base >> 32 & 0xFFFFFFFF) | (self.reserved & 0xFFFFFFFF) << 32
        return low + high.to_bytes(8, "little")

    @property
    def busy(self) -> bool:
        """`ltr` has set the busy bit."""
        return self.s == 0 and self.type == 0xB

    @property
    def valid(self) -> bool:
        """A present 32-bit or 64-bit TSS, busy or not."""
        return self.p == 1 and self.s == 0 and self.type in (0x9, 0xB)

    @property
    def last_offset(self) -> int:
        """The limit in bytes, G applied."""
        return self.limit << 12 | 0xFFF if self.g else self.limit

    def explain(self) -> list[str]:
        """One line a field, for the student."""
        kind = "code or data" if self.s else SYSTEM_TYPES.get(self.type, "reserved")
        return [
            f"P={self.p} ({'present' if self.p else 'not present'})",
            f"DPL={self.dpl}",
            f"S={self.s} type={self.type:#x} ({kind})",
            f"G={self.g} limit={self.limit:#x} (last offset {self.last_offset:#x})",
            f"base={self.base:#x}",
        ]

    def __str__(self) -> str:
        return ", ".join(self.explain())


@dataclass(frozen=True)
class GateDescriptor:
    """An IDT entry: 8 bytes on i386, 16 in long mode.

    offset: the handler's address (unused in a task gate); ist: 0 to 7, long mode.
    """

    offset: int = 0
    selector: int = 0
    type: int = 0xE
    dpl: int = 0
    p: int = 1
    s: int = 0
    ist: int = 0

    @classmethod
    def decode(cls, raw: bytes, *, wide: bool) -> GateDescriptor:
        """From the table's bytes. wide: the 16-byte form of long mode."""
        n = _number(raw, 16 if wide else 8)
        offset = n & 0xFFFF | (n >> 48 & 0xFFFF) << 16
        if wide:
            offset |= (n >> 64 & 0xFFFFFFFF) << 32
        return cls(
            offset=offset,
            selector=n >> 16 & 0xFFFF,
            type=n >> 40 & 0xF,
            dpl=n >> 45 & 3,
            p=n >> 47 & 1,
            s=n >> 44 & 1,
            ist=n >> 32 & 7 if wide else 0,
        )

    def encode(self, *, wide: bool) -> bytes:
        """The bytes as they stand in the table."""
        n = self.offset & 0xFFFF | (self.selector & 0xFFFF) << 16
        n |= (self.type & 0xF) << 40 | (self.s & 1) << 44 | (self.dpl & 3) << 45
        n |= (self.p & 1) << 47 | (self.offset >> 16 & 0xFFFF) << 48
        if not wide:
            return n.to_bytes(8, "little")
        n |= (self.ist & 7) << 32 | (self.offset >> 32 & 0xFFFFFFFF) << 64
        return n.to_bytes(16, "little")

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if self.s:
            return "a code or data descriptor, no gate"
        return SYSTEM_TYPES.get(self.type, f"reserved type {self.type:#x}")

    @property
    def empty(self) -> bool:
        """All zero: nobody filled it in."""
        return self.offset == 0 and self.selector == 0 and not self.p and not self.type

    def explain(self) -> list[str]:
        """One line a field, for the student."""
        if self.empty:
            return ["all bytes zero: this gate was never set"]
        lines = [
            f"P={self.p} ({'present' if self.p else 'not present'})",
            f"DPL={self.dpl}",
            f"type={self.type:#x} ({self.kind})",
            f"selector={selector(self.selector)}",
            f"handler={self.offset:#x}",
        ]
        return lines + ([f"IST={self.ist}"] if self.ist else [])

    def __str__(self) -> str:
        return ", ".join(self.explain())
