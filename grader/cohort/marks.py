# SPDX-License-Identifier: MIT
"""From results to one mark each: architectures added, the better carry, late days.

A mark is points, less LATE_PENALTY percent of them for every day that was begun; it is
never below zero, and rounded half up to hundredths. Who is not scored has none.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from grader.cohort.model import Carry, HandedIn
from grader.cohort.store import Result, Store
from grader.course import Course
from grader.errors import OperatorError

PENALTY = 10.0
PENALTY_SETTING, ARCHES_SETTING, CARRY_SETTING = "late_penalty", "arches", "carry"


@dataclass(frozen=True)
class Mark:
    """results: those that count, one an architecture. points, mark: None if one of them
    is missing or not scored. percent: what lateness takes off."""

    handed_in: HandedIn
    results: tuple[Result, ...]
    points: int | None
    max_points: int
    percent: float

    @property
    def mark(self) -> Decimal | None:
        if self.points is None:
            return None
        exact = Decimal(self.points) * (100 - Decimal(str(self.percent))) / 100
        return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def marks(store: Store, course: Course, stage: str) -> list[Mark]:
    """One for everybody who handed something in, by name."""
    of = course.stage(stage)
    arches = store.setting(ARCHES_SETTING).split() or of.arches
    penalty = float(store.setting(PENALTY_SETTING) or PENALTY)
    carry = Carry.parse(store.setting(CARRY_SETTING) or Carry.BEST.value)
    results = [r for r in store.results(stage) if carry in (r.carry, Carry.BEST)]
    found = []
    for one in store.handed_in(stage):
        mine = [r for r in results if r.submission == one.name]
        counting = [_better([r for r in mine if r.arch == arch]) for arch in arches]
        points = [result.points if result else None for result in counting]
        scored = [number for number in points if number is not None]
        found.append(
            Mark(
                handed_in=one,
                results=tuple(result for result in counting if result),
                points=sum(scored) if len(scored) == len(points) else None,
                max_points=sum(of.points(arch) for arch in arches),
                percent=min(100.0, penalty * math.ceil(one.late_days)),
            )
        )
    return found


def _better(results: Sequence[Result]) -> Result | None:
    """The one with most points; one that is not scored leaves the mark open."""
    if not results or any(result.points is None for result in results):
        return None
    return max(results, key=lambda result: result.points or 0)


def late(file: Path, every: Sequence[HandedIn]) -> tuple[list[HandedIn], list[str]]:
    """Everybody with the days that the CSV file says (student,days), and the students
    in it who handed nothing in.

    A student is named as the submission is, or by name, email, sid or id as the
    platform has it. Raises OperatorError for a line that is neither.
    """
    found = {one.name: dataclasses.replace(one, late_days=0.0) for one in every}
    unknown = []
    for number, student, days in _lines(file):
        named = [one for one in found.values() if student in _words(one)]
        if len(named) > 1:
            what = f"{file}, line {number}: {student} is the name of {len(named)}"
            raise OperatorError(what, f"write {' or '.join(o.title for o in named)}")
        for one in named:
            found[one.name] = dataclasses.replace(one, late_days=days)
        if not named:
            unknown.append(student)
    return list(found.values()), unknown


def _lines(file: Path) -> Iterable[tuple[int, str, float]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = [*csv.reader(stream)]
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"LATE={file}: {error}", "give a CSV file") from None
    for number, row in enumerate(rows, 1):
        words = [word.strip() for word in row]
        if not any(words) or (number == 1 and words == ["student", "days"]):
            continue
        try:
            student, text = words
            days = float(text)
            if not 0 <= days < math.inf:
                raise ValueError
        except ValueError:
            what = f"{file}, line {number}, is no student,days"
            raise OperatorError(what, "write Ada Lovelace,1.5") from None
        yield number, student, days


def _words(one: HandedIn) -> set[str]:
    known = {value for each in one.people for value in each.values() if value}
    return known | {one.name, one.title}
