# SPDX-License-Identifier: MIT
"""What every exporter needs of a run: its checks in words, its points, its faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.reports.data import RunData
from grader.verdict.model import CheckResult, Status, Verdict, plain

TEXT_LIMIT = 20_000  # characters of one check
MESSAGES = 20  # of the compilers, a verdict
NOT_GRADED = (
    "The grader could not grade this. That says nothing about your work, and there is "
    "no mark: please tell the course's staff."
)


@dataclass(frozen=True)
class Export:
    """What a platform takes: the text of its file, and what it reads on the output."""

    file: str = ""
    said: str = ""


def fault(run: RunData) -> str:
    """Why the run is no basis for a mark, in words for the staff; "" if it is one.

    One check that the grader failed at is enough: its points are neither earned nor
    lost, so there is no sum.
    """
    if run.error:
        return run.error
    for verdict, check in checks(run):
        if check.status is Status.HARNESS_ERROR:
            return f"{check.id} on {verdict.arch}: {check.seen}"
    return "" if run.stages else "no stage was graded"


def checks(run: RunData) -> Iterator[tuple[Verdict, CheckResult]]:
    for stage in run.stages:
        for check in stage.verdict.checks:
            yield stage.verdict, check


def name(verdict: Verdict, check: CheckResult) -> str:
    """A line that no other check of the run has."""
    bonus = " (bonus)" if check.bonus else ""
    return line(f"{check.id} on {verdict.arch}: {check.title}{bonus}")


def passed(check: CheckResult) -> bool:
    return check.status is Status.PASS


def explained(check: CheckResult, limit: int = TEXT_LIMIT) -> str:
    """All that the student is told about a check that did not pass; else ""."""
    if passed(check):
        return ""
    lines = [] if check.status is Status.FAIL else [check.status.value]
    lines += [f"{label}: {text}" for label, text in check.told()]
    for exhibit in check.exhibits:
        lines += ["", *exhibit.lines()]
    return plain("\n".join(lines), limit)


def overview(run: RunData) -> str:
    """Points by stage, what the compilers said, and how to see the same at home."""
    lines = [total(run)]
    for stage in run.stages:
        verdict = stage.verdict
        points = f"{verdict.points - verdict.bonus} of {verdict.max_points} points"
        more = f", and {verdict.bonus} bonus" if verdict.bonus else ""
        lines += ["", f"{verdict.stage} on {verdict.arch}: {points}{more}"]
        ordered = sorted(verdict.messages, key=lambda m: m.severity != "error")
        lines += [
            f"{m.file}:{m.line}: {m.severity}: {m.text}" for m in ordered[:MESSAGES]
        ]
        if len(ordered) > MESSAGES:
            lines.append(f"… and {len(ordered) - MESSAGES} more messages")
        lines.append(
            f"make grade A={verdict.stage} ARCH={verdict.arch} SEED={run.seed}"
        )
    return plain("\n".join(lines), TEXT_LIMIT)


def total(run: RunData) -> str:
    bonus = f", and {run.bonus} bonus" if run.bonus else ""
    return f"{run.points - run.bonus} of {run.max_points} points{bonus}"


def fraction(run: RunData) -> float:
    """How much of the full points was earned, 0 to 1; a bonus fills gaps only."""
    return round(min(1.0, run.points / run.max_points), 6) if run.max_points else 0.0


def line(text: str, limit: int = 400) -> str:
    return " ".join(plain(text, limit).split())
