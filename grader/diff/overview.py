# SPDX-License-Identifier: MIT
"""A folder of submissions as tables: a stage each, a row for each submission."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.course import Stage
from grader.diff.compare import Comparison, State


@dataclass(frozen=True)
class Entry:
    """A submission; without a comparison, why there is none. page: its file's name."""

    name: str
    page: str
    comparison: Comparison | None
    why: str = ""


@dataclass(frozen=True)
class Line:
    """states: one for each task of the stage; none if the submission lacks it."""

    entry: Entry
    states: tuple[State, ...]
    strangers: int


@dataclass(frozen=True)
class Grid:
    stage: Stage
    lines: tuple[Line, ...]


def grids(stages: Sequence[Stage], entries: Sequence[Entry]) -> Iterator[Grid]:
    """A table for each stage that somebody has."""
    for stage in stages:
        lines = tuple(_line(stage, entry, entry.comparison) for entry in entries)
        if any(line.states for line in lines):
            yield Grid(stage, tuple(line for line in lines if line.entry.comparison))


def _line(stage: Stage, entry: Entry, found: Comparison | None) -> Line:
    mine = [s for s in found.stages if s.stage.id == stage.id] if found else []
    states = tuple(task.state for own in mine for task in own.tasks)
    return Line(entry, states, len(found.strangers) if found else 0)
