# SPDX-License-Identifier: MIT
"""Random memory maps and requests for 07, and what must come of them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PAGE = 4096
KERNEL_BASE = 0x100000  # memmap.h; whatever the map says, nothing below is free
TOP = 1 << 64
USABLE, FIRMWARE, RESERVED = 0, 1, 2  # as in the scenario
ONE, MANY, CLEAN, FREE, FREES, JOIN = range(6)
MOST_MANY = 24  # frames of one request, but for the first of many
EXACT = 32  # frames of that one: exactly as many as the longest range has
TOO_MANY = 0x80000000, 0xFFFFFFFF, 0x00100001  # in bytes, 32 bits do not hold them


@dataclass(frozen=True)
class Range:
    """Bytes of physical memory; kind: USABLE, FIRMWARE or RESERVED."""

    base: int
    size: int
    kind: int

    @property
    def end(self) -> int:
        return self.base + self.size

    def __str__(self) -> str:
        what = ("usable", "not usable in the map", "reserved by the kernel")[self.kind]
        return f"{self.base:#x} to below {self.end:#x} ({what})"


def packed(maps: Iterable[Sequence[Range]]) -> bytes:
    """The module "maps"."""
    return b"".join(
        struct.pack("<QQII", one.base, one.size, number, one.kind)
        for number, ranges in enumerate(maps)
        for one in ranges
    )


def free_frames(ranges: Sequence[Range], low: int, high: int) -> set[int]:
    """Numbers of the frames that frames_init must find free, in low to high."""
    usable = _joined(one for one in ranges if one.kind == USABLE and one.size)
    free: set[int] = set()
    for base, end in usable:
        first, last = -(-max(base, low) // PAGE), min(end, high) // PAGE
        free.update(range(first, last))
    for one in ranges:
        if one.kind != USABLE and one.size:
            first, last = one.base // PAGE, -(-min(one.end, high) // PAGE)
            free.difference_update(range(first, last))
    return free


def _joined(ranges: Iterable[Range]) -> list[tuple[int, int]]:
    """Base and end of what overlaps or adjoins, ascending."""
    found: list[tuple[int, int]] = []
    for one in sorted(ranges, key=lambda one: one.base):
        if found and one.base <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], one.end))
        else:
            found.append((one.base, one.end))
    return found


def runs(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Maximal runs as (first frame, how many), ascending."""
    here = set(frames)
    behind = {frame + 1 for frame in here}
    ends = zip(sorted(here - behind), sorted(behind - here))
    return [(first, end - first) for first, end in ends]


def must_fit(free: set[int], frames: int) -> bool:
    """Whether frames_alloc(frames) has no excuse: see the contract."""
    if not frames:
        return False
    size = 1 << (frames - 1).bit_length()
    starts = (frame for frame in free if not frame % size)
    return any(free.issuperset(range(start, start + size)) for start in starts)


def random_map(
    rng: random.Random, low: int, ram_end: int, identity_end: int
) -> list[Range]:
    """A map whose free frames lie in low to ram_end; all else is only claimed."""
    middle = rng.randrange(low + 64 * PAGE, ram_end - 64 * PAGE)
    gap = rng.randrange(1, 3 * PAGE)
    ranges = [
        Range(0, 0x9FC00, USABLE),
        Range(0x9FC00, 0x400, FIRMWARE),
        Range(0xF0000, 0x10000, FIRMWARE),
        Range(KERNEL_BASE, middle - KERNEL_BASE, USABLE),  # they adjoin, within a page
        Range(middle, rng.randrange(9, 40) * PAGE + 77, USABLE),
        Range(middle + 50 * PAGE + gap, ram_end - middle - 50 * PAGE - gap, USABLE),
        Range(
            KERNEL_BASE, low + rng.choice((0, 0, 1, PAGE - 1)) - KERNEL_BASE, RESERVED
        ),
        Range(identity_end + rng.randrange(64) * PAGE, 1 << 26, USABLE),
        # Without its bit 32 it would fill the hole behind the middle.
        Range((1 << 32) + middle - rng.randrange(8) * PAGE, 1 << 22, USABLE),
        Range(TOP - (1 << 16), 1 << 16, FIRMWARE),
    ]
    for _ in range(rng.randrange(12, 30)):
        base = rng.randrange(low, ram_end - 40 * PAGE)
        size = rng.choice((0, 1, 13, PAGE, rng.randrange(1, 30 * PAGE)))
        if rng.random() < 0.4:
            base -= base % PAGE  # ends and begins with a page
            size = rng.choice((0, PAGE, rng.randrange(1, 20) * PAGE))
        ranges.append(Range(base, size, rng.choice((FIRMWARE, RESERVED, RESERVED))))
    if rng.random() < 0.4:  # its end is 2^64, which is 0 in 64 bits
        base = ram_end - rng.randrange(1, 60 * PAGE)
        ranges.append(Range(base, TOP - base, rng.choice((FIRMWARE, RESERVED))))
    for _ in range(3):  # a usable range within what is usable already
        base = rng.randrange(low, ram_end - 40 * PAGE)
        ranges.append(Range(base, rng.randrange(20 * PAGE), USABLE))
    rng.shuffle(ranges)
    return ranges


def small_map(rng: random.Random, low: int) -> list[Range]:
    """About 180 frames in pieces, so that requests soon meet the end of memory.

    The last one is of EXACT frames, from a multiple of these on; none is longer.
    """
    base = low + rng.randrange(64) * PAGE
    ranges = []
    for _ in range(rng.randrange(5, 8)):
        size = rng.randrange(17, EXACT) * PAGE
        ranges.append(Range(base, size, USABLE))
        base += size + rng.randrange(1, 5) * PAGE
    base += -base % (EXACT * PAGE)
    ranges.append(Range(base, EXACT * PAGE, USABLE))
    rng.shuffle(ranges)
    return ranges


Request = tuple[int, int, int, int]  # kind, slot, first, frames


def random_requests(
    rng: random.Random, count: int, frames: int, *, many: bool
) -> list[Request]:
    """Requests that fill `frames` frames, and free them again, in parts if `many`.

    The first of many fits exactly. Each slot is freed at most once over; slots that got
    nothing are skipped by whoever plays the trace. A few requests are for no frames, or
    for more than there can be.
    """
    requests: list[Request] = []
    left: dict[int, list[int]] = {}  # by slot: its frames that are not freed yet
    slots = 0
    if many:
        requests.append((MANY, 0, 0, EXACT))
        left[0] = list(range(EXACT))
        slots = 1
    filling = True
    while len(requests) < count:
        held = sum(map(len, left.values()))
        filling = held < frames // 4 or (filling and held < frames + MOST_MANY)
        if many and rng.random() < 0.01:
            requests.append((JOIN, 0, 0, 0))
            left.clear()
        elif not left or rng.random() < (0.8 if filling else 0.2):
            size = rng.randrange(1, MOST_MANY) if many and rng.random() < 0.6 else 1
            kind = MANY if size > 1 or (many and rng.random() < 0.5) else ONE
            clean = rng.random() < 0.05 and (1 < size < 4 if many else True)
            if kind == MANY and not clean and rng.random() < 0.04:
                size = rng.choice((0, 0, *TOO_MANY))
            requests.append((CLEAN if clean else kind, 0, 0, size))
            if not clean and 0 < size < MOST_MANY:
                left[slots] = list(range(size))
            slots += 1
        else:
            slot = rng.choice(list(left))
            requests.append(_part(rng, slot, left, many))
    return requests


def _part(
    rng: random.Random, slot: int, left: dict[int, list[int]], many: bool
) -> Request:
    """Free all of a slot, or some of it that lies side by side."""
    first, length = rng.choice(runs(left[slot]))
    size = rng.randrange(1, length + 1)
    at = first + rng.randrange(length - size + 1)
    if many and rng.random() < 0.05:
        return FREES, slot, at, 0
    left[slot] = [n for n in left[slot] if not at <= n < at + size]
    if not left[slot]:
        del left[slot]
    kind = FREE if size == 1 and (not many or rng.random() < 0.7) else FREES
    return kind, slot, at, size


def packed_requests(requests: Iterable[Request]) -> bytes:
    """The module "requests"."""
    return b"".join(struct.pack("<IIII", *request) for request in requests)


@dataclass(frozen=True)
class Wrong:
    """The first result that cannot be: which request, and what is wrong with it."""

    request: Request
    number: int
    what: str
    result: int


@dataclass
class Replay:
    """The requests again, with the results that the submission gave.

    free: the frames that are free now; clean: those that nobody wrote to.
    """

    free: set[int]
    owned: set[int]
    clean: set[int]
    wrong: Wrong | None = None

    @classmethod
    def of(
        cls, free: set[int], requests: Sequence[Request], results: Sequence[int]
    ) -> Replay:
        """Play to the end, or to the first result that is wrong."""
        now = cls(set(free), set(), set())
        got = iter(results)
        slots: list[int] = []
        for number, request in enumerate(requests):
            kind, slot, first, count = request
            if kind <= CLEAN:
                result = next(got, None)
                if result is None:
                    return now
                slots.append(result)
                what = now._take(result, count, kind)
                if what:
                    now.wrong = Wrong(request, number, what, result)
                    return now
            elif kind == JOIN:
                now._give(set(now.owned))
            elif slots[slot]:
                base = slots[slot] // PAGE + first
                now._give(set(range(base, base + count)))
        return now

    def _take(self, result: int, count: int, kind: int) -> str:
        if not result:
            return "nothing, although there was room" if self._room(count) else ""
        if not count:
            return f"the address {result:#x}, although no frames were asked for"
        if count > len(self.free):
            return f"the address {result:#x}, although so many are not free"
        frames = set(range(result // PAGE, result // PAGE + count))
        if result % PAGE:
            return "an address within a page"
        taken = (frames & self.owned) | (frames & self.clean)
        if taken:
            return f"frame {min(taken) * PAGE:#x}, which is handed out already"
        if not frames <= self.free:
            stray = min(frames - self.free) * PAGE
            return f"frame {stray:#x}, which never was free"
        self.free -= frames
        (self.clean if kind == CLEAN else self.owned).update(frames)
        return ""

    def _room(self, count: int) -> bool:
        return must_fit(self.free, count)

    def _give(self, frames: set[int]) -> None:
        self.owned -= frames
        self.free |= frames


def shown(ranges: Sequence[tuple[int, int]], at: int) -> str:
    """The range at a position, in words."""
    if at >= len(ranges):
        return "no further range"
    first, count = ranges[at]
    return f"{first * PAGE:#x} to below {(first + count) * PAGE:#x}"
