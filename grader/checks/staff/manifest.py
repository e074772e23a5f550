# SPDX-License-Identifier: MIT
"""NN-name.toml beside the staff's checks: points, and what students see of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from grader.course import (
    NEVER,
    SHOWN,
    STAFFS,
    CheckEntry,
    Course,
    Stage,
    check_entries,
)
from grader.publish.dates import Dates
from grader.tables import Table


def with_staffs(course: Course) -> Course:
    """The course with the staff's checks, behind the published ones of their stage."""
    folder = course.root / STAFFS
    stages = {stage.id: stage for stage in course.stages}
    for file in sorted(folder.glob("*.toml")):
        table = Table.read(file, course.root)
        table.known("check")
        if file.stem not in stages:
            raise table.error(file.name, "is no stage", f"use {', '.join(stages)}")
        stages[file.stem] = _extended(course, stages[file.stem], table)
    return replace(course, stages=tuple(stages.values()))


def _extended(course: Course, stage: Stage, table: Table) -> Stage:
    dates = Dates.load(course)
    tables = table.tables("check")
    entries = check_entries(tables, stage.tasks, stage.arches, "shown", "from")
    found: list[CheckEntry] = []
    for each, entry in zip(tables, entries):
        owner = course.stage_of_check(entry.id)
        if owner:
            what = f"{owner.id} has a check of that id"
            raise each.error("id", what, "choose another id")
        shown = each.data.get("shown", NEVER)
        if shown not in SHOWN:
            raise each.error("shown", f"is {shown!r}", f"use {', '.join(SHOWN)}")
        rule, day = each.data.get("from"), None
        if rule is not None:
            # What cannot be dated yet has not come.
            day = dates.day(stage, rule, f"{table.file}, from") or date.max
        found.append(replace(entry, staff=True, shown=shown, shown_from=day))
    return replace(stage, checks=(*stage.checks, *found))
