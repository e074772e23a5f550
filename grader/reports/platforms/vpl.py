# SPDX-License-Identifier: MIT
"""Moodle's VPL: the output of vpl_execution, lines of comments and then the grade.

The last line that begins with the mark of a grade counts, so every other line begins
with that of a comment. Without a grade VPL proposes none: so is a run that could not
be graded. Moodle takes no more than the activity's maximum, so a bonus only fills gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.errors import OperatorError
from grader.reports.data import RunData
from grader.reports.platforms.told import (
    NOT_GRADED,
    Export,
    checks,
    explained,
    fraction,
    name,
    overview,
    passed,
)

COMMENT, GRADE = "Comment :=>>", "Grade :=>>"
TITLE, AS_IT_IS = "-", ">"  # how a comment begins that is a heading, or is not laid out


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    if fault:
        return Export(said=_comments("No grade", NOT_GRADED))
    said = _comments("Points", overview(run))
    for verdict, check in checks(run):
        if not passed(check):
            said += _comments(name(verdict, check), explained(check))
    grade = fraction(run) * _most(run, given)
    return Export(said=f"{said}{GRADE} {grade:.5f}".rstrip("0").rstrip(".") + "\n")


def _most(run: RunData, given: Mapping[str, str]) -> float:
    """The activity's maximum grade, as VPL says in the environment."""
    text = given.get("VPL_GRADEMAX") or str(run.max_points)
    try:
        return float(text)
    except ValueError:
        raise OperatorError(
            f"VPL_GRADEMAX={text} is no number",
            "grade the activity by points, or unset it in vpl_execution",
        ) from None


def _comments(title: str, text: str) -> str:
    lines: Iterable[str] = (AS_IT_IS + line for line in text.splitlines())
    return "".join(f"{COMMENT}{line}\n" for line in (TITLE + title, *lines))
