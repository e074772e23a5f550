# SPDX-License-Identifier: MIT
"""What a student sees of a verdict that has checks of the staff's in it."""

from __future__ import annotations

import dataclasses
from datetime import date

from grader.course import NEVER, WHOLE
from grader.verdict.model import CheckResult, Verdict, overall


def for_student(verdict: Verdict, today: date) -> Verdict:
    """The verdict as its student may see it today.

    A check that is not shown leaves no trace in points, status and boots; of one whose
    name is shown, title, status and points are left.
    """
    checks = tuple(_seen(c) for c in verdict.checks if not hidden(c, today))
    gone = [c for c in verdict.checks if hidden(c, today)]
    boots = {boot for check in checks for boot in check.boots}
    unread = {b for c in verdict.checks for b in c.boots} - boots
    return dataclasses.replace(
        verdict,
        status=overall(checks),
        points=verdict.points - sum(c.points for c in gone),
        max_points=verdict.max_points - sum(c.max_points for c in gone if not c.bonus),
        logs={
            name: place for name, place in verdict.logs.items() if name not in unread
        },
        checks=checks,
    )


def hidden(check: CheckResult, today: date) -> bool:
    early = bool(check.shown_from) and today < date.fromisoformat(check.shown_from)
    return check.staff and (check.shown == NEVER or early)


def _seen(check: CheckResult) -> CheckResult:
    if not check.staff or check.shown == WHOLE:
        return check
    texts = ("expected", "seen", "cause", "hint", "read", "source", "blocked_by")
    bare = dataclasses.replace(check, boots=(), exhibits=())
    return dataclasses.replace(bare, **dict.fromkeys(texts, ""))
