# SPDX-License-Identifier: MIT
"""What a process has while it lives: its areas, and which pages of them are there.

The areas are the kernel's word, the pages what the CPU would find. Everything is
bounded: areas and tree are what a student's kernel left in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from grader.evidence import paging
from grader.evidence.address_map import EXTENTS, TABLES
from grader.evidence.instruction import PF
from grader.evidence.memory import Physical
from grader.evidence.paging import PAGE_BYTES, Extent
from grader.evidence.trace import Interrupt

AREAS, PARTS, TOUCHES = 16, 64, 32  # shown at most; parts and touches of one area


@dataclass(frozen=True)
class Area:
    """What the kernel noted: addresses [start, end), and whose they are."""

    start: int
    end: int
    what: str
    rights: str


@dataclass(frozen=True)
class Held:
    """An area as found. parts: runs of pages that are there, as number of the first
    page and how many; touches: page numbers in the order of their first fault."""

    area: Area
    pages: int
    there: int
    parts: tuple[tuple[int, int], ...]
    touches: tuple[int, ...]


@dataclass(frozen=True)
class ProcessMap:
    """Areas from the lowest up. stray: pages of ring 3 that are in no area; pointer:
    where the stack pointer of ring 3 stood at its last record."""

    name: str
    root: int
    held: tuple[Held, ...]
    stray: tuple[tuple[int, int], ...]
    whole: bool
    pointer: Optional[int] = None

    def to_json(self) -> dict[str, Any]:
        """For portrait.json."""
        return {
            **vars(self),
            "held": [vars(one.area) | _without_area(one) for one in self.held],
        }


def _without_area(one: Held) -> dict[str, Any]:
    return {key: value for key, value in vars(one).items() if key != "area"}


def draw(
    ram: Physical,
    arch: str,
    name: str,
    root: int,
    areas: Sequence[Area],
    user_base: int,
    records: Sequence[Interrupt] = (),
) -> ProcessMap:
    """The map of the process that has this tree and these areas."""
    found, whole = paging.extents(ram, root, arch, tables=TABLES, most=EXTENTS)
    user = [one for one in found if one.user and one.start >= user_base]
    ran = [e for e in records if e.cpl == 3 and e.regs.get("CR3") == root]
    faults = [e.cr2 for e in ran if e.v == PF and e.fault]
    shown = sorted(areas, key=lambda area: area.start)[:AREAS]
    held = tuple(_held(area, user, faults) for area in shown if area.start < area.end)
    stray = tuple(_outside(user, shown))
    return ProcessMap(
        name, root, held, stray, whole, (ran[-1].sp or None) if ran else None
    )


def _held(area: Area, user: Sequence[Extent], faults: Sequence[int]) -> Held:
    parts: list[tuple[int, int]] = []
    there = 0
    for one in user:
        low, high = max(one.start, area.start), min(one.end, area.end)
        if low >= high:
            continue
        first, count = (low - area.start) // PAGE_BYTES, (high - low) // PAGE_BYTES
        there += count
        if parts and sum(parts[-1]) == first:
            parts[-1] = parts[-1][0], parts[-1][1] + count
        else:
            parts.append((first, count))
    inside = (va - area.start for va in faults if area.start <= va < area.end)
    touches = tuple(dict.fromkeys(offset // PAGE_BYTES for offset in inside))
    pages = (area.end - area.start) // PAGE_BYTES
    return Held(area, pages, there, tuple(parts[:PARTS]), touches[:TOUCHES])


def _outside(user: Sequence[Extent], areas: Sequence[Area]) -> list[tuple[int, int]]:
    """Start and end of what ring 3 may use without an area, PARTS at most."""
    found: list[tuple[int, int]] = []
    for one in user:
        at = one.start
        for area in areas:
            if area.start < one.end and at < area.end:
                if at < area.start:
                    found.append((at, area.start))
                at = max(at, area.end)
        if at < one.end:
            found.append((at, one.end))
    return found[:PARTS]
