# SPDX-License-Identifier: MIT
"""Markdown for a job's summary or a comment: a table of points, then what is wrong.

Whatever may come from a submission stands in fenced blocks, whose fence is longer than
any run of its character inside: it can neither end the block nor be read as markup.
"""

from __future__ import annotations

import re
import textwrap

from grader.evidence.exhibit import Exhibit
from grader.reports.data import RunData
from grader.reports.terminal import MARKS, extra
from grader.verdict.model import CheckResult, Status, Verdict

WIDTH = 96
LIMIT = 900_000  # bytes: GitHub takes a summary of 1 MiB
MESSAGES = 20
# All but the marks that count only where a line begins, as this text never does.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@&$!:]|(?<=www)\.)")


def render(run: RunData) -> str:
    """The report of a run; equal verdicts give equal bytes."""
    earned = f"{run.counted} of {run.max_points} points{extra(run.bonus)}"
    parts = [f"# ringlab: {earned}"]
    if run.error:
        parts.append(f"It could not grade:\n\n{fenced(run.error)}")
    if run.stages:
        parts.append("\n".join(_overview(run)))
    size = 0
    for stage in run.stages:
        if stage.verdict.status is Status.PASS:
            continue
        text = _stage(stage.verdict)
        size += len(text.encode())
        if size > LIMIT:
            parts.append("The rest is in report.html: this page has its limit.")
            break
        parts.append(text)
    parts.append(f"`SEED={run.seed}`")
    return "\n\n".join(parts) + "\n"


def _overview(run: RunData) -> list[str]:
    lines = ["| | stage | architecture | status | points |", "|---|---|---|---|--:|"]
    for stage in run.stages:
        v = stage.verdict
        cells = (MARKS[v.status][0], v.stage, v.arch, v.status.value)
        row = " | ".join(inline(cell) for cell in cells)
        lines.append(f"| {row} | {_points(v)} |")
    return lines


def _points(verdict: Verdict) -> str:
    return f"{verdict.counted}/{verdict.max_points}{extra(verdict.bonus)}"


def _stage(verdict: Verdict) -> str:
    stage, arch = inline(verdict.stage), inline(verdict.arch)
    parts = [f"## {stage} on {arch}: {_points(verdict)}"]
    if verdict.messages:
        ordered = sorted(verdict.messages, key=lambda m: m.severity != "error")
        lines = [
            f"{m.file}:{m.line}: {m.severity}: {m.text}" for m in ordered[:MESSAGES]
        ]
        left = len(ordered) - MESSAGES
        lines += [f"… and {left} more messages"] if left > 0 else []
        parts.append(fenced("\n".join(lines)))
    told: set[str] = set()
    for check in verdict.checks:
        if check.status is not Status.PASS:
            parts.append(_check(check, told))
    if verdict.status is not Status.HARNESS_ERROR:
        parts.append(f"Again:\n\n{fenced(verdict.command)}")
    return "\n\n".join(parts)


def _check(check: CheckResult, told: set[str]) -> str:
    bonus = "bonus, " if check.bonus else ""
    bonus = f"staff, {bonus}" if check.staff else bonus
    head = f"{MARKS[check.status][0]} **{inline(check.task)}** {inline(check.id)}: "
    head += f"{inline(check.title)} ({bonus}{check.points}/{check.max_points})"
    if check.status is Status.BLOCKED:
        return f"{head} — blocked by {inline(check.blocked_by)}"
    text = check.mistake()
    if text in told:
        return f"{head} — {check.status.value}, as above"
    told.add(text)
    lines = [] if check.status is Status.FAIL else [f"status    {check.status.value}"]
    for label, words in check.told():
        wrapped = textwrap.wrap(words, WIDTH - 10) or [""]
        lines += [f"{label:10}{wrapped[0]}", *(" " * 10 + w for w in wrapped[1:])]
    for exhibit in check.exhibits:
        lines += ["", *_table(exhibit)]
    return f"{head}\n\n{fenced(chr(10).join(lines))}"


def _table(exhibit: Exhibit) -> list[str]:
    """The exhibit in columns of equal width, a wrong row with a mark in front."""
    rows = [exhibit.columns, *(row.cells for row in exhibit.rows)]
    width = [max(map(len, column)) for column in zip(*rows)]
    marks = ["  ", *("! " if row.differs else "  " for row in exhibit.rows)]
    lines = [
        mark + "  ".join(cell.ljust(w) for cell, w in zip(row, width)).rstrip()
        for mark, row in zip(marks, rows)
    ]
    return [exhibit.title, *lines, *([exhibit.note] if exhibit.note else [])]


def fenced(text: str) -> str:
    """A code block that `text` cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def inline(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown reads as markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
