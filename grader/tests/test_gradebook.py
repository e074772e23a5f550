# SPDX-License-Identifier: MIT
"""Gradebooks: what was downloaded comes back with the marks, and nothing else."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import OperatorError
from grader.reports.gradebook import Mark, fill_canvas, fill_moodle, harmless

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,GDT (4711),TSS (4712),Final Score
    Points Possible,,,,,57.00,40.00,(read only)
"Doe, Jane",101,s1,jane,Lab 1,,12,30
"Roe, Rick",102,s2,rick,Lab 1,3,11,20
"Excused, Eve",103,s3,eve,Lab 2,EX,,
=HYPERLINK("x"),104,s4,@mallory,Lab 2,-1,,
"""
MOODLE = """\
Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,\
Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments
Participant 11,Jane Doe,s1,jane@x.org,Submitted,,60.00,Yes,"Sunday, 1 Nov",-,
Participant 12,Rick Roe,s2,rick@x.org,Submitted,3.00,60.00,Yes,-,"Monday, 2 Nov",=1+1
Participant 13,Rick Roe,s3,roe@x.org,Submitted,5.00,60.00,No,-,-,
"""


def table(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_canvas_gets_the_column_of_one_assignment_alone() -> None:
    marks: dict[str, Mark] = {"101": 61, "rick": Decimal("52.50"), "s3": 9, "nobody": 1}
    filled = fill_canvas(CANVAS, marks, "GDT (4711)")
    rows = table(filled.text)
    assert [*rows[0]] == [
        *("Student", "ID", "SIS User ID", "SIS Login ID", "Section", "GDT (4711)")
    ]
    assert [row["GDT (4711)"] for row in rows] == ["57.00", "61", "52.5", "EX", "-1"]
    assert filled.left == ("nobody",)
    assert rows[0]["Student"] == "    Points Possible"


def test_a_student_can_be_excused_in_canvas() -> None:
    filled = fill_canvas(CANVAS, {"Doe, Jane": "EX"}, "GDT (4711)")
    assert table(filled.text)[1]["GDT (4711)"] == "EX"


def test_a_cell_that_a_student_wrote_is_no_formula() -> None:
    (*_, last) = table(fill_canvas(CANVAS, {}, "GDT (4711)").text)
    assert (
        last["Student"] == '\'=HYPERLINK("x")' and last["SIS Login ID"] == "'@mallory"
    )
    rows = table(fill_moodle(MOODLE, {}).text)
    assert rows[1]["Feedback comments"] == "'=1+1"
    assert rows[0]["Last modified (grade)"] == "-"


@given(st.text(max_size=6))
def test_no_cell_begins_as_a_formula_does(cell: str) -> None:
    shown = harmless(cell)
    assert shown in (cell, f"'{cell}")
    if shown[:1] in ("=", "@", "\t", "\r"):
        raise AssertionError(shown)
    if shown[:1] in ("+", "-") and shown != "-":
        float(shown.strip("%").replace(",", "."))


def test_canvas_with_semicolons_comes_back_with_them() -> None:
    text = "\ufeff" + CANVAS.replace('"Doe, Jane"', "Jane").replace(",", ";")
    filled = fill_canvas(text, {"101": 7.5}, "GDT (4711)")
    assert filled.text.startswith("\ufeffStudent;ID;")
    assert table(filled.text, ";")[1]["GDT (4711)"] == "7.5"


@pytest.mark.parametrize("assignment", ["", "GDT"])
def test_an_assignment_that_is_not_certain_is_asked_for(assignment: str) -> None:
    with pytest.raises(OperatorError, match=r"name one of 'GDT \(4711\)'"):
        fill_canvas(CANVAS, {}, assignment)


def test_the_only_assignment_needs_no_name() -> None:
    text = CANVAS.replace("TSS (4712)", "Notes")
    assert "GDT (4711)" in fill_canvas(text, {"101": 1}).text


def test_moodles_worksheet_keeps_all_but_the_grades() -> None:
    marks = {"Jane Doe_11_assignsubmission_file": 61 - 9, "s2": 7, "13": 9, "x": 1}
    filled = fill_moodle(MOODLE, marks)
    before, after = table(MOODLE), table(filled.text)
    assert [row["Grade"] for row in after] == ["52", "7", "5.00"]
    assert filled.left == ("x",)
    for old, new in zip(before, after):
        assert {**new, "Grade": "", "Feedback comments": ""} == (
            {**old, "Grade": "", "Feedback comments": ""}
        )


def test_a_student_is_found_by_the_first_name_that_is_sure() -> None:
    marks = {("x9", "roe@x.org", "Rick Roe"): Decimal(4), ("s1",): None}
    filled = fill_moodle(MOODLE.replace(",No,-,-", ",Yes,-,-"), marks)
    assert [row["Grade"] for row in table(filled.text)] == ["", "3.00", "4"]
    assert filled.left == () and filled.unmarked == ("Participant 12 Rick Roe",)


def test_no_row_takes_two_marks() -> None:
    with pytest.raises(OperatorError, match="stands there already"):
        fill_moodle(MOODLE, {"s1": 5, "Jane Doe": 6})


def test_two_students_of_one_name_are_not_mixed_up() -> None:
    with pytest.raises(OperatorError, match="stands in 2 rows"):
        fill_moodle(MOODLE, {"Rick Roe": 5})


def test_more_points_than_moodle_takes_are_an_error() -> None:
    with pytest.raises(OperatorError, match="raise the assignment's maximum grade"):
        fill_moodle(MOODLE, {"s1": 61})


@pytest.mark.parametrize("text", ["", "Name;Note\nx;1\n", "ID,Bewertung\n1,2\n"])
def test_a_file_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="no file of Moodle"):
        fill_moodle(text, {})
    with pytest.raises(OperatorError, match="no file of Canvas"):
        fill_canvas(text, {})
