# SPDX-License-Identifier: MIT
"""Page tables walked from outside, as the CPU walks them.

i386: two levels, 4 MiB pages by PS; x86_64: four levels, 2 MiB and 1 GiB pages.
A page is a user page only if U/S is set in every entry of its walk; R/W likewise;
one NX is enough. SDM 3A "32-Bit Paging" (4.3), "4-Level Paging" (4.5), "Access
Rights" (4.6).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Iterator, Optional, Protocol

READ_PAGING = 'SDM 3A "32-Bit Paging" (4.3)'
READ_PAGING_64 = 'SDM 3A "4-Level Paging" (4.5)'
READ_RIGHTS = 'SDM 3A "Access Rights" (4.6)'
READ_FAULT = 'SDM 3A "Page-Fault Exceptions" (4.7)'

PAGE_BYTES = 4096
PTE_P, PTE_W, PTE_U, PTE_PS, PTE_NX = 1, 2, 4, 0x80, 1 << 63
PF_P, PF_W, PF_U, PF_RSVD, PF_I = 1, 2, 4, 8, 0x10
_PAGE_FRAME = 0x000FFFFFFFFFF000
# The core's own symbol of the tree that the kernel comes up with.
KERNEL_ROOT = {"i386": "directory", "x86_64": "pml4"}


class _Physical(Protocol):
    def read(self, pa: int, size: int) -> bytes:
        """Up to `size` bytes from physical address `pa`."""


@dataclass(frozen=True)
class _Level:
    name: str
    shift: int
    large: bool


@dataclass(frozen=True)
class _Shape:
    entry: int
    index_bits: int
    levels: tuple[_Level, ...]
    table_mask: int

    def frame(self, value: int, level: _Level) -> int:
        """The physical address that the last entry of a walk names."""
        frame = value & self.table_mask & -(1 << level.shift)
        if self.entry == 4 and level.shift > 12:  # PSE-36
            frame |= (value >> 13 & 0xFF) << 32
        return frame


_SHAPES = {
    "i386": _Shape(
        4, 10, (_Level("PDE", 22, True), _Level("PTE", 12, False)), 0xFFFFF000
    ),
    "x86_64": _Shape(
        8,
        9,
        (
            _Level("PML4E", 39, False),
            _Level("PDPTE", 30, True),
            _Level("PDE", 21, True),
            _Level("PTE", 12, False),
        ),
        _PAGE_FRAME,
    ),
}


@dataclass(frozen=True)
class Entry:
    """One entry of a walk. pa: where it stands; shift: log2 of what it covers."""

    name: str
    index: int
    pa: int
    value: int
    shift: int
    large: bool = False

    @property
    def present(self) -> bool:
        """P."""
        return bool(self.value & PTE_P)

    @property
    def writable(self) -> bool:
        """R/W."""
        return bool(self.value & PTE_W)

    @property
    def user(self) -> bool:
        """U/S."""
        return bool(self.value & PTE_U)

    @property
    def nx(self) -> bool:
        """XD, in a 64-bit entry."""
        return bool(self.value & PTE_NX)

    def __str__(self) -> str:
        bits = f"P={self.present:d} R/W={self.writable:d} U/S={self.user:d}"
        bits += " XD=1" if self.nx else ""
        bits += " PS=1" if self.large else ""
        return f"{self.name}[{self.index}] at {self.pa:#x} = {self.value:#x} ({bits})"


@dataclass(frozen=True)
class Walk:
    """How one address is translated. pa: None if a level is missing."""

    va: int
    cr3: int
    entries: tuple[Entry, ...]
    pa: Optional[int]
    canonical: bool = True

    @property
    def present(self) -> bool:
        """Mapped at all."""
        return self.pa is not None

    @property
    def user(self) -> bool:
        """Ring 3 may use it: every level has U/S."""
        return self.present and all(e.user for e in self.entries)

    @property
    def writable(self) -> bool:
        """Every level has R/W."""
        return self.present and all(e.writable for e in self.entries)

    @property
    def executable(self) -> bool:
        """No level has XD (which counts only with EFER.NXE)."""
        return self.present and not any(e.nx for e in self.entries)

    def blocking(self, error: int) -> Optional[Entry]:
        """The entry that a #PF with this error code objects to, or None."""
        for entry in self.entries:
            if not entry.present:
                return entry
            if error & PF_P:
                if error & PF_U and not entry.user:
                    return entry
                if error & PF_W and not entry.writable:
                    return entry
                if error & PF_I and entry.nx:
                    return entry
        return None

    def fault(self, *, write: bool, user: bool, fetch: bool) -> Optional[int]:
        """The #PF error code of an access (CR0.WP set), or None if allowed."""
        code = PF_W * write | PF_U * user | PF_I * fetch
        if not self.present:
            return code
        if user and not self.user or write and not self.writable:
            return code | PF_P
        if fetch and not self.executable:
            return code | PF_P
        return None


def canonical(va: int) -> bool:
    """An address of long mode: bits 63 to 47 are all equal."""
    return va >> 47 in (0, 0x1FFFF)


def translate(ram: _Physical, cr3: int, va: int, arch: str) -> Walk:
    """Walk the tables for one linear address.

    ram: physical memory; cr3: the register as it is (flag bits are masked);
    arch: "i386" or "x86_64".
    """
    shape = _SHAPES[arch]
    table = cr3 & shape.table_mask
    entries: list[Entry] = []
    if arch != "i386" and not canonical(va):
        return Walk(va, cr3, (), None, canonical=False)
    for level in shape.levels:
        index = va >> level.shift & (1 << shape.index_bits) - 1
        pa = table + index * shape.entry
        raw = ram.read(pa, shape.entry)
        if len(raw) < shape.entry:
            return Walk(va, cr3, tuple(entries), None)
        value = int.from_bytes(raw, "little")
        large = level.large and bool(value & PTE_PS) and bool(value & PTE_P)
        entries.append(Entry(level.name, index, pa, value, level.shift, large))
        if not value & PTE_P:
            return Walk(va, cr3, tuple(entries), None)
        if large or level.shift == 12:
            offset = va & (1 << level.shift) - 1
            pa = shape.frame(value, level) | offset
            return Walk(va, cr3, tuple(entries), pa)
        table = value & shape.table_mask
    raise AssertionError("the last level always returns")


@dataclass(frozen=True)
class Range:
    """Mapped addresses [start, end) with equal rights."""

    start: int
    end: int
    user: bool
    writable: bool
    executable: bool

    def __str__(self) -> str:
        rights = ("u" if self.user else "-") + "r"
        rights += ("w" if self.writable else "-") + ("x" if self.executable else "-")
        return f"{self.start:#x}-{self.end:#x} {rights}"


def ranges(ram: _Physical, cr3: int, arch: str) -> list[Range]:
    """Everything mapped, ascending, neighbours with equal rights merged."""
    found: list[Range] = []
    for start, end, bits, _ in _leaves(ram, _SHAPES[arch], cr3, repeat(0)):
        one = Range(
            start, end, bool(bits & PTE_U), bool(bits & PTE_W), not bits & PTE_NX
        )
        if found and found[-1].end == start:
            last = found[-1]
            if (last.user, last.writable, last.executable) == (
                one.user,
                one.writable,
                one.executable,
            ):
                found[-1] = Range(last.start, end, *_rights(last))
                continue
        found.append(one)
    return found


def _rights(item: Range) -> tuple[bool, bool, bool]:
    return item.user, item.writable, item.executable


def user_ranges(ram: _Physical, cr3: int, arch: str) -> list[Range]:
    """What ring 3 may touch: ranges whose every level has U/S."""
    return [r for r in ranges(ram, cr3, arch) if r.user]


@dataclass(frozen=True)
class Extent:
    """Mapped addresses [start, end) with equal rights, whose physical addresses follow
    each other from pa on."""

    start: int
    end: int
    pa: int
    user: bool
    writable: bool
    executable: bool

    @property
    def rights(self) -> str:
        """As in a listing of files: "rw-"."""
        return f"r{'w' if self.writable else '-'}{'x' if self.executable else '-'}"


def extents(
    ram: _Physical, cr3: int, arch: str, *, tables: int, most: int
) -> tuple[list[Extent], bool]:
    """What is mapped, ascending, whatever the tree looks like.

    tables, most: how many tables are read, and how many extents returned, at most; the
    second result says whether that was all.
    """
    found: list[tuple[int, int, int, int]] = []
    budget = iter(range(tables))
    for start, end, bits, pa in _leaves(ram, _SHAPES[arch], cr3, budget):
        if found:
            first, last, before, frame = found[-1]
            if (last, before, frame + last - first) == (start, bits, pa):
                found[-1] = first, end, bits, frame
                continue
        if len(found) == most:
            return [_extent(*one) for one in found], False
        found.append((start, end, bits, pa))
    return [_extent(*one) for one in found], next(budget, None) is not None


def _extent(start: int, end: int, bits: int, pa: int) -> Extent:
    user, writable = bool(bits & PTE_U), bool(bits & PTE_W)
    return Extent(start, end, pa, user, writable, not bits & PTE_NX)


def _leaves(
    ram: _Physical,
    shape: _Shape,
    table: int,
    budget: Iterator[int],
    depth: int = 0,
    va: int = 0,
    rights: int = PTE_U | PTE_W,
) -> Iterator[tuple[int, int, int, int]]:
    """What is mapped below one table: (start, end, rights with XD gathered, pa), the
    pages of a table together if their rights are equal and their frames in a row.

    budget: each table that is read takes one of it; without it a table counts as empty.
    """
    if next(budget, None) is None:
        return
    level = shape.levels[depth]
    table &= shape.table_mask
    raw = ram.read(table, PAGE_BYTES)
    if level.shift == 12:
        for index, count, value in _page_runs(raw, shape.entry):
            start = va | index << level.shift
            bits = _gathered(rights, value)
            yield start, start + count * PAGE_BYTES, bits, shape.frame(value, level)
        return
    for index, value in enumerate(_entries(raw, shape.entry)):
        if not value & PTE_P:
            continue
        start = va | index << level.shift
        if depth == 0 and shape.entry == 8 and index >= 256:
            start |= 0xFFFF << 48
        bits = _gathered(rights, value)
        if level.large and value & PTE_PS:
            yield start, start + (1 << level.shift), bits, shape.frame(value, level)
        else:
            yield from _leaves(ram, shape, value, budget, depth + 1, start, bits)


def _gathered(rights: int, value: int) -> int:
    """Rights of a walk so far, with those of one entry more."""
    bits = rights & value | (rights | value) & PTE_NX
    return bits & (PTE_U | PTE_W | PTE_NX)


def _entries(raw: bytes, entry: int) -> tuple[int, ...]:
    count = len(raw) // entry
    form = "<%d%s" % (count, "I" if entry == 4 else "Q")
    return struct.unpack_from(form, raw)


@lru_cache(maxsize=1024)  # the kernel's tables stand in each tree, of each boot
def _page_runs(raw: bytes, entry: int) -> tuple[tuple[int, int, int], ...]:
    """A table of the last level: (index, how many, first entry) of pages with equal
    rights whose frames follow each other."""
    found: list[tuple[int, int, int]] = []
    kept, following = PTE_P | PTE_W | PTE_U | PTE_NX, None
    mask = kept | _PAGE_FRAME
    for index, value in enumerate(_entries(raw, entry)):
        if not value & PTE_P:
            following = None
            continue
        if value & mask == following:
            first, count, start = found[-1]
            found[-1] = first, count + 1, start
        else:
            found.append((index, 1, value))
        following = (value & mask) + PAGE_BYTES
    return tuple(found)


def explain(walk: Walk) -> list[str]:
    """The walk in lines, level by level, with the verdict last."""
    if not walk.canonical:
        return [f"{walk.va:#x} is not canonical: bits 63..47 must all be equal"]
    lines = [str(entry) for entry in walk.entries]
    if walk.pa is None:
        lines.append(f"{walk.va:#x} is not mapped")
        return lines
    who = "ring 3 and ring 0" if walk.user else "ring 0 only"
    how = "read and write" if walk.writable else "read only"
    lines.append(f"{walk.va:#x} maps to {walk.pa:#x}: {who}, {how}")
    return lines


def error_code(error: int, fetch: bool = False) -> str:
    """A #PF error code in words. fetch: it was one, whatever the code says."""
    who = "ring 3" if error & PF_U else "ring 0"
    if fetch or error & PF_I:
        what = "fetched an instruction"
    else:
        what = "wrote" if error & PF_W else "read"
    why = "the page is mapped but forbids it" if error & PF_P else "nothing is mapped"
    if error & PF_RSVD:
        why = "a reserved bit is set in a table entry"
    return f"{who} {what}; {why}"
