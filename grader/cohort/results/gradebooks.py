# SPDX-License-Identifier: MIT
"""The marks of a class as CSV, and in the gradebooks of Canvas and Moodle."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.cohort.marks import Mark
from grader.cohort.model import HandedIn
from grader.cohort.results.feedback import FOLDER
from grader.cohort.results.gather import StageResults
from grader.errors import OperatorError
from grader.reports.gradebook import Filled, Name, fill_canvas, fill_moodle, harmless
from grader.verdict.model import plain
from grader.verdict.write import write_text

COLUMNS = "submission,title,student,stage,arch,points,max,bonus,late days,mark,status"
CANVAS, MOODLE, ZIP = "canvas.csv", "moodle.csv", "moodle-feedback.zip"
# By which of its names a platform knows a student, the surest first.
CANVAS_KEYS = ("sid", "email", "name")
MOODLE_KEYS = ("id", "email", "sid", "name")
SHOWN = 20
UNSCORED = "not scored"


def table(stages: Sequence[StageResults]) -> str:
    """marks.csv: points hold what bonus checks gave, too."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS.split(","))
    for stage in stages:
        for mark in stage.marks:
            writer.writerow(harmless(cell) for cell in _row(stage, mark))
    return out.getvalue()


def _row(stage: StageResults, mark: Mark) -> Iterator[str]:
    one = mark.handed_in
    bonus = sum(
        int(check["points"])
        for result in mark.results
        for check in (result.verdict or {"checks": ()})["checks"]
        if check.get("bonus")
    )
    yield from (one.name, one.title)
    yield "; ".join(str(person.get("name", "")) for person in one.people)
    yield from (stage.stage.id, " ".join(stage.arches))
    yield "" if mark.points is None else str(mark.points)
    yield from (str(mark.max_points), str(bonus), f"{one.late_days:g}")
    yield "" if mark.mark is None else f"{mark.mark:.2f}"
    yield status(mark)


def status(mark: Mark) -> str:
    """In a word or two; by architecture where they differ."""
    if mark.mark is None:
        return UNSCORED
    if mark.handed_in.problem:
        return "nothing to grade"
    found = {result.arch: result.status for result in mark.results}
    if len({*found.values()}) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{arch}: {each}" for arch, each in found.items())


def fill(
    out: Path,
    stages: Sequence[StageResults],
    folders: Mapping[str, str],
    options: Mapping[str, Any],
) -> list[str]:
    """Fill in the gradebooks that were given; what to tell of them. Raises
    OperatorError."""
    given = {name: options.get(name) for name in ("canvas", "moodle")}
    if not any(given.values()):
        return []
    stage = _one(stages, options.get("stage"))
    told: list[str] = []
    if given["canvas"]:
        text, column = _read("CANVAS", given["canvas"]), options.get("assignment") or ""
        filled = fill_canvas(text, named(stage.marks, CANVAS_KEYS), column)
        told += _told(out / CANVAS, filled)
    if given["moodle"]:
        text = _read("MOODLE", given["moodle"])
        filled = fill_moodle(text, named(stage.marks, MOODLE_KEYS))
        told += _told(out / MOODLE, filled)
        _pack(out, [mark.handed_in for mark in stage.marks], folders)
    return told


def named(marks: Sequence[Mark], keys: Sequence[str]) -> dict[Name, Decimal | None]:
    """Everybody's mark, by the names that a platform may know them by; without what a
    platform says of them, by those of the submission."""
    found: dict[Name, Decimal | None] = {}
    for mark in marks:
        one = mark.handed_in
        people = [tuple(p[key] for key in keys if p.get(key)) for p in one.people]
        for names in [names for names in people if names] or [(one.title, one.name)]:
            if names in found:
                what = f"{names[0]!r} has more than one submission"
                raise OperatorError(what, "leave one of them out")
            found[names] = mark.mark
    return found


def _one(stages: Sequence[StageResults], chosen: str | None) -> StageResults:
    """The stage whose marks a gradebook's column takes."""
    found = [each for each in stages if chosen in (None, each.stage.id)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.stage.id for each in stages)
    raise OperatorError("a gradebook takes one stage", f"choose A from {known}")


def _read(option: str, file: str) -> str:
    try:
        return Path(file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        mend = "give the file as the platform exported it"
        raise OperatorError(f"{option}={file}: {error}", mend) from None


def _told(file: Path, filled: Filled) -> list[str]:
    write_text(file, filled.text)
    told = [f"filled in: {file}"]
    for what, names in (
        ("handed in, and stand nowhere in it", filled.left),
        ("stand in it, and handed nothing in", filled.unmarked),
    ):
        if names:
            told.append(f"{len(names)} {what}:")
            told += [f"  {plain(name, 200)}" for name in names[:SHOWN]]
            if len(names) > SHOWN:
                told.append(f"  and {len(names) - SHOWN} more")
    return told


def _pack(out: Path, every: Sequence[HandedIn], folders: Mapping[str, str]) -> None:
    """Everybody's feedback who came from Moodle, in the folders of its download."""
    made = out / f".{ZIP}"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in every:
            for person in one.people:
                if not person.get("id"):
                    continue
                name = person["name"].replace("/", "-")
                place = f"{name}_{person['id']}_assignsubmission_file_"
                for file in sorted((out / FOLDER / folders[one.name]).iterdir()):
                    archive.write(file, f"{place}/{file.name}")
    made.replace(out / ZIP)
