# SPDX-License-Identifier: MIT
"""The verdict where no check could run: no points, and the reason at every check."""

from __future__ import annotations

from grader import seed as seeds
from grader.course import Course
from grader.cohort.model import Item
from grader.tools import sandbox_tier, versions
from grader.verdict.model import CheckResult, Status, Verdict, digest, plain


def refused(
    course: Course, item: Item, status: Status, seen: str, hint: str = ""
) -> Verdict:
    """seen, hint: sentences for the student."""
    stage = course.stage(item.stage)
    titles = {task.id: task.title for task in stage.tasks}
    checks = [
        CheckResult(
            id=entry.id,
            task=entry.task,
            title=titles[entry.task],
            status=status,
            points=0,
            max_points=entry.points,
            bonus=entry.bonus,
            staff=entry.staff,
            shown=entry.shown,
            shown_from=entry.shown_from.isoformat() if entry.shown_from else "",
            seen=plain(seen),
            hint=plain(hint),
        )
        for entry in stage.checks_for(item.arch)
    ]
    return Verdict(
        stage=stage.id,
        title=stage.title,
        arch=item.arch,
        status=status,
        points=0,
        max_points=stage.points(item.arch),
        seed=item.seed,
        nonce=seeds.nonce(seeds.parse(item.seed), item.arch, stage.id),
        evidence_digest=digest({}),
        sandbox=sandbox_tier(),
        command=command(item),
        tools=versions(course.root),
        logs={},
        messages=(),
        checks=tuple(checks),
    )


def command(item: Item) -> str:
    """What repeats the run in the student's own repository."""
    return f"make grade A={item.stage} ARCH={item.arch} SEED={item.seed}"
