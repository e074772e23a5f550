# SPDX-License-Identifier: MIT
"""What a class run came to, for people: all of it follows from the store.

    class.html                      everybody, every check, every mistake
    marks.csv                       a line for each submission and stage
    canvas.csv, moodle.csv          the gradebook that was downloaded, filled in
    feedback/<name>/                what a student may see: report.html, report.md
    moodle-feedback.zip             the same, as Moodle takes it
    similarity.html, similarity/    who resembles whom, side by side; folders for others
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from grader.cohort.results import feedback, gradebooks, overview, similarity
from grader.cohort.results.gather import gather
from grader.cohort.store import Store
from grader.course import Course
from grader.errors import OperatorError
from grader.verdict.write import write_text

PAGE, TABLE = "class.html", "marks.csv"


def write_results(
    store: Store,
    course: Course,
    out: Path,
    compared: Sequence[str],
    options: Mapping[str, Any],
) -> list[str]:
    """Write them for every stage in the store; returns what to tell, in lines.

    compared: ids of the stages whose submissions are compared with each other. options:
    student, canvas, moodle, assignment and stage, as the command line has them. Raises
    OperatorError for a gradebook that cannot be filled in, when all else is written.
    """
    day = _day(options.get("student"))
    stages = [gather(store, course, stage) for stage in store.stages()]
    told: list[str] = []
    for stage in compared:
        told += similarity.compare_all(store, course, stage, out)
    alike = similarity.write_index(course, out)
    folders = feedback.write(out, stages, day)
    write_text(out / TABLE, gradebooks.table(stages))
    write_text(out / PAGE, overview.render(stages, folders, alike))
    told += gradebooks.fill(out, stages, folders, options)
    return [*told, f"results: {out / PAGE}"]


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        what = f"STUDENT={text} is no date"
        raise OperatorError(what, "write 2026-10-12") from None
