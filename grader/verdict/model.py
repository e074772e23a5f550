# SPDX-License-Identifier: MIT
"""The verdict's data: one for each stage and architecture, schema ringlab/verdict/1."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from grader.course import WHOLE
from grader.evidence.exhibit import Exhibit

SCHEMA = "ringlab/verdict/1"


class Status(str, Enum):
    """How a check, or a whole stage, came out."""

    PASS = "pass"
    FAIL = "fail"
    BLOCKED = "blocked"
    NOT_IMPLEMENTED = "not implemented"
    BUILD_ERROR = "build error"
    HARNESS_ERROR = "harness error"


@dataclass(frozen=True)
class CheckResult:
    """One check's outcome. Texts are plain; "" where there is nothing to say.

    staff: a check of the staff's, of which students see what `shown` says (see course)
    from the day shown_from on, YYYY-MM-DD; "": at once.
    boots: names of those that the check reads, keys of the verdict's logs. exhibits:
    what the CPU met, decoded beside what it should be, most telling first.
    """

    id: str
    task: str
    title: str
    status: Status
    points: int
    max_points: int
    expected: str = ""
    seen: str = ""
    cause: str = ""
    hint: str = ""
    read: str = ""
    source: str = ""
    blocked_by: str = ""
    bonus: bool = False
    staff: bool = False
    shown: str = WHOLE
    shown_from: str = ""
    boots: tuple[str, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()

    def explanation(self) -> str:
        """Every word that the student is told about this check."""
        texts = (self.expected, self.seen, self.cause, self.hint, self.read)
        return "\n".join((*texts, self.source))

    def mistake(self) -> str:
        """What checks that met the same mistake share: a report tells it once."""
        return f"{self.seen}\n{self.cause}" if self.cause else self.explanation()

    def told(self) -> list[tuple[str, str]]:
        """The same in the order of a report, each text with its name; no empty one."""
        rows = (
            ("expected", self.expected),
            ("seen", self.seen),
            ("at", self.source),
            ("cause", self.cause),
            ("mend", self.hint),
            ("read", self.read),
        )
        return [row for row in rows if row[1]]


@dataclass(frozen=True)
class BuildMessage:
    """A message of compiler, assembler or border check, at the student's line."""

    stage: str
    file: str
    line: int
    column: int
    severity: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """What the grader says about one stage on one architecture.

    points: all that were earned, those of bonus checks too, so that they can exceed
    max_points, which leaves these out. The status says nothing of bonus checks.
    """

    stage: str
    title: str
    arch: str
    status: Status
    points: int
    max_points: int
    seed: str
    nonce: str
    evidence_digest: str
    sandbox: str
    command: str
    tools: Mapping[str, str]
    logs: Mapping[str, str]
    messages: tuple[BuildMessage, ...]
    checks: tuple[CheckResult, ...]
    schema: str = field(default=SCHEMA)

    @property
    def bonus(self) -> int:
        """How many of the points come from bonus checks."""
        return sum(check.points for check in self.checks if check.bonus)

    @property
    def counted(self) -> int:
        """The points without those of bonus checks: never more than max_points."""
        return self.points - self.bonus

    def to_json(self) -> dict[str, Any]:
        data = dataclasses.asdict(self)
        return {"schema": data.pop("schema"), **data}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        fields = dict(data)
        fields["status"] = Status(fields["status"])
        fields["messages"] = tuple(BuildMessage(**m) for m in fields["messages"])
        fields["checks"] = tuple(check_from_json(c) for c in fields["checks"])
        return cls(**fields)


def check_from_json(data: Mapping[str, Any]) -> CheckResult:
    fields = dict(data)
    fields["status"] = Status(fields["status"])
    fields["boots"] = tuple(fields.get("boots", ()))
    shown = fields.get("exhibits", ())
    fields["exhibits"] = tuple(Exhibit.from_json(exhibit) for exhibit in shown)
    return CheckResult(**fields)


def plain(text: str, limit: int = 4000) -> str:
    """`text` without control characters (line feeds stay), `limit` characters at most.

    What a student's program or file says must not steer the reader's terminal.
    """
    shown = "".join(c if c == "\n" or c.isprintable() else _escaped(c) for c in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def plain_exhibit(exhibit: Exhibit) -> Exhibit:
    """Like plain, for one exhibit: each text is a single line."""
    return exhibit.map(lambda text: plain(text, 400).replace("\n", " "))


def _escaped(char: str) -> str:
    return "    " if char == "\t" else char.encode("unicode_escape").decode()


def overall(results: Iterable[CheckResult]) -> Status:
    """The status of a stage whose checks came out as `results`.

    Bonus checks have no part in it, unless the grader or the build failed.
    """
    every = list(results)
    for status in (Status.HARNESS_ERROR, Status.BUILD_ERROR):
        if any(result.status is status for result in every):
            return status
    found = {result.status for result in every if not result.bonus}
    if found <= {Status.PASS}:
        return Status.PASS
    if found <= {Status.NOT_IMPLEMENTED, Status.BLOCKED}:
        return Status.NOT_IMPLEMENTED
    return Status.FAIL


def digest(facts: Mapping[str, Mapping[str, Any]]) -> str:
    """sha256 over the judged facts, check by check: equal evidence, equal digest."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
