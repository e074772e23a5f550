# SPDX-License-Identifier: MIT
"""The store takes each outcome in once and whole, whatever happens meanwhile."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from pathlib import Path

import pytest

from grader.cohort.model import Attempt, Carry, HandedIn, Item, Outcome
from grader.cohort.store import CANDIDATE, PAST, Store
from grader.errors import OperatorError
from grader.tests.cohort import STAGE, item, outcome


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def test_items_and_outcomes_come_back_as_they_were_sent() -> None:
    one = item()
    assert Item.from_line(one.to_line()) == one
    made = dataclasses.replace(outcome(one), attempts=(Attempt("lost", "gone"),))
    assert Outcome.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_no_two_items_share_an_id() -> None:
    every = [item(name, key, carry) for name in "ab" for key in "kl" for carry in Carry]
    assert len({each.id for each in every}) == len(every)


def test_an_outcome_counts_once_however_often_it_is_taken_in(store: Store) -> None:
    made = dataclasses.replace(outcome(item()), attempts=(Attempt("died", "x"),))
    store.keep(made)
    store.keep(made)
    (result,) = store.results(STAGE)
    assert (result.points, result.max_points) == (5, 5)
    assert len(store.attempts(STAGE)) == 1


def test_the_newest_outcome_is_current_and_older_ones_are_kept(store: Store) -> None:
    store.keep(outcome(item()))
    store.keep(outcome(item(key="l" * 64), gdt_code="fail"))
    assert [result.points for result in store.results(STAGE)] == [2]
    assert [result.points for result in store.results(STAGE, PAST)] == [5]


def test_a_harness_error_has_no_points(store: Store) -> None:
    store.keep(outcome(item("a"), gdt_code="harness error"))
    store.keep(Outcome(item("b"), "token", None))
    found = [(result.status, result.points) for result in store.results(STAGE)]
    assert found == [("harness error", None)] * 2


def test_candidates_are_accepted_all_or_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        store.keep(outcome(item(name), gdt_code="fail"))
        store.keep(outcome(item(name, key="l" * 64)), CANDIDATE)
    candidates = store.results(STAGE, CANDIDATE)
    broken = dataclasses.replace(candidates[1], verdict={"x": object()})
    with pytest.raises(TypeError):
        store.accept([candidates[0], broken])
    assert [result.points for result in store.results(STAGE)] == [2, 2]
    store.accept(candidates)
    assert [result.points for result in store.results(STAGE)] == [5, 5]
    assert not store.results(STAGE, CANDIDATE)


def test_a_full_disk_is_the_operators_and_loses_nothing(store: Store) -> None:
    store.keep(outcome(item("a")))
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OperatorError, match="no room left"):
        for number in range(100):
            store.keep(outcome(item(f"b{number}")))
    store._db.execute("PRAGMA max_page_count = 100000")
    kept = len(store.results(STAGE))
    store.keep(outcome(item("c")))
    assert len(store.results(STAGE)) == kept + 1


def test_a_store_of_another_format_is_refused(store: Store, tmp_path: Path) -> None:
    store._db.execute("PRAGMA user_version = 99")
    with pytest.raises(OperatorError, match="format 99"):
        Store.open(tmp_path)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "class.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(OperatorError, match="class.sqlite"):
        Store.open(tmp_path)


def test_a_transaction_cut_off_leaves_nothing(store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "class.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO setting VALUES ('seed', 'x')")
    other.close()
    assert store.setting("seed") == ""


def test_what_was_handed_in_comes_back(store: Store) -> None:
    people = ({"name": "Ada", "email": "ada@example.org"},)
    one = HandedIn("ada", STAGE, "Ada", "s", "d", notes=("n",), people=people)
    store.hand_in([one])
    later = dataclasses.replace(one, digest="e", late_days=1.5)
    store.hand_in([later])
    assert store.handed_in(STAGE) == [later]


def test_numbers_in_names_count_as_numbers(store: Store) -> None:
    names = "07 7 7b ada student-2 student-10 student-10-b \u00b2".split()
    every = [HandedIn(name, STAGE, name, "s", "d") for name in names]
    store.hand_in(every[::-1])
    assert [one.name for one in store.handed_in(STAGE)] == names
