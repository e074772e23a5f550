# SPDX-License-Identifier: MIT
"""The marks of a class, filled into the gradebook that the teacher downloaded.

A gradebook is never made up: Canvas and Moodle know their students by what stands in
the file that they gave. Who has no mark, or None, keeps the cell as it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from grader.errors import OperatorError

Mark = int | float | Decimal | str
# One of a student's names, or several, to be looked for in this order.
Name = str | tuple[str, ...]
AnyName = TypeVar("AnyName", bound=Name)
Row = dict[str, str]

EXCUSED = "EX"
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
ASSIGNMENT = re.compile(r".+ \(\d+\)")  # a column that Canvas knows by its number
MOODLE_ID, GRADE, MOST = "Identifier", "Grade", "Maximum Grade"
CHANGEABLE, MODIFIED = "Grade can be changed", "Last modified (grade)"
MOODLE = ("Full name", "ID number", "Email address", "Username")
# The folder of one submission, as Moodle packs them: name, and number of the student.
MOODLE_FOLDER = re.compile(r".*?_(\d+)_assignsubmission_.*")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?%?")
NOTHING = "-"  # as Moodle writes it
BOM = "\ufeff"


@dataclass(frozen=True)
class Filled:
    """text: the file to upload. left: whose marks stand nowhere in it. unmarked: who
    stands in it, and is nobody whom we know."""

    text: str
    left: tuple[str, ...]
    unmarked: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """A downloaded file; text() gives it back with the separator that it had."""

    columns: Sequence[str]
    rows: list[Row]
    delimiter: str
    bom: str

    def text(self, columns: Sequence[str]) -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\n")
        writer.writerow(columns)
        for row in self.rows:
            writer.writerow(harmless(row[column]) for column in columns)
        return self.bom + out.getvalue()


def fill_canvas(
    downloaded: str, marks: Mapping[AnyName, Mark | None], assignment: str = ""
) -> Filled:
    """The exported gradebook of Canvas with the marks of one assignment.

    marks: by ID, SIS ID, login or name of the student; "EX" excuses. assignment: the
    head of its column; "": the only one. Columns of other assignments are left out, so
    that uploading changes none of them. Who is excused there stays so.
    """
    table = _read(downloaded, CANVAS[:2], "Canvas")
    known = [column for column in table.columns if ASSIGNMENT.fullmatch(column)]
    if assignment not in known and (assignment or len(known) != 1):
        what = f"the gradebook has no column {assignment!r}"
        listed = ", ".join(repr(column) for column in known)
        raise OperatorError(
            what if assignment else "the gradebook has more than one assignment",
            f"name one of {listed}" if listed else "make the assignment, export again",
        )
    column = assignment or known[0]
    keys = [key for key in (*CANVAS[1:4], CANVAS[0]) if key in table.columns]

    def fill(row: Row, mark: Mark) -> None:
        if row[column].strip().upper() != EXCUSED:
            row[column] = _shown(mark)

    # Rows without an ID hold what is possible, and how grades are posted.
    students = [row for row in table.rows if row[CANVAS[1]].strip()]
    left, others = _fill(students, marks, lambda row: [row[k] for k in keys], fill)
    kept = [name for name in CANVAS if name in table.columns]
    unmarked = tuple(row[CANVAS[0]] for row in others)
    return Filled(table.text([*kept, column]), left, unmarked)


def fill_moodle(downloaded: str, marks: Mapping[AnyName, Mark | None]) -> Filled:
    """The downloaded grading worksheet of a Moodle assignment, with the marks.

    marks: by identifier, its number, name, e-mail address or submission folder. The
    date of the last change is left alone: by it Moodle sees that a grade was changed
    there meanwhile.
    """
    table = _read(downloaded, (MOODLE_ID, GRADE, MODIFIED), "Moodle")
    names = [name for name in MOODLE if name in table.columns]

    def keys(row: Row) -> list[str]:
        number = row[MOODLE_ID].split(" ")[-1]
        return [row[MOODLE_ID], number, *(row[name] for name in names)]

    def fill(row: Row, mark: Mark) -> None:
        most = row.get(MOST, "").replace(",", ".")
        limited = NUMBER.fullmatch(most) and not isinstance(mark, str)
        if limited and float(mark) > float(most):
            what = f"{row[MOODLE_ID]} has {mark} points, Moodle takes {most}"
            raise OperatorError(what, "raise the assignment's maximum grade")
        if row.get(CHANGEABLE, "Yes") == "Yes":
            row[GRADE] = _shown(mark)

    left, others = _fill(table.rows, marks, keys, fill, _moodle_key)
    shown = (MOODLE_ID, *names[:1])
    unmarked = tuple(" ".join(row[name] for name in shown) for row in others)
    return Filled(table.text(table.columns), left, unmarked)


def harmless(cell: str) -> str:
    """The cell, but nothing that a spreadsheet would run as a formula."""
    if cell == NOTHING or NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _read(text: str, needed: Iterable[str], platform: str) -> _Table:
    bom = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    columns = lines[0] if lines else []
    missing = [name for name in needed if name not in columns]
    if missing:
        raise OperatorError(
            f"this is no file of {platform}: it has no column {missing[0]!r}",
            f"download it from {platform}, in English, and give it unchanged",
        )
    width = len(columns)
    padded = (line + [""] * (width - len(line)) for line in lines[1:] if any(line))
    return _Table(columns, [dict(zip(columns, row)) for row in padded], delimiter, bom)


def _fill(
    rows: Sequence[Row],
    marks: Mapping[AnyName, Mark | None],
    keys: Callable[[Row], list[str]],
    fill: Callable[[Row, Mark], None],
    known: Callable[[str], str] = str,
) -> tuple[tuple[str, ...], list[Row]]:
    """Fill in each mark; returns whose there is no row for, and the rows of nobody.

    known: what a name is called in `keys`.
    """
    places: dict[str, list[Row]] = {}
    for row in rows:
        for key in dict.fromkeys(keys(row)):
            if key.strip():
                places.setdefault(key.strip().casefold(), []).append(row)
    left: list[str] = []
    taken: list[int] = []
    for name, mark in marks.items():
        names = _names(name)
        found = [places.get(known(one).strip().casefold(), []) for one in names]
        most = max(map(len, found))
        row = next((each[0] for each in found if len(each) == 1), {})
        if not most:
            left.append(names[0])
            continue
        if not row:
            what = f"{names[0]!r} stands in {most} rows of the gradebook"
            raise OperatorError(what, "name the submission by the student's ID")
        if id(row) in taken:
            what = f"{names[0]!r} is in the gradebook whose mark stands there already"
            raise OperatorError(what, "leave one of the two submissions out")
        taken.append(id(row))
        if mark is not None:
            fill(row, mark)
    return tuple(left), [row for row in rows if id(row) not in taken]


def _names(name: Name) -> tuple[str, ...]:
    return (name,) if isinstance(name, str) else name


def _moodle_key(name: str) -> str:
    folder = MOODLE_FOLDER.fullmatch(name)
    return folder[1] if folder else name


def _shown(mark: Mark) -> str:
    return mark if isinstance(mark, str) else f"{mark:.2f}".rstrip("0").rstrip(".")
