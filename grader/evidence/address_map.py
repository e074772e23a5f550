# SPDX-License-Identifier: MIT
"""Address spaces side by side: what each tree of page tables maps, and to which frames.

Everything is bounded: a tree is what a student's kernel left in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Optional

from grader.evidence import paging
from grader.evidence.memory import Physical
from grader.evidence.paging import Extent
from grader.evidence.trace import Interrupt

TREES, ROWS, FRAMES = 4, 24, 4  # shown at most; FRAMES: of one row in one tree
TABLES, EXTENTS = 256, 512  # looked at in one tree
NEEDED = 1 << 13  # records of the log that tell what lies where


@dataclass(frozen=True)
class Request:
    """What a boot wants drawn of the memory that it leaves.

    regions: name and first address of the kernel's parts, ascending, up to user_base;
    watched: addresses that are pointed out; word: bytes of what stands there.
    """

    arch: str
    regions: tuple[tuple[str, int], ...]
    user_base: int
    watched: tuple[int, ...] = ()

    @property
    def word(self) -> int:
        return 4 if self.arch == "i386" else 8


@dataclass(frozen=True)
class Tree:
    """One tree, as found. turns: records of ring 3 under it; whole: nothing was left
    out; code, stack: pages where ring 3 ran, and to which its stack pointer pointed."""

    name: str
    root: int
    extents: tuple[Extent, ...]
    whole: bool = True
    turns: int = 0
    code: frozenset[int] = frozenset()
    stack: frozenset[int] = frozenset()

    def at(self, va: int) -> Optional[Extent]:
        """The extent that holds va."""
        number = bisect_right(self.extents, va, key=lambda one: one.start) - 1
        found = self.extents[number] if number >= 0 else None
        return found if found and va < found.end else None

    def between(self, start: int, end: int) -> list[Extent]:
        """What is mapped there, cut at both ends."""
        return [
            Extent(
                max(one.start, start),
                min(one.end, end),
                one.pa + max(0, start - one.start),
                one.user,
                one.writable,
                one.executable,
            )
            for one in self.extents
            if one.start < end and start < one.end
        ]


@dataclass(frozen=True)
class Cell:
    """One row in one tree.

    kind: "kernel" (ring 0 alone), "user", "open" (ring 3 may use a part of the kernel)
    or "absent"; frames: (address, bytes); also: trees that let ring 3 see one of these
    frames, too; value: the word at a watched address.
    """

    kind: str = "absent"
    rights: str = ""
    pages: int = 0
    frames: tuple[tuple[int, int], ...] = ()
    also: tuple[str, ...] = ()
    value: Optional[int] = None


@dataclass(frozen=True)
class Row:
    """Addresses [start, end). watched: the address that is pointed out, or None."""

    start: int
    end: int
    what: str
    cells: tuple[Cell, ...]
    watched: Optional[int] = None

    @property
    def shared(self) -> bool:
        """Two trees have a frame of it in common."""
        return any(cell.also for cell in self.cells)


@dataclass(frozen=True)
class AddressMap:
    """Rows from the lowest address up. hidden, more: rows of ring 3 and trees that are
    left out."""

    trees: tuple[Tree, ...]
    rows: tuple[Row, ...]
    hidden: int = 0
    more: int = 0

    def to_json(self) -> dict[str, Any]:
        """For portrait.json."""
        return {
            "trees": [
                {"name": t.name, "root": t.root, "turns": t.turns, "whole": t.whole}
                for t in self.trees
            ],
            "rows": [
                {
                    "start": row.start,
                    "end": row.end,
                    "what": row.what,
                    "watched": row.watched,
                    "cells": [vars(cell) for cell in row.cells],
                }
                for row in self.rows
            ],
            "hidden": self.hidden,
            "more": self.more,
        }


def draw(
    ram: Physical,
    request: Request,
    roots: Mapping[int, str],
    records: Sequence[Interrupt] = (),
) -> AddressMap:
    """The maps of these trees, and of every other one under which ring 3 ran.

    roots: CR3 and the name of what has that tree.
    """
    names = dict(roots)
    ran: dict[int, list[Interrupt]] = {}
    for event in records[:NEEDED]:
        if event.cpl == 3 and "CR3" in event.regs:
            ran.setdefault(event.regs["CR3"], []).append(event)
    for root in ran:
        names.setdefault(root, "another tree")
    trees = tuple(
        _tree(ram, request.arch, root, name, ran.get(root, ()))
        for root, name in list(names.items())[:TREES]
    )
    user = _user_rows(ram, request, trees)
    shown = _chosen(user)
    rows = (*_kernel_rows(request, trees), *shown)
    return AddressMap(trees, rows, len(user) - len(shown), len(names) - len(trees))


def _tree(
    ram: Physical, arch: str, root: int, name: str, ran: Sequence[Interrupt]
) -> Tree:
    found, whole = paging.extents(ram, root, arch, tables=TABLES, most=EXTENTS)
    size = paging.PAGE_BYTES
    code = frozenset(event.pc // size for event in ran)
    stack = frozenset((event.sp - 1) // size for event in ran)
    return Tree(name, root, tuple(found), whole, len(ran), code, stack)


def _kernel_rows(request: Request, trees: Sequence[Tree]) -> list[Row]:
    """The kernel's parts, one row each; the hole up to ring 3 only if it is none."""
    ends = [start for _, start in request.regions[1:]] + [request.user_base]
    rows = [
        Row(start, end, name, tuple(_kernel_cell(t.between(start, end)) for t in trees))
        for (name, start), end in zip(request.regions, ends)
    ]
    if all(cell.kind == "absent" for cell in rows[-1].cells):
        rows.pop()
    return rows


def _kernel_cell(found: Sequence[Extent]) -> Cell:
    if not found:
        return Cell()
    opened = [one for one in found if one.user]
    shown = opened or found
    rights = {one.rights for one in shown}
    return Cell(
        "open" if opened else "kernel",
        rights.pop() if len(rights) == 1 else "",
        sum(one.end - one.start for one in shown) // paging.PAGE_BYTES,
    )


def _user_rows(ram: Physical, request: Request, trees: Sequence[Tree]) -> list[Row]:
    """What is mapped from user_base on, cut where it changes in one of the trees."""
    size = paging.PAGE_BYTES
    points = {request.user_base}
    for tree in trees:
        for one in tree.extents:
            points |= {one.start, one.end}
    for va in request.watched:
        points |= {va // size * size, va // size * size + size}
    cuts = sorted(point for point in points if point >= request.user_base)
    spans: list[tuple[int, int]] = []
    for start, end in pairwise(cuts):
        if not any(tree.at(start) for tree in trees):
            continue
        if (
            spans
            and spans[-1][1] == start
            and _alike(request, trees, *spans[-1], start)
        ):
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return [_user_row(ram, request, trees, *span) for span in spans]


def _alike(
    request: Request, trees: Sequence[Tree], start: int, end: int, following: int
) -> bool:
    """Whether the row goes on: pages with equal rights in each tree, none watched."""
    size = paging.PAGE_BYTES
    pages = {va // size for va in request.watched}
    if pages & {following // size, (end - 1) // size}:
        return False
    for tree in trees:
        one, other = tree.at(start), tree.at(following)
        if (one is None) != (other is None):
            return False
        if one and other and (one.user, one.rights) != (other.user, other.rights):
            return False
    return True


def _user_row(
    ram: Physical, request: Request, trees: Sequence[Tree], start: int, end: int
) -> Row:
    watched = next((va for va in request.watched if start <= va < end), None)
    cells = tuple(
        _user_cell(ram, request, trees, t, start, end, watched) for t in trees
    )
    size = paging.PAGE_BYTES
    inside = range(start // size, -(-end // size))
    what = ""
    for name in ("stack", "code"):
        if any(page in inside for tree in trees for page in getattr(tree, name)):
            what = name
    return Row(start, end, what, cells, watched)


def _user_cell(
    ram: Physical,
    request: Request,
    trees: Sequence[Tree],
    tree: Tree,
    start: int,
    end: int,
    watched: Optional[int],
) -> Cell:
    found = tree.between(start, end)
    if not found:
        return Cell()
    also = [
        other.name
        for other in trees
        if other is not tree and any(_overlap(one, other) for one in found)
    ]
    value = None
    if watched is not None:
        raw = ram.read(found[0].pa + watched - start, request.word)
        value = int.from_bytes(raw, "little") if len(raw) == request.word else None
    return Cell(
        "user" if found[0].user else "kernel",
        found[0].rights,
        sum(one.end - one.start for one in found) // paging.PAGE_BYTES,
        tuple((one.pa, one.end - one.start) for one in found[:FRAMES]),
        tuple(also),
        value,
    )


def _overlap(one: Extent, other: Tree) -> bool:
    """Ring 3 sees a frame of `one` in the other tree as well."""
    end = one.pa + one.end - one.start
    return one.user and any(
        two.user and two.pa < end and one.pa < two.pa + two.end - two.start
        for two in other.extents
    )


def _chosen(rows: list[Row]) -> list[Row]:
    """As many as are shown: first those that tell most, then from the lowest up."""
    order = sorted(
        range(len(rows)),
        key=lambda n: (not rows[n].shared, rows[n].watched is None, not rows[n].what),
    )
    return [rows[n] for n in sorted(order[:ROWS])]
