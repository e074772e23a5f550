# SPDX-License-Identifier: MIT
"""One stage of a class, gathered from the store: marks, checks, mistakes, problems."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.cohort.marks import ARCHES_SETTING, Mark, marks
from grader.cohort.store import Result, Store
from grader.course import Course, Stage
from grader.verdict.model import Status

LOST = (Status.FAIL.value, Status.BUILD_ERROR.value)
NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")


@dataclass(frozen=True)
class Tally:
    """How a check came out on one architecture. counts: results by status."""

    id: str
    task: str
    title: str
    arch: str
    points: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Mistake:
    """A misconception. text: as one of them was told it. checks: where it showed. who:
    names of submissions, each once."""

    text: str
    checks: tuple[str, ...]
    who: tuple[str, ...]


@dataclass(frozen=True)
class StageResults:
    """marks: of everybody, by name. unscored: names, and why."""

    stage: Stage
    arches: tuple[str, ...]
    marks: tuple[Mark, ...]
    tallies: tuple[Tally, ...]
    mistakes: tuple[Mistake, ...]
    unscored: Mapping[str, str]

    @property
    def max_points(self) -> int:
        return sum(self.stage.points(arch) for arch in self.arches)

    @property
    def titles(self) -> dict[str, str]:
        return {mark.handed_in.name: mark.handed_in.title for mark in self.marks}


def gather(store: Store, course: Course, stage_id: str) -> StageResults:
    stage = course.stage(stage_id)
    chosen = store.setting(ARCHES_SETTING).split()
    every = marks(store, course, stage_id)
    last = {row["submission"]: str(row["detail"]) for row in store.attempts(stage_id)}
    graded = [r for m in every if not m.handed_in.problem for r in m.results]
    unscored = {
        one.name: one.fault or last.get(one.name, "It has not been graded yet.")
        for one in (mark.handed_in for mark in every if mark.mark is None)
    }
    return StageResults(
        stage=stage,
        arches=tuple(arch for arch in stage.arches if arch in chosen or not chosen),
        marks=tuple(every),
        tallies=tuple(_tallies(graded)),
        mistakes=tuple(_mistakes(graded)),
        unscored=unscored,
    )


def _checks(result: Result) -> list[Mapping[str, Any]]:
    return list(result.verdict["checks"]) if result.verdict else []


def _tallies(results: list[Result]) -> Iterator[Tally]:
    known: dict[tuple[str, str], Mapping[str, Any]] = {}
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for result in results:
        for check in _checks(result):
            key = result.arch, check["id"]
            known.setdefault(key, check)
            counts[key][check["status"]] += 1
    for (arch, name), check in known.items():
        told = (check["task"], check["title"], arch, check["max_points"])
        yield Tally(name, *told, counts[arch, name])


def _mistakes(results: list[Result]) -> list[Mistake]:
    """The most frequent first. Alike are causes that differ in numbers alone: each
    submission has a seed of its own, and so have its values."""
    texts: dict[str, str] = {}
    checks: dict[str, dict[str, None]] = defaultdict(dict)
    who: dict[str, dict[str, None]] = defaultdict(dict)
    for result in results:
        for check in _checks(result):
            if check["status"] not in LOST:
                continue
            text = _cause(result, check)
            key = NUMBER.sub("0", text)
            texts.setdefault(key, text)
            checks[key][check["id"]] = None
            who[key][result.submission] = None
    found = [Mistake(texts[key], (*checks[key],), (*who[key],)) for key in texts]
    return sorted(found, key=lambda mistake: -len(mistake.who))


def _cause(result: Result, check: Mapping[str, Any]) -> str:
    """What made it fail, without what only this submission has."""
    assert result.verdict
    if check.get("cause"):
        return str(check["cause"])
    if check["status"] == Status.BUILD_ERROR.value:
        every = result.verdict["messages"]
        first = next((m for m in every if m["severity"] == "error"), None)
        return f"It does not build: {first['text'] if first else check['seen']}"
    return f"No cause was told where this should hold: {check['title']}"
