# SPDX-License-Identifier: MIT
"""OUT/class.html: one file; a script sorts its tables, all else works without one."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from grader.cohort.marks import Mark
from grader.cohort.results.feedback import FOLDER
from grader.cohort.results.gather import StageResults
from grader.cohort.results.gradebooks import status
from grader.cohort.store import Result
from grader.diff.page import environment
from grader.reports.page import CSP
from grader.reports.terminal import MARKS
from grader.verdict.model import Status
from grader.verdict.write import HTML

HERE = Path(__file__).parent
SCRIPT = "sort.js"
BARS = 20
BAR, HIGH = 30, 120  # pixels: the width of a bar with its gap, the highest bar
SHOWN = (*(s for s in Status if s is not Status.HARNESS_ERROR), Status.HARNESS_ERROR)


@dataclass(frozen=True)
class Bar:
    """So many marks from `least` to under the next bar's; the last one is full marks,
    and more. height: in pixels."""

    least: int
    count: int
    height: int


def render(
    stages: Sequence[StageResults], folders: Mapping[str, str], alike: Mapping[str, int]
) -> str:
    """folders: of the feedback, by name. alike: pairs in the similarity list."""
    script = (HERE / SCRIPT).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    def report(mark: Mark, result: Result) -> str:
        """The staff's report; where nothing was graded, the student's."""
        own = f"{FOLDER}/{folders[mark.handed_in.name]}"
        return quote(f"{result.folder or own}/{HTML}") if result.verdict else ""

    def reports(stage: StageResults) -> dict[str, str]:
        """A report of each whose checks were judged."""
        marks = [mark for mark in stage.marks if mark.results]
        return {mark.handed_in.name: report(mark, mark.results[0]) for mark in marks}

    return (
        environment(HERE)
        .get_template("class.html.j2")
        .render(
            stages=stages,
            alike=alike,
            csp=f"{CSP}; script-src 'sha256-{digest}'",
            script=Markup(script),
            report=report,
            reports=reports,
            on=_on,
            status=status,
            bars=bars,
            statuses=[each.value for each in SHOWN],
            sign={each.value: MARKS[each][0] for each in Status},
            width=BAR,
            high=HIGH,
        )
    )


def _on(mark: Mark, arch: str) -> Result | None:
    return next((result for result in mark.results if result.arch == arch), None)


def bars(stage: StageResults) -> list[Bar]:
    """The distribution of marks."""
    full = stage.max_points
    step = max(1, math.ceil(full / BARS))
    counts = [0] * (math.ceil(full / step) + 1)
    for mark in stage.marks:
        if mark.mark is not None:
            last = len(counts) - 1
            counts[last if mark.mark >= full else int(mark.mark) // step] += 1
    most = max([1, *counts])
    return [
        Bar(min(number * step, full), count, round(HIGH * count / most))
        for number, count in enumerate(counts)
    ]
