# SPDX-License-Identifier: MIT
"""ELF images for 09: what is wrong with one, and images with one thing wrong."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PAGE = 4096
LOAD, NOTE = 1, 4
_SHOWN = 6  # segments of an image, in words
EXEC, WRITE = 1, 2
OK = 0
SHORT, FORMAT, MACHINE, TYPE, SEGMENTS, SIZE, PLACE, OVERLAP, ENTRY = range(
    -20, -29, -1
)
NAMES = {
    OK: "E_OK",
    SHORT: "E_ELF_SHORT",
    FORMAT: "E_ELF_FORMAT",
    MACHINE: "E_ELF_MACHINE",
    TYPE: "E_ELF_TYPE",
    SEGMENTS: "E_ELF_SEGMENTS",
    SIZE: "E_ELF_SIZE",
    PLACE: "E_ELF_PLACE",
    OVERLAP: "E_ELF_OVERLAP",
    ENTRY: "E_ELF_ENTRY",
}


@dataclass(frozen=True)
class Form:
    """The layout of one word size: formats of struct, and where fields stand."""

    header: str
    segment: str
    elf_class: int
    machine: int
    order: tuple[str, ...]  # fields of a segment

    @property
    def header_bytes(self) -> int:
        return struct.calcsize(self.header)

    @property
    def segment_bytes(self) -> int:
        return struct.calcsize(self.segment)

    @property
    def word(self) -> int:
        """One more than the largest address."""
        return 1 << (32 if self.elf_class == 1 else 64)


_HEADER = (
    *("magic", "type", "machine", "version", "entry", "phoff", "shoff", "flags"),
    *("ehsize", "phentsize", "phnum", "shentsize", "shnum", "shstrndx"),
)
FORMS = {
    "i386": Form(
        "<16sHHIIIIIHHHHHH",
        "<IIIIIIII",
        1,
        3,
        ("type", "offset", "va", "pa", "file", "memory", "flags", "align"),
    ),
    "x86_64": Form(
        "<16sHHIQQQIHHHHHH",
        "<IIQQQQQQ",
        2,
        62,
        ("type", "flags", "offset", "va", "pa", "file", "memory", "align"),
    ),
}


@dataclass
class Image:
    """An ELF file that can be changed field by field."""

    arch: str
    header: dict[str, Any]
    segments: list[dict[str, int]]
    data: bytearray

    @classmethod
    def of(cls, arch: str, data: bytes) -> Image:
        form = FORMS[arch]
        header = dict(zip(_HEADER, struct.unpack_from(form.header, data)))
        segments = [
            dict(
                zip(
                    form.order,
                    struct.unpack_from(
                        form.segment, data, header["phoff"] + n * form.segment_bytes
                    ),
                )
            )
            for n in range(header["phnum"])
        ]
        return cls(arch, header, segments, bytearray(data))

    def bytes(self) -> bytes:
        form, made = FORMS[self.arch], bytearray(self.data)
        first = struct.unpack_from(form.header, self.data)[_HEADER.index("phoff")]
        for n, segment in enumerate(self.segments):
            fields = [segment[name] % form.word for name in form.order]
            at = first + n * form.segment_bytes
            struct.pack_into(form.segment, made, at, *fields)
        struct.pack_into(form.header, made, 0, *self.header.values())
        return bytes(made)

    def loads(self) -> list[dict[str, int]]:
        return [one for one in self.segments if one["type"] == LOAD]


@dataclass(frozen=True)
class Bounds:
    """Where a program may lie: low to below high."""

    low: int
    high: int


def faults(arch: str, data: bytes, bounds: Bounds) -> set[int]:
    """Every code that elf_check may give for the image; only E_OK if it is good."""
    form = FORMS[arch]
    if len(data) < form.header_bytes:
        return {SHORT}
    header = dict(zip(_HEADER, struct.unpack_from(form.header, data)))
    found: set[int] = set()
    if header["magic"][:7] != b"\x7fELF" + bytes((form.elf_class, 1, 1)):
        found.add(FORMAT)
    if header["machine"] != form.machine:
        found.add(MACHINE)
    if header["type"] != 2:
        found.add(TYPE)
    if header["phentsize"] != form.segment_bytes:
        found.add(SEGMENTS)
    size = header["phnum"] * form.segment_bytes
    if header["phoff"] + size > len(data):
        return found | {SHORT}
    segments = []
    for n in range(header["phnum"]):
        raw = struct.unpack_from(
            form.segment, data, header["phoff"] + n * form.segment_bytes
        )
        segment = dict(zip(form.order, raw))
        if segment["type"] == LOAD:
            segments.append(segment)
    found |= _segment_faults(segments, len(data), header["entry"], bounds)
    return found or {OK}


def _segment_faults(
    segments: list[dict[str, int]], size: int, entry: int, bounds: Bounds
) -> set[int]:
    found: set[int] = set()
    pages: list[range] = []
    holds = False
    for one in segments:
        if one["offset"] + one["file"] > size:
            found.add(SHORT)
        if one["file"] > one["memory"]:
            found.add(SIZE)
        if not one["memory"]:
            continue
        end = one["va"] + one["memory"]
        if one["va"] < bounds.low or end > bounds.high:
            found.add(PLACE)
        touched = range(one["va"] // PAGE, -(-end // PAGE))
        if any(max(touched[0], p[0]) <= min(touched[-1], p[-1]) for p in pages):
            found.add(OVERLAP)
        pages.append(touched)
        holds = holds or (bool(one["flags"] & EXEC) and one["va"] <= entry < end)
    if not pages:
        found.add(SEGMENTS)
    if not holds:
        found.add(ENTRY)
    return found


Damage = Callable[[random.Random, Image, Bounds], None]


def _code(image: Image) -> dict[str, int]:
    return next(one for one in image.loads() if one["flags"] & EXEC)


def _data(image: Image) -> dict[str, int]:
    return next(one for one in image.loads() if one["flags"] & WRITE)


def _cut(rng: random.Random, image: Image, bounds: Bounds) -> None:
    last = max(one["offset"] + one["file"] for one in image.loads())
    del image.data[rng.randrange(FORMS[image.arch].header_bytes + 300, last) :]


def _magic(*places: int) -> Damage:
    """One of these bytes is another one."""

    def damage(rng: random.Random, image: Image, bounds: Bounds) -> None:
        magic = bytearray(image.header["magic"])
        magic[rng.choice(places)] ^= 3
        image.header["magic"] = bytes(magic)

    return damage


def _machine(rng: random.Random, image: Image, bounds: Bounds) -> None:
    image.header["machine"] = rng.choice(
        (0, 8, 40, 183, 243, 62 + 3 - _machine_of(image))
    )


def _machine_of(image: Image) -> int:
    return FORMS[image.arch].machine


def _type(rng: random.Random, image: Image, bounds: Bounds) -> None:
    image.header["type"] = rng.choice((0, 1, 4))


def _library(rng: random.Random, image: Image, bounds: Bounds) -> None:
    image.header["type"] = 3


def _over_kernel(rng: random.Random, image: Image, bounds: Bounds) -> None:
    _data(image)["va"] = 0x100000 + rng.randrange(64) * PAGE


def _over_stack(rng: random.Random, image: Image, bounds: Bounds) -> None:
    one = _data(image)
    one["va"] = bounds.high - PAGE
    one["memory"] = PAGE + rng.randrange(1, PAGE)


def _wrap(rng: random.Random, image: Image, bounds: Bounds) -> None:
    one = _data(image)
    word = FORMS[image.arch].word
    one["memory"] = word - one["va"] + rng.randrange(PAGE)


def _wrap_file(rng: random.Random, image: Image, bounds: Bounds) -> None:
    _code(image)["offset"] = FORMS[image.arch].word - rng.randrange(1, 64)


def _overlap(rng: random.Random, image: Image, bounds: Bounds) -> None:
    code, data = _code(image), _data(image)
    data["memory"] = data["file"] = 8
    data["va"] = (code["va"] + code["memory"] - 1) // PAGE * PAGE + PAGE - 16


def _entry(rng: random.Random, image: Image, bounds: Bounds) -> None:
    code = _code(image)
    image.header["entry"] = rng.choice(
        (0, code["va"] - 1, code["va"] + code["memory"], _data(image)["va"])
    )


def _sizes(rng: random.Random, image: Image, bounds: Bounds) -> None:
    code = _code(image)
    code["memory"] = code["file"] - rng.randrange(1, 16)


def _none(rng: random.Random, image: Image, bounds: Bounds) -> None:
    for one in image.segments:
        one["type"] = NOTE


def _huge(rng: random.Random, image: Image, bounds: Bounds) -> None:
    image.header["phnum"] = rng.choice((0xFFFF, 0xFFFE))


def _many(rng: random.Random, image: Image, bounds: Bounds) -> None:
    """In 16 bits their length is 0."""
    image.header["phnum"] = 0x8000


def _far(rng: random.Random, image: Image, bounds: Bounds) -> None:
    image.header["phoff"] = FORMS[image.arch].word - rng.choice((4, 32, 56))


def _strange(rng: random.Random, image: Image, bounds: Bounds) -> None:
    image.header["phentsize"] = FORMS[image.arch].segment_bytes + rng.choice((-8, 8))


DAMAGES: dict[str, Damage] = {
    "it ends in the middle of a segment": _cut,
    "its first four bytes are others": _magic(0, 1, 2, 3),
    "it is of another class": _magic(4),
    "it is of another byte order": _magic(5),
    "it is of another version": _magic(6),
    "it is for another processor": _machine,
    "it is an object or a memory dump": _type,
    "it is a library": _library,
    "a segment lies over the kernel": _over_kernel,
    "a segment reaches beyond PROGRAM_HIGH": _over_stack,
    "a segment's end wraps around": _wrap,
    "a segment's place in the file wraps around": _wrap_file,
    "two segments share a page": _overlap,
    "the entry is in no code": _entry,
    "a segment has more bytes in the file than in memory": _sizes,
    "no segment is to be loaded": _none,
    "it has tens of thousands of segments": _huge,
    "it has 32768 segments": _many,
    "its segments' headers lie far beyond its end": _far,
    "its segments' headers have another size": _strange,
}


def damaged(
    rng: random.Random, arch: str, good: bytes, how: str, bounds: Bounds
) -> bytes:
    """The good image with that one thing wrong."""
    image = Image.of(arch, good)
    DAMAGES[how](rng, image, bounds)
    return image.bytes() if len(image.data) == len(good) else bytes(image.data)


def mutated(rng: random.Random, arch: str, good: bytes) -> bytes:
    """The good image with some bytes of its headers changed, or cut off anywhere."""
    form = FORMS[arch]
    made = bytearray(good)
    count = struct.unpack_from(form.header, good)[_HEADER.index("phnum")]
    end = form.header_bytes + count * form.segment_bytes
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(end)
        made[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    if rng.random() < 0.15:
        del made[rng.choice((rng.randrange(end), rng.randrange(len(made)))) :]
    return bytes(made)


def names(codes: set[int]) -> str:
    return " or ".join(NAMES[code] for code in sorted(codes, reverse=True))


def numbers(arch: str, image: bytes) -> str:
    """What an image says of itself, as far as it holds its own headers."""
    form, parts = FORMS[arch], []
    if len(image) >= form.header_bytes:
        head = dict(zip(_HEADER, struct.unpack_from(form.header, image)))
        room = (len(image) - head["phoff"]) // form.segment_bytes
        for n in range(min(head["phnum"], max(room, 0), _SHOWN)):
            at = head["phoff"] + n * form.segment_bytes
            row = dict(zip(form.order, struct.unpack_from(form.segment, image, at)))
            parts.append(
                f"segment {n}: type {row['type']:#x}, offset {row['offset']:#x}, "
                f"va {row['va']:#x}, file_bytes {row['file']:#x}, "
                f"memory_bytes {row['memory']:#x}"
            )
        parts.insert(
            0,
            f"{head['phnum']} segments of {head['phentsize']} bytes at "
            f"{head['phoff']:#x}, entry {head['entry']:#x}",
        )
    return "; ".join([f"{len(image):#x} bytes", *parts])
