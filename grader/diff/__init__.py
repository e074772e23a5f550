# SPDX-License-Identifier: MIT
"""Submissions against the handout and the solution, on the terminal and as HTML."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from grader.course import Course, Stage
from grader.diff import page, terminal
from grader.diff.compare import compare
from grader.diff.overview import Entry
from grader.errors import OperatorError
from grader.intake import submission
from grader.intake.archive import is_archive
from grader.intake.submission import Submission
from grader.reports.terminal import console
from grader.verdict.model import plain
from grader.verdict.write import write_text

OUT = Path("build/diff")
INDEX = "index"


def diff(root: Path, stage: str | None, arch: str | None, student: str | None) -> int:
    """Show how `student` (branch, commit, folder, archive; or a folder of folders and
    archives) differs; always 0. The pages are written below root/OUT."""
    course = Course.load(root)
    if not student:
        mend = "give WITH=<branch, commit, folder or archive>"
        raise OperatorError("there is nothing to compare with", mend)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "run this where they lie")
    stages = [course.stage(stage)] if stage else list(course.stages)
    place = Path(student)
    out = console()
    if place.is_dir() and not submission.is_one(place, course):
        many = submission.inside(place)
        if len(many) > 1:
            entries = _entries(course, stages, arch, many)
            file = root / OUT / _slug(place.resolve().name) / f"{INDEX}.html"
            _write_all(stages, entries, file)
            terminal.show_all(stages, entries, out)
            print(os.path.relpath(file))
            return 0
    found = compare(course, stages, arch, _opened(course, student))
    if not found.stages:
        known = ", ".join(s.id for s in stages)
        raise OperatorError(f"WITH={student} has no folder {known}", "choose another A")
    file = root / OUT / f"{_slug(found.name)}.html"
    write_text(file, page.render(found))
    terminal.show(found, out)
    print(os.path.relpath(file))
    return 0


def _opened(course: Course, student: str) -> Submission:
    place = Path(student)
    if place.is_dir():
        return submission.folder(place.resolve(), course)
    if place.is_file() and is_archive(student):
        return submission.archive(place, course)
    if place.exists():
        mend = "give a .tar.gz or .zip file, a folder, or a branch"
        raise OperatorError(f"WITH={student} is no archive that is known", mend)
    return submission.commit(course.root, student, course)


def _entries(
    course: Course, stages: Sequence[Stage], arch: str | None, places: Sequence[Path]
) -> list[Entry]:
    """What was found of each; OperatorError if that is nothing for all of them."""
    entries: list[Entry] = []
    taken = {INDEX}
    errors = Console(stderr=True)
    for place in track(
        places,
        "comparing",
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ):
        name = plain(place.name, 60).replace("\n", " ")
        try:
            found = compare(course, stages, arch, submission.one(place, course))
        except OperatorError as error:
            entries.append(Entry(name, "", None, str(error)))
            continue
        number, slug = 1, _slug(place.name)
        while (key := slug if number == 1 else f"{slug}-{number}") in taken:
            number += 1
        taken.add(key)
        entries.append(Entry(name, f"{key}.html", found))
    if not any(entry.comparison for entry in entries):
        raise OperatorError(f"no submission could be read; {entries[0].why}", "")
    return entries


def _write_all(stages: Sequence[Stage], entries: Sequence[Entry], file: Path) -> None:
    for entry in entries:
        if entry.comparison:
            text = page.render(entry.comparison, home=file.name)
            write_text(file.parent / entry.page, text)
    write_text(file, page.render_all(stages, entries, file.parent.name))


def _slug(name: str) -> str:
    """A file name that any system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[:100].strip("-.") or "submission"
