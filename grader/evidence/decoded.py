# SPDX-License-Identifier: MIT
"""Table entries bit by bit, each field beside what it should be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Optional, Sequence, Union

from grader.evidence.descriptors import (
    SYSTEM_TYPES,
    GateDescriptor,
    SegmentDescriptor,
    TssDescriptor,
)
from grader.evidence.exhibit import FIELD_COLUMNS, Exhibit, Row
from grader.evidence.paging import Entry, Walk
from grader.evidence.tss import Tss


class Wrong(str):
    """What a field should be that is known to be wrong, in words."""


# A field's right value, one of several, or words where no single value is right.
Wanted = Union[int, tuple[int, ...], str]
Want = Mapping[str, Wanted]

AVAILABLE_OR_BUSY = (0x9, 0xB)
INTERRUPT_GATE, TRAP_GATE, TASK_GATE = 0xE, 0xF, 0x5


@dataclass(frozen=True)
class _Field:
    name: str
    bits: str
    value: int
    meaning: str

    def row(self, want: Want) -> Row:
        wanted = want.get(self.name, "")
        shown = _number(self.value)
        if isinstance(wanted, str):
            cells = (self.name, self.bits, shown, self.meaning, str(wanted))
            return Row(cells, isinstance(wanted, Wrong))
        right = wanted if isinstance(wanted, tuple) else (wanted,)
        text = " or ".join(_number(value) for value in right)
        differs = self.value not in right
        return Row((self.name, self.bits, shown, self.meaning, text), differs)


def _number(value: int) -> str:
    return str(value) if value < 8 else f"{value:#x}"


def _table(
    kind: str, title: str, fields: Sequence[_Field], want: Want, note: str = ""
) -> Exhibit:
    rows = tuple(field.row(want) for field in fields)
    return Exhibit(kind, title, FIELD_COLUMNS, rows, note)


def _hex(raw: bytes) -> str:
    return f"The bytes, from the lowest address: {raw.hex(' ')}."


def segment_wanted(*, code: bool, dpl: int, wide: bool) -> Want:
    """A flat segment of that ring; in long mode the CPU ignores base and limit."""
    want: dict[str, Wanted] = {"P": 1, "DPL": dpl, "S": 1, "code/data": int(code)}
    want |= {"C" if code else "ED": 0, "R" if code else "W": 1}
    if wide:
        ignored = "ignored in 64-bit mode"
        want |= {"limit": ignored, "base": ignored, "G": ignored}
        return want | ({"L": 1, "D/B": 0} if code else {})
    return want | {"G": 1, "D/B": 1, "L": 0, "limit": 0xFFFFF, "base": 0}


def segment(title: str, seen: SegmentDescriptor, want: Want) -> Exhibit:
    """A descriptor of eight bytes; the accessed bit is the CPU's own."""
    if seen.s:
        third, second = ("C", "R") if seen.code else ("ED", "W")
        kind = [
            _Field("code/data", "43", seen.type >> 3 & 1, _kind(seen)),
            _Field(third, "42", seen.type >> 2 & 1, _third(seen)),
            _Field(second, "41", seen.type >> 1 & 1, _second(seen)),
            _Field("A", "40", seen.type & 1, "accessed: the CPU sets it"),
        ]
    else:
        kind = [_Field("type", "43..40", seen.type, seen.kind)]
    if not seen.s and "code/data" in want:
        executable = want["code/data"] == 1
        want = {**want, "type": "code" if executable else "data"}
    fields = [
        _Field("P", "47", seen.p, "present" if seen.p else "not present"),
        _Field("DPL", "46..45", seen.dpl, f"for ring {seen.dpl}"),
        _Field("S", "44", seen.s, "code or data" if seen.s else "system"),
        *kind,
        _Field("G", "55", seen.g, _granularity(seen.g)),
        _Field("D/B", "54", seen.db, "32-bit" if seen.db else "not 32-bit"),
        _Field("L", "53", seen.long, "64-bit code" if seen.long else "not 64-bit"),
        _Field("AVL", "52", seen.avl, "for the kernel's own use"),
        _Field("limit", "51..48, 15..0", seen.limit, _last(seen.last_offset)),
        _Field("base", "63..56, 39..16", seen.base, "linear address"),
    ]
    return _table("descriptor", title, fields, want, _hex(seen.encode()))


def _kind(seen: SegmentDescriptor) -> str:
    return "code" if seen.code else "data"


def _third(seen: SegmentDescriptor) -> str:
    if seen.code:
        return "conforming" if seen.conforming else "not conforming"
    return "expands down" if seen.expand_down else "expands up"


def _second(seen: SegmentDescriptor) -> str:
    if seen.code:
        return "readable" if seen.readable else "execute only"
    return "writable" if seen.writable else "read only"


def _granularity(g: int) -> str:
    return "limit counts pages" if g else "limit counts bytes"


def _last(offset: int) -> str:
    return f"last offset {offset:#x}"


def tss_wanted(*, base: Optional[int] = None, loaded: bool = False) -> Want:
    """A TSS descriptor. loaded: `ltr` has been there and set the busy bit."""
    return {
        "P": 1,
        "DPL": 0,
        "S": 0,
        "type": AVAILABLE_OR_BUSY if loaded else 0x9,
        "G": 0,
        "limit": "0x67 or more: size minus one",
        "base": "the address of the TSS" if base is None else base,
        "upper": 0,
    }


def tss_descriptor(
    title: str, seen: TssDescriptor, want: Want, *, wide: bool
) -> Exhibit:
    """A descriptor of eight bytes, or of sixteen (wide)."""
    kind = SYSTEM_TYPES.get(seen.type, "reserved") if not seen.s else "code or data"
    high = "95..64, 63..56, 39..16" if wide else "63..56, 39..16"
    fields = [
        _Field("P", "47", seen.p, "present" if seen.p else "not present"),
        _Field("DPL", "46..45", seen.dpl, f"for ring {seen.dpl}"),
        _Field("S", "44", seen.s, "code or data" if seen.s else "system"),
        _Field("type", "43..40", seen.type, kind),
        _Field("G", "55", seen.g, _granularity(seen.g)),
        _Field("limit", "51..48, 15..0", seen.limit, _last(seen.last_offset)),
        _Field("base", high, seen.base, "linear address"),
    ]
    if wide:
        fields.append(_Field("upper", "127..96", seen.reserved, "reserved"))
    return _table("descriptor", title, fields, want, _hex(seen.encode(wide=wide)))


def gate_wanted(*, dpl: Wanted, code: Wanted, kind: Wanted = INTERRUPT_GATE) -> Want:
    """A gate. code: the selector of the kernel's code; kind: types that will do."""
    handler = "the address of the entry"
    return {"P": 1, "DPL": dpl, "S": 0, "type": kind, "selector": code} | {
        "offset": handler
    }


def gate(title: str, seen: GateDescriptor, want: Want, *, wide: bool) -> Exhibit:
    """An IDT entry of eight bytes, or of sixteen (wide)."""
    high = "95..48, 15..0" if wide else "63..48, 15..0"
    user = (
        "`int` from ring 3 may use it" if seen.dpl == 3 else "not for `int` of ring 3"
    )
    fields = [
        _Field("P", "47", seen.p, "present" if seen.p else "not present"),
        _Field("DPL", "46..45", seen.dpl, user),
        _Field("S", "44", seen.s, "no gate" if seen.s else "system"),
        _Field("type", "43..40", seen.type, seen.kind),
        _Field("selector", "31..16", seen.selector, _selector_words(seen.selector)),
    ]
    if wide:
        stack = f"stack IST{seen.ist}" if seen.ist else "no stack of its own"
        fields.append(_Field("IST", "34..32", seen.ist, stack))
    if seen.type != TASK_GATE:
        fields.append(_Field("offset", high, seen.offset, "the handler's address"))
    return _table("gate", title, fields, want, _hex(seen.encode(wide=wide)))


def _selector_words(value: int) -> str:
    table = "LDT" if value & 4 else "GDT"
    return f"index {value >> 3} of the {table}, RPL {value & 3}"


def selector(title: str, value: int, want: Want, note: str = "") -> Exhibit:
    """A selector's three parts."""
    table = "the LDT" if value & 4 else "the GDT"
    ring = f"asks as ring {value & 3}"
    fields = [
        _Field("index", "15..3", value >> 3, f"entry {value >> 3}, at {value & ~7:#x}"),
        _Field("TI", "2", value >> 2 & 1, table),
        _Field("RPL", "1..0", value & 3, ring),
    ]
    return _table("selector", title, fields, want, note)


def tss(title: str, seen: Tss, want: Want, note: str = "") -> Exhibit:
    """The fields that entry from ring 3, a task switch or an IST stack use."""
    if seen.wide:
        fields = [_Field("rsp0", "bytes 4..11", seen.stack0, "stack for ring 0")]
        for n, top in enumerate(seen.ist, 1):
            if top or f"ist{n}" in want:
                place = f"bytes {28 + 8 * n}..{35 + 8 * n}"
                fields.append(_Field(f"ist{n}", place, top, f"stack of IST {n}"))
    else:
        fields = [
            _Field("esp0", "bytes 4..7", seen.stack0, "stack for ring 0"),
            _Field("ss0", "bytes 8..9", seen.ss0, _selector_words(seen.ss0)),
        ]
        saved = dict(seen.saved)
        for name, place, meaning in _SAVED:
            if name in want:
                value = saved.get(name, 0)
                fields.append(_Field(name, f"bytes {place}", value, meaning))
    base = _Field(
        "I/O map base", "bytes 102..103", seen.iomap_base, "offset in the TSS"
    )
    return _table("tss", title, [*fields, base], want, note)


_SAVED = (
    ("cr3", "28..31", "page directory of the task"),
    ("eip", "32..35", "where the task starts"),
    ("eflags", "36..39", "flags of the task"),
    ("esp", "56..59", "stack of the task"),
    ("es", "72..73", "data segment"),
    ("cs", "76..77", "code segment"),
    ("ss", "80..81", "stack segment"),
    ("ds", "84..85", "data segment"),
)

WALK_COLUMNS = ("level", "at", "entry", "P", "R/W", "U/S", "XD", "should be")


def walk(title: str, seen: Walk, *, user: bool, write: bool, fetch: bool) -> Exhibit:
    """One row a level, judged by what was tried: by ring 3, a write, a fetch."""
    whole = all(entry.present for entry in seen.entries)
    tried = (user, write, fetch) if whole else (False, False, False)
    rows = tuple(_level(entry, *tried) for entry in seen.entries)
    if not seen.canonical:
        note = f"{seen.va:#x} is not canonical: bits 63..47 must all be equal."
    elif seen.pa is None:
        note = f"{seen.va:#x} is not mapped."
    else:
        note = f"{seen.va:#x} maps to {seen.pa:#x}."
    return Exhibit("walk", title, WALK_COLUMNS, rows, note)


def open_walk(title: str, seen: Walk) -> Exhibit:
    """The walk of a page that is open to ring 3 and must not be."""
    shown = walk(title, seen, user=False, write=False, fetch=False)
    if not seen.user:
        return shown
    *above, last = shown.rows
    closed = Row((*last.cells[:-1], "U/S=0"), True)
    return replace(shown, rows=(*above, closed))


def _level(entry: Entry, user: bool, write: bool, fetch: bool) -> Row:
    lacks = ["R/W=1"] if write and not entry.writable else []
    lacks += ["U/S=1"] if user and not entry.user else []
    lacks += ["XD=0"] if fetch and entry.nx else []
    lacks = lacks if entry.present else ["P=1, if the address is right"]
    bits = (entry.present, entry.writable, entry.user, entry.nx)
    cells = (
        f"{entry.name}[{entry.index}]" + (" (large)" if entry.large else ""),
        f"{entry.pa:#x}",
        f"{entry.value:#x}",
        *(f"{bit:d}" for bit in bits),
        ", ".join(lacks),
    )
    return Row(cells, bool(lacks))
