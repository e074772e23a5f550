# SPDX-License-Identifier: MIT
"""One item of work and what came of it: what planner, workers and store exchange."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from grader.errors import OperatorError
from grader.verdict.model import Status, Verdict

STORE, SPOOL, SUBMISSIONS = "class.sqlite", "spool", "submissions"
WORKERS = "workers"  # what they print, for whoever looks why one died


class Carry(str, Enum):
    """Whose earlier stages a submission is graded on; `best` plans both of the others.

    reference: one mistake costs points once. own: what was handed in, all of it.
    """

    OWN = "own"
    REFERENCE = "reference"
    BEST = "best"

    @classmethod
    def parse(cls, text: str) -> Carry:
        try:
            return cls(text)
        except ValueError:
            known = ", ".join(each.value for each in cls)
            what = f"CARRY={text} is unknown"
            raise OperatorError(what, f"choose from {known}") from None


@dataclass(frozen=True)
class Item:
    """One submission's stage on one architecture, and on whose earlier stages.

    key: of everything that the verdict depends on (see plan). src, prior: folders laid
    out as <folder>/<stage>/<path>. seed: as it is printed. carry: never `best`.
    """

    submission: str
    stage: str
    arch: str
    carry: Carry
    key: str
    seed: str
    src: str
    prior: str

    @property
    def id(self) -> str:
        """Unlike that of any other item, and a file name."""
        parts = (self.submission, self.stage, self.arch, self.carry.value)
        return ".".join((*parts, self.key[:16]))

    @property
    def slot(self) -> tuple[str, str, str, str]:
        """What at most one current result is for."""
        return self.submission, self.stage, self.arch, self.carry.value

    def to_line(self) -> str:
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Item:
        data = json.loads(line)
        return cls(**{**data, "carry": Carry(data["carry"])})


@dataclass(frozen=True)
class Attempt:
    """A try that did not end in a verdict to keep.

    what: "lost" (the worker died), "died" (the process that graded did, or the grader
    raised), "harness error" (the reference shows it in the same place too).
    """

    what: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What came of an item. Without a verdict nobody is scored.

    token: of this run of it, and of no other. folder: relative to OUT; "": there is
    none. cpu_s, wall_s: of the last try; CPU time of Python and of QEMU.
    """

    item: Item
    token: str
    verdict: Mapping[str, Any] | None
    folder: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    attempts: tuple[Attempt, ...] = ()

    @property
    def status(self) -> Status:
        if self.verdict is None:
            return Status.HARNESS_ERROR
        return Status(self.verdict["status"])

    @property
    def points(self) -> int | None:
        """None: it is not scored."""
        if self.verdict is None or self.status is Status.HARNESS_ERROR:
            return None
        return int(self.verdict["points"])

    @property
    def max_points(self) -> int | None:
        return None if self.verdict is None else int(self.verdict["max_points"])

    def whole(self) -> Verdict | None:
        return None if self.verdict is None else Verdict.from_json(self.verdict)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        fields = dict(data)
        item = dict(data["item"])
        fields["item"] = Item(**{**item, "carry": Carry(item["carry"])})
        fields["attempts"] = tuple(Attempt(**each) for each in data["attempts"])
        return cls(**fields)


@dataclass(frozen=True)
class HandedIn:
    """What somebody handed in for one stage.

    name: of its folder below OUT/submissions, unlike any other. title: as it came.
    people: what the platform says of each, by its own words (name, email, sid, id).
    src: the frozen gap files, relative to OUT. digest: of these. problem: why it gets
    no points, a fault of its own; "" if it is graded. fault: why it could not be read,
    no fault of whoever handed it in: it is not scored. notes: what the student should
    know though it is graded. late_days: as LATE says, 0 without.
    """

    name: str
    stage: str
    title: str
    src: str = ""
    digest: str = ""
    problem: str = ""
    fault: str = ""
    notes: tuple[str, ...] = ()
    people: tuple[Mapping[str, str], ...] = ()
    late_days: float = 0.0


def spool_file(out: Path, item: Item) -> Path:
    return out / SPOOL / f"{item.id}.json"
