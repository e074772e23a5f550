# SPDX-License-Identifier: MIT
"""Rings over time: which stack the CPU ran on, in which ring, and what stopped it.

The log has no clock, so time is the order of its records. What tells threads apart is
the stack pointer: adjacent pages count as one stack, and each stack gets a lane.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from grader.evidence.events import Block, Event, Interrupt, TripleFault
from grader.evidence.paging import PAGE_BYTES
from grader.evidence.scene import MNEMONICS

SINGLY = 80  # records at either end that are shown one by one
COLUMNS = 400  # of a picture: more records share one
LANES = 12  # what is beyond them is told as a number
TEXTS = 120  # marks of a lane that say what they are
LANDINGS = 8  # of a lane that are looked at
FAULT, HARDWARE, CALL = "fault", "hardware", "call"
Record = Union[Interrupt, Block]
Runs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Mark:
    """A fault or an `int n`. count: how many of the kind share the column."""

    column: int
    kind: str
    count: int
    label: str
    text: str


@dataclass(frozen=True)
class Lane:
    """A stack. spans: runs of columns (first, how many) in which the CPU was there.

    ticks: columns with an interrupt from outside. landed: the ring-0 stacks that the
    first interruptions from here arrived on, "" if the log does not show them.
    """

    ring: int
    stack: int
    records: int
    spans: Runs
    ticks: Runs
    marks: tuple[Mark, ...]
    landed: str = ""


@dataclass(frozen=True)
class Timeline:
    """records: how many there are; per_column: how many share a column at most.

    first: number of the first record. rings: ring to runs of columns. end: "", or what
    stopped the machine. hidden: records on stacks that have no lane. counts: what
    happened, in which ring, how often.
    """

    first: int
    records: int
    columns: int
    per_column: int
    rings: Mapping[str, Runs]
    lanes: tuple[Lane, ...]
    end: str
    hidden: int
    counts: tuple[tuple[str, int, int], ...]

    def to_json(self) -> dict[str, Any]:
        lanes = [
            {**vars(lane), "marks": [vars(mark) for mark in lane.marks]}
            for lane in self.lanes
        ]
        return {**vars(self), "lanes": lanes}


def timelines(events: Iterable[Event]) -> list[Timeline]:
    """The whole run and, where records share columns, its ends with each one singly."""
    every = list(events)
    records = [e for e in every if isinstance(e, (Interrupt, Block))]
    end = "triple fault" if any(isinstance(e, TripleFault) for e in every) else ""
    whole = _timeline(records, 0, end)
    if whole.per_column == 1:
        return [whole]
    last = len(records) - SINGLY
    return [
        whole,
        _timeline(records[:SINGLY], 0, ""),
        _timeline(records[last:], last, end),
    ]


def _timeline(records: list[Record], first: int, end: str) -> Timeline:
    width = max(1, -(-len(records) // COLUMNS))
    lanes = _lanes(records, width)
    lanes.sort(key=lambda lane: -lane.records)
    shown = sorted(lanes[:LANES], key=lambda lane: (-lane.ring, lane.stack))
    rings: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        rings[str(record.cpl)].append(number // width)
    counts = Counter(
        (describe(e)[1], e.cpl) for e in records if isinstance(e, Interrupt)
    )
    return Timeline(
        first=first,
        records=len(records),
        columns=-(-len(records) // width),
        per_column=width,
        rings={ring: _runs(columns) for ring, columns in sorted(rings.items())},
        lanes=tuple(shown),
        end=end,
        hidden=sum(lane.records for lane in lanes[LANES:]),
        counts=tuple((what, ring, n) for (what, ring), n in counts.most_common()),
    )


def describe(event: Interrupt) -> tuple[str, str]:
    """What kind of record it is, and its name: "#PF", "IRQ 0x20", "int 0x80"."""
    if event.hardware:
        return HARDWARE, f"IRQ {event.v:#04x}"
    if event.i:
        return CALL, f"int {event.v:#04x}"
    return FAULT, MNEMONICS.get(event.v, f"fault {event.v:#04x}").split(" ")[0]


@dataclass
class _Lane:
    columns: list[int] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    marks: dict[tuple[int, str], list[Interrupt]] = field(
        default_factory=lambda: defaultdict(list)
    )
    landed: list[int] = field(default_factory=list)


def _stacks(records: list[Record]) -> dict[tuple[int, int], int]:
    """The stack that a ring and a page of it belong to: its lowest page in use.

    A stack pointer names the bytes below it.
    """
    pages = sorted({_page(e) for e in records if isinstance(e, Interrupt)})
    found: dict[tuple[int, int], int] = {}
    for ring, page in pages:
        found[ring, page] = found.get((ring, page - 1), page)
    return found


def _page(event: Interrupt) -> tuple[int, int]:
    return event.cpl, (event.sp - 1) // PAGE_BYTES


def _lanes(records: list[Record], width: int) -> list[Lane]:
    stacks = _stacks(records)
    found: dict[tuple[int, int], _Lane] = defaultdict(_Lane)
    for number, event in enumerate(records):
        if isinstance(event, Block):
            continue
        lane = found[event.cpl, stacks[_page(event)]]
        column, kind = number // width, describe(event)[0]
        lane.columns.append(column)
        if kind == HARDWARE:
            lane.ticks.append(column)
        else:
            lane.marks[column, kind].append(event)
        after = records[number + 1] if number + 1 < len(records) else None
        if isinstance(after, Block) and after.dump and len(lane.landed) < LANDINGS:
            if after.cpl < event.cpl:
                lane.landed.append((after.regs.sp or 0) & -PAGE_BYTES)
    return [
        Lane(
            ring=ring,
            stack=stack * PAGE_BYTES,
            records=len(lane.columns),
            spans=_runs(lane.columns),
            ticks=_runs(lane.ticks),
            marks=_marks(lane.marks),
            landed=", ".join(f"{page:#x}" for page in sorted(set(lane.landed))),
        )
        for (ring, stack), lane in found.items()
    ]


def _runs(columns: Iterable[int]) -> Runs:
    """Ascending numbers, as (first, how many) of those without a gap."""
    runs: list[tuple[int, int]] = []
    for column in columns:
        if runs and column < sum(runs[-1]):
            continue
        if runs and column == sum(runs[-1]):
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((column, 1))
    return tuple(runs)


def _marks(found: Mapping[tuple[int, str], list[Interrupt]]) -> tuple[Mark, ...]:
    made: list[Mark] = []
    for (column, kind), events in found.items():
        told = len(made) < TEXTS
        label = describe(events[0])[1] if told else ""
        text = _text(events) if told else ""
        made.append(Mark(column, kind, len(events), label, text))
    return tuple(made)


def _text(events: list[Interrupt]) -> str:
    first = events[0]
    text = f"record {first.number}: {describe(first)[1]} in ring {first.cpl}"
    text += f" at {first.pc:#x}"
    if first.e and not first.hardware:
        text += f", error code {first.e:#x}"
    if first.v == 14 and not first.hardware:
        text += f", CR2 {first.cr2:#x}"
    return text + (f", and {len(events) - 1} more" if len(events) > 1 else "")
