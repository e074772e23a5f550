# SPDX-License-Identifier: MIT
"""Marks follow from results by rules that can be read, late days and regrades too."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from grader.cohort import regrade
from grader.cohort.marks import CARRY_SETTING, PENALTY_SETTING, Mark, late, marks
from grader.cohort.model import Carry, HandedIn, Outcome
from grader.cohort.regrade import changes
from grader.cohort.store import CANDIDATE, Store
from grader.course import Course
from grader.errors import OperatorError
from grader.tests.cohort import STAGE, item, outcome
from grader.verdict.model import Verdict

ADA = HandedIn("ada", STAGE, "Ada L", people=({"name": "Ada Lovelace", "sid": "17"},))
BOB = HandedIn("bob", STAGE, "Bob")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path)
    made.configure(arches="i386")
    made.hand_in([ADA])
    return made


def mark(store: Store, course: Course) -> Mark:
    (found,) = marks(store, course, STAGE)
    return found


@pytest.mark.parametrize("own, points", [("pass", 5), ("fail", 3)])
def test_the_better_carry_counts(
    store: Store, course: Course, own: str, points: int
) -> None:
    store.keep(outcome(item(carry=Carry.REFERENCE), gdt_limit="fail"))
    store.keep(outcome(item(carry=Carry.OWN), gdt_code=own))
    assert mark(store, course).points == max(points, 3)


def test_only_the_carry_that_was_asked_for_counts(store: Store, course: Course) -> None:
    store.keep(outcome(item(carry=Carry.REFERENCE), gdt_limit="fail"))
    store.keep(outcome(item(carry=Carry.OWN)))
    points = []
    for carry in Carry:
        store.configure(**{CARRY_SETTING: carry.value})
        points.append(mark(store, course).points)
    assert points == [5, 3, 5]


def test_who_is_not_scored_has_no_mark(store: Store, course: Course) -> None:
    assert mark(store, course).mark is None
    store.keep(Outcome(item(), "token", None))
    assert mark(store, course).mark is None


@pytest.mark.parametrize(
    "days, percent, expected",
    [(0, "", "5"), (0.1, "", "4.5"), (2, "", "4"), (3, "12.5", "3.13"), (40, "", "0")],
)
def test_every_begun_day_takes_its_percentage_off(
    store: Store, course: Course, days: float, percent: str, expected: str
) -> None:
    store.keep(outcome(item()))
    store.hand_in([dataclasses.replace(ADA, late_days=days)])
    store.configure(**{PENALTY_SETTING: percent})
    assert mark(store, course).mark == Decimal(expected)


@pytest.mark.parametrize("name", ["ada", "Ada L", "Ada Lovelace", "17"])
def test_a_student_is_late_by_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "late.csv").write_text(f"student,days\n{name},1.5\nNobody,2\n")
    every, unknown = late(tmp_path / "late.csv", [ADA, BOB])
    assert [one.late_days for one in every] == [1.5, 0]
    assert unknown == ["Nobody"]


@pytest.mark.parametrize("line", ["ada", "ada,x", "ada,-1", "ada,inf", "ada,1,2"])
def test_a_line_that_says_no_days_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "late.csv").write_text(f"student,days\n{line}\n")
    with pytest.raises(OperatorError, match="line 2, is no student,days"):
        late(tmp_path / "late.csv", [ADA])


def test_a_name_of_two_is_refused(tmp_path: Path) -> None:
    (tmp_path / "late.csv").write_text("17,1\n")
    twin = dataclasses.replace(ADA, name="ada2", title="Ada M")
    with pytest.raises(OperatorError, match="17 is the name of 2"):
        late(tmp_path / "late.csv", [ADA, twin])


@pytest.fixture
def regraded(store: Store) -> Store:
    """Both checks came out otherwise than before; gdt-limit is asked for."""
    store.keep(outcome(item(), gdt_limit="fail"))
    store.keep(outcome(item(key="l" * 64), gdt_code="fail"), CANDIDATE)
    return store


def test_a_regrade_shows_one_check_and_changes_nothing(regraded: Store) -> None:
    (change,) = changes(regraded, STAGE, "gdt-limit")
    assert (change.before.status.value, change.after.status.value) == ("fail", "pass")
    assert (change.old.points, change.result.points) == (3, 5)
    assert change.others == ("gdt-code",)
    assert [result.points for result in regraded.results(STAGE)] == [3]


def test_an_accepted_regrade_changes_that_check_alone(
    regraded: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Verdict] = []
    monkeypatch.setattr(
        regrade, "write_all", lambda folder, verdict: written.append(verdict)
    )
    regrade.accept(regraded, tmp_path, changes(regraded, STAGE, "gdt-limit"))
    (result,) = regraded.results(STAGE)
    assert (result.points, result.status, result.key) == (5, "pass", "l" * 64)
    assert result.verdict and {c["status"] for c in result.verdict["checks"]} == {
        "pass"
    }
    assert written == [Verdict.from_json(result.verdict)]
