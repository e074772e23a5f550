# SPDX-License-Identifier: MIT
"""Checks of the staff's count where they lie, and students see what is allowed."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from grader.corpus import trial
from grader.corpus.mutants import MUTANTS
from grader.course import NAME, NEVER, STAFFS, WHOLE, Course
from grader.errors import OperatorError
from grader.publish.dates import FILE
from grader.reports.write import write_reports
from grader.settings import ROOT
from grader.tests.conftest import write_stage
from grader.tests.course_copy import DATES
from grader.tests.reports import check, hostile
from grader.tests.test_verdict import SCHEMA
from grader.verdict.model import Status, Verdict
from grader.verdict.view import for_student
from grader.verdict.write import VERDICT, read_verdict, write_summary, write_verdict

ENTRY = """\
[[check]]
id = "gdt-secret"
task = "1.1"
points = 4
"""
BEFORE, DAY, AFTER = date(2026, 12, 3), date(2026, 12, 4), date(2027, 1, 1)


def write_staffs(root: Path, text: str, name: str = "01-gdt.toml") -> None:
    """A course of one stage, whose deadline is the day before DAY."""
    write_stage(root)
    (root / FILE).write_text(f"{DATES}deadline = 2026-12-03\n", encoding="utf-8")
    (root / STAFFS).mkdir(parents=True)
    (root / STAFFS / name).write_text(text, encoding="utf-8")


def test_they_count_only_where_they_lie(tmp_path: Path) -> None:
    write_staffs(tmp_path, f'{ENTRY}shown = "name"\nfrom = "1 day after deadline"\n')
    stage = Course.load(tmp_path).stage("01-gdt")
    *published, secret = stage.checks_for("i386")
    assert (secret.id, secret.staff, secret.shown) == ("gdt-secret", True, NAME)
    assert secret.shown_from == DAY
    assert not any(entry.staff for entry in published)
    assert stage.points("i386") == 9
    (tmp_path / STAFFS / "01-gdt.toml").unlink()
    (tmp_path / STAFFS).rmdir()
    assert Course.load(tmp_path).stage("01-gdt").points("i386") == 5


def test_nothing_is_shown_unless_the_manifest_says_so(tmp_path: Path) -> None:
    write_staffs(tmp_path, ENTRY)
    secret = Course.load(tmp_path).stage("01-gdt").checks[-1]
    assert (secret.shown, secret.shown_from) == (NEVER, None)


def test_a_day_that_has_no_date_yet_has_not_come(tmp_path: Path) -> None:
    write_staffs(tmp_path, f'{ENTRY}shown = "whole"\nfrom = "term start"\n')
    assert Course.load(tmp_path).stage("01-gdt").checks[-1].shown_from == date.max


FAULTS = {
    "odd word": (f'{ENTRY}shown = "maybe"\n', "shown: is 'maybe'"),
    "odd day": (f'{ENTRY}from = "soon"\n', "from: 'soon'"),
    "odd task": (ENTRY.replace("1.1", "1.9"), "there is no task '1.9'"),
    "taken id": (ENTRY.replace("gdt-secret", "gdt-code"), "has a check of that id"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_their_manifest_is_named(tmp_path: Path, fault: str) -> None:
    text, says = FAULTS[fault]
    write_staffs(tmp_path, text)
    with pytest.raises(OperatorError, match=says) as caught:
        Course.load(tmp_path)
    assert str(caught.value).startswith(f"{STAFFS}/01-gdt.toml")


def test_a_manifest_without_a_stage_is_refused(tmp_path: Path) -> None:
    write_staffs(tmp_path, ENTRY, "09-none.toml")
    with pytest.raises(OperatorError, match="09-none.toml: is no stage"):
        Course.load(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run with a check of the staff's that failed, shown from DAY on."""
    return hostile(tmp_path, "nothing special")


def judged(out: Path, shown: str) -> Verdict:
    verdict = read_verdict(out / "i386/01-gdt" / VERDICT)
    secret = check(
        "gdt-secret",
        Status.FAIL,
        seen="what only staff may read",
        boots=("secret-boot",),
        staff=True,
        shown=shown,
        shown_from=DAY.isoformat(),
    )
    verdict = dataclasses.replace(
        verdict,
        checks=(*verdict.checks, secret),
        max_points=verdict.max_points + secret.max_points,
        logs={**verdict.logs, "secret-boot": "runs/secret-boot"},
    )
    write_verdict(out, verdict)
    write_summary(out, [verdict], status=1, seed=verdict.seed)
    return verdict


def told(out: Path, day: date | None) -> str:
    """Every report, as one text."""
    folder = write_reports(out, day).parent
    assert folder == (out / "student" if day else out)
    return "\n".join(file.read_text() for file in sorted(folder.glob("*.*")))


@pytest.mark.parametrize("shown", [NEVER, NAME, WHOLE])
def test_reports_show_a_student_what_the_manifest_allows(out: Path, shown: str) -> None:
    verdict = judged(out, shown)
    jsonschema.validate(json.loads(json.dumps(verdict.to_json())), SCHEMA)
    full = told(out, None)
    for word in ("gdt-secret", "what only staff may read", "secret-boot"):
        assert word in full
        assert word not in told(out, BEFORE)
    after = told(out, AFTER)
    assert ("gdt-secret" in after) is (shown != NEVER)
    assert ("what only staff may read" in after) is (shown == WHOLE)
    assert ("secret-boot" in after) is (shown == WHOLE)


@pytest.mark.parametrize("shown, most", [(NEVER, 8), (NAME, 10), (WHOLE, 10)])
def test_what_is_not_shown_leaves_no_trace_in_points(
    out: Path, shown: str, most: int
) -> None:
    verdict = judged(out, shown)
    assert for_student(verdict, BEFORE).max_points == 8
    assert for_student(verdict, DAY).max_points == most
    alone = dataclasses.replace(verdict, checks=verdict.checks[3:], max_points=4)
    assert for_student(alone, BEFORE).status is Status.PASS


def test_one_that_exists_finds_what_published_numbers_let_pass(tmp_path: Path) -> None:
    course = Course.load(ROOT)
    known = MUTANTS.collect(course, ROOT / MUTANTS.home, "01-gdt", "i386")
    (mutant,) = [entry for entry in known if entry.name == "limit-two-sizes"]
    outcome = trial.grade(mutant, ROOT, tmp_path, "1")
    assert outcome.good, outcome.detail
    (failed,) = outcome.failed
    entries = {entry.id: entry for entry in course.stage("01-gdt").checks}
    assert entries[failed].staff
