# SPDX-License-Identifier: MIT
"""ELF images for 09 that no linker makes: good ones, and ones wrong by one byte."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from grader.checks.elf_images import EXEC, FORMS, LOAD, NOTE, PAGE, WRITE, Bounds

READ = 4
GOOD = "it is a good program whose segments begin and end anywhere in a page"
EXACT = "it is a good program that reaches from PROGRAM_LOW to PROGRAM_HIGH"


@dataclass
class Part:
    """A segment and its bytes. even: its place in the file and in memory are the same
    within a page, as linkers make it."""

    va: int
    memory: int
    flags: int
    content: bytes = b""
    type: int = LOAD
    even: bool = True
    offset: int | None = None  # instead of where the content is put
    file: int | None = None  # instead of the content's length


@dataclass
class Odd:
    """An image in the making; bytes that belong to nobody are random."""

    arch: str
    parts: list[Part]
    entry: int
    rng: random.Random
    tail: bool = True  # more bytes behind the last segment's
    missing: int = 0  # bytes of the last segment's that the file does not have
    header_late: int = 0  # the segments' headers end so many bytes beyond the file
    phnum: int | None = None

    def bytes(self) -> bytes:
        form, rng = FORMS[self.arch], self.rng
        room = form.header_bytes + 8 * rng.randrange(1, 9)
        made = bytearray(rng.randbytes(room + len(self.parts) * form.segment_bytes))
        rows = []
        for part in self.parts:
            if part.content:
                skip = (part.va - len(made)) % PAGE if part.even else rng.randrange(99)
                made += rng.randbytes(skip)
            rows.append(self._row(part, len(made)))
            made += part.content
        if self.missing:
            del made[-self.missing :]
        elif self.tail:
            made += rng.randbytes(PAGE)
        if self.header_late:
            room = len(made) - len(rows) * form.segment_bytes + self.header_late
        magic = b"\x7fELF" + bytes((form.elf_class, 1, 1)) + bytes(9)
        count = len(rows) if self.phnum is None else self.phnum
        struct.pack_into(
            *(form.header, made, 0, magic, 2, form.machine, 1, self.entry, room, 0, 0),
            *(form.header_bytes, form.segment_bytes, count, 0, 0, 0),
        )
        for n, row in enumerate(rows if not self.header_late else ()):
            struct.pack_into(form.segment, made, room + n * form.segment_bytes, *row)
        return bytes(made)

    def _row(self, part: Part, offset: int) -> list[int]:
        values = {
            "type": part.type,
            "flags": part.flags,
            "offset": offset if part.offset is None else part.offset,
            "va": part.va,
            "pa": self.rng.getrandbits(31),
            "file": len(part.content) if part.file is None else part.file,
            "memory": part.memory,
            "align": PAGE if part.even else 1,
        }
        form = FORMS[self.arch]
        return [values[name] % form.word for name in form.order]


def odd(rng: random.Random, arch: str, bounds: Bounds, entry: int = 77) -> Odd:
    """Code, constants, data, zeroed data; nothing to load; a note; in any order.

    entry: from the begin of the code on, or if negative, from its end.
    """
    page = rng.randrange(bounds.low // PAGE + 16, bounds.high // PAGE - 64) * PAGE

    def text(size: int) -> bytes:
        return rng.randbytes(size)

    code = text(rng.randrange(PAGE + 300, 2 * PAGE))  # on three pages
    begin = page + rng.randrange(PAGE - 200, PAGE)
    where = page + 8 * PAGE + rng.randrange(1, 2000)
    constants = text(page + 9 * PAGE - where)  # up to the end of its page
    data = text(rng.randrange(PAGE, 2 * PAGE))
    where_data = page + 16 * PAGE + rng.randrange(1, PAGE)
    parts = [
        Part(begin, len(code), READ | EXEC, code),
        Part(where, len(constants), READ, constants),
        Part(where_data, len(data) + 2 * PAGE + 5, READ | WRITE, data, even=False),
        Part(page + 9 * PAGE, 2 * PAGE, READ | WRITE),  # directly behind the constants
        Part(0x100000, 0, READ | WRITE | EXEC),
        Part(begin + 9, 0, READ | WRITE),
        Part(page + 30 * PAGE, PAGE, 7, type=NOTE, offset=0, file=PAGE + 5),
    ]
    rng.shuffle(parts)
    return Odd(arch, parts, begin + entry % len(code), rng)


def _part(image: Odd, flag: int, content: bool = True) -> Part:
    return next(
        p
        for p in image.parts
        if p.type == LOAD and p.memory and p.flags & flag and bool(p.content) == content
    )


def _exact(image: Odd, bounds: Bounds) -> None:
    code, zeroed = _part(image, EXEC), _part(image, WRITE, content=False)
    image.entry += bounds.low - code.va
    code.va = bounds.low
    zeroed.va = bounds.high - zeroed.memory
    image.tail = False


def _below(image: Odd, bounds: Bounds) -> None:
    _part(image, WRITE, content=False).va = bounds.low - 1


def _beyond(image: Odd, bounds: Bounds) -> None:
    zeroed = _part(image, WRITE, content=False)
    zeroed.va = bounds.high - zeroed.memory + 1


def _behind_code(image: Odd, bounds: Bounds) -> None:
    code = _part(image, EXEC)
    image.entry = code.va + code.memory


def _before_code(image: Odd, bounds: Bounds) -> None:
    image.entry = _part(image, EXEC).va - 1


def _in_data(image: Odd, bounds: Bounds) -> None:
    image.entry = _part(image, WRITE).va


def _same_page(image: Odd, bounds: Bounds) -> None:
    """The last page of the data, behind its last byte."""
    data = _part(image, WRITE)
    zeroed = _part(image, WRITE, content=False)
    data.memory -= (data.va + data.memory + 100) % PAGE  # up to 100 bytes below a page
    zeroed.va = data.va + data.memory + 10
    zeroed.memory = 20


def _within(image: Odd, bounds: Bounds) -> None:
    """The one within comes first, and begins after the other."""
    data = _part(image, WRITE)
    zeroed = _part(image, WRITE, content=False)
    image.parts.sort(key=lambda part: part is data)
    zeroed.va, zeroed.memory = (data.va // PAGE + 1) * PAGE, 8


def _last_byte(image: Odd, bounds: Bounds) -> None:
    image.parts.sort(key=lambda p: bool(p.content))
    image.missing = 1


def _late_headers(image: Odd, bounds: Bounds) -> None:
    image.header_late = 1


def _more_in_file(image: Odd, bounds: Bounds) -> None:
    code = _part(image, EXEC)
    code.memory -= 1
    image.entry = code.va


def _no_memory(image: Odd, bounds: Bounds) -> None:
    empty = next(p for p in image.parts if p.va == 0x100000 and not p.memory)
    empty.offset, empty.file = 0, 5


def _no_headers(image: Odd, bounds: Bounds) -> None:
    image.phnum = 0


def _only_empty(image: Odd, bounds: Bounds) -> None:
    image.parts = [p for p in image.parts if p.type != LOAD or not p.memory]


def _high(image: Odd, bounds: Bounds) -> None:
    """In 64 bits: right, if only the low half of an address is looked at."""
    _part(image, WRITE).va += 1 << 32


def _long(image: Odd, bounds: Bounds) -> None:
    _part(image, WRITE).memory += 1 << 32


EDGES: dict[str, Callable[[Odd, Bounds], None]] = {
    "a segment begins one byte below PROGRAM_LOW": _below,
    "a segment ends one byte beyond PROGRAM_HIGH": _beyond,
    "the entry is the byte behind the code": _behind_code,
    "the entry is the byte before the code": _before_code,
    "the entry is in data, which is not to execute": _in_data,
    "two segments have bytes in one page, though none in common": _same_page,
    "a segment lies in the midst of another": _within,
    "it lacks the last byte of a segment": _last_byte,
    "it lacks the last byte of its segments' headers": _late_headers,
    "a segment has one byte more in the file than in memory": _more_in_file,
    "a segment has bytes in the file, and none in memory": _no_memory,
    "it has no segment at all": _no_headers,
    "only segments of no bytes are to be loaded": _only_empty,
}
LONG_EDGES: dict[str, Callable[[Odd, Bounds], None]] = {
    "a segment lies 4 GiB too high": _high,
    "a segment is 4 GiB longer than it looks": _long,
}


def edges(arch: str) -> dict[str, Callable[[Odd, Bounds], None]]:
    return EDGES | (LONG_EDGES if arch == "x86_64" else {})


def good(rng: random.Random, arch: str, bounds: Bounds, entry: int = 77) -> bytes:
    return odd(rng, arch, bounds, entry).bytes()


def exact(rng: random.Random, arch: str, bounds: Bounds) -> bytes:
    image = odd(rng, arch, bounds)
    _exact(image, bounds)
    return image.bytes()


def wrong(rng: random.Random, arch: str, how: str, bounds: Bounds) -> bytes:
    image = odd(rng, arch, bounds)
    edges(arch)[how](image, bounds)
    return image.bytes()
