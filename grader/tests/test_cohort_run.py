# SPDX-License-Identifier: MIT
"""A class run loses nothing and repeats nothing, whenever and however it is cut off."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from grader.cohort import refused
from grader.cohort import run as running
from grader.cohort.engine import Lost
from grader.cohort.local import Local
from grader.cohort.model import SPOOL, Carry, HandedIn, Item, Outcome, spool_file
from grader.cohort.run import Run, held, stoppable
from grader.cohort.store import PAST, Store
from grader.course import Course
from grader.errors import ROOM_BYTES, OperatorError
from grader.intake.downloads import Source
from grader.intake.submission import Submission, Unreadable
from grader.tests.cohort import (
    STAGE,
    Inline,
    class_of,
    outcome,
    planner,
    run_in,
)
from grader.tests.conftest import Disk

NAMES = ("ada", "bob", "eve")


class Killed(BaseException):
    """Stands for kill -9: nothing that the run would do on its way out is done."""


def graded(run: Run, *names: str, **how: str) -> int:
    return run.grade(class_of(run, *names, **how), planner(run))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_everybody_gets_a_result_and_nobody_twice(course: Course, out: Path) -> None:
    engine = Inline(out, outcome)
    run = run_in(course, out, engine)
    assert graded(run, *NAMES) == 3
    assert graded(run, *NAMES) == 0
    assert engine.graded == [*NAMES]
    assert not [*(out / SPOOL).iterdir()]


def test_only_what_changed_is_graded_again(course: Course, out: Path) -> None:
    engine = Inline(out, outcome)
    run = run_in(course, out, engine)
    graded(run, *NAMES)
    others = class_of(run, "ada", "eve")
    changed = class_of(run, "bob", text="int y;\n")
    assert run.grade([*others, *changed], planner(run)) == 1
    assert engine.graded == [*NAMES, "bob"]


def test_a_change_of_the_grader_grades_everybody_again(
    course: Course, out: Path
) -> None:
    run = run_in(course, out, Inline(out, outcome))
    every = class_of(run, *NAMES)
    run.grade(every, planner(run))
    assert run.grade(every, planner(run, grader="mended")) == 3
    assert len(run.store.results(STAGE, PAST)) == 3


@pytest.mark.parametrize("at", ["before it is spooled", "in the store", "unlinked"])
def test_a_run_killed_anywhere_goes_on_where_it_was(
    course: Course, out: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(item: Item) -> Outcome:
        if at == "before it is spooled" and item.submission == "bob":
            raise Killed
        return outcome(item)

    keep = Store.keep

    def killed(store: Store, made: Outcome, state: str = "current") -> None:
        if at == "unlinked" or made.item.submission != "bob":
            keep(store, made, state)
        if at != "before it is spooled" and made.item.submission == "bob":
            raise Killed

    first = Inline(out, work)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "keep", killed)
        with pytest.raises(Killed):
            graded(run_in(course, out, first), *NAMES)
    second = Inline(out, outcome)
    run = run_in(course, out, second)
    run.recover()
    graded(run, *NAMES)
    twice = ["bob"] if at == "before it is spooled" else []
    assert sorted(first.graded + second.graded) == sorted([*NAMES, *twice])
    assert [r.submission for r in run.store.results(STAGE)] == [*NAMES]
    assert not run.store.results(STAGE, PAST)
    assert not [*(out / SPOOL).iterdir()]


def test_what_a_run_left_half_done_is_removed(course: Course, out: Path) -> None:
    run = run_in(course, out, Inline(out, outcome))
    graded(run, "ada")
    kept = {r.folder for r in run.store.results(STAGE)}
    (out / "submissions/ada/half").mkdir()
    (out / "submissions/gone/half").mkdir(parents=True)
    (out / SPOOL / ".ada.json.x7").touch()
    run.recover()
    left = {str(f.relative_to(out)) for f in (out / "submissions").glob("*/*")}
    assert left == kept | {"submissions/ada/src-1"}
    assert not [*(out / SPOOL).iterdir()]


def test_a_spooled_file_that_a_power_cut_emptied_is_graded_again(
    course: Course, out: Path
) -> None:
    run = run_in(course, out, Inline(out, outcome))
    every = class_of(run, "ada")
    (item,) = planner(run).items(every[0], run.stage, "i386")
    spool_file(out, item).touch()
    run.recover()
    assert run.grade(every, planner(run)) == 1


def test_a_result_that_comes_in_pieces_is_a_lost_one(course: Course, out: Path) -> None:
    class Tearing(Inline):
        def wait(self, timeout_s: float) -> list[Lost]:
            lost = super().wait(timeout_s)
            for file in (out / SPOOL).glob("*.json"):
                if self.graded == ["ada"]:
                    file.write_text(file.read_text()[:99])
            return lost

    run = run_in(course, out, Tearing(out, outcome))
    assert graded(run, "ada") == 1
    assert [result.points for result in run.store.results(STAGE)] == [5]
    (attempt,) = run.store.attempts(STAGE)
    assert "in pieces" in attempt["detail"]


def test_a_lost_worker_is_replaced_once_and_then_reported(
    course: Course, out: Path
) -> None:
    lost: list[str] = []

    def work(item: Item) -> Outcome | None:
        if item.submission in ("bob", "eve"):
            lost.append(item.submission)
            if item.submission == "eve" or lost.count("bob") < 2:
                return None
        return outcome(item)

    run = run_in(course, out, Inline(out, work))
    graded(run, *NAMES)
    points = {r.submission: r.points for r in run.store.results(STAGE)}
    assert points == {"ada": 5, "bob": 5, "eve": None}
    attempts = [(row["submission"], row["what"]) for row in run.store.attempts(STAGE)]
    assert sorted(attempts) == [("bob", "lost"), ("eve", "lost"), ("eve", "lost")]
    # The next run tries again whom nobody scored.
    assert graded(run_in(course, out, Inline(out, outcome)), *NAMES) == 1
    assert run.store.results(STAGE)[2].points == 5


def test_processes_that_die_are_noticed_and_the_others_go_on(
    course: Course, out: Path
) -> None:
    engine = Local(out, 2, ("grader.tests.cohort",))
    run = run_in(course, out, engine)
    with stoppable(engine, str):
        graded(run, "ada", "dies", "once", "zoe")
    points = {r.submission: r.points for r in run.store.results(STAGE)}
    assert points == {"ada": 5, "dies": None, "once": 5, "zoe": 5}


def test_a_machine_where_nobody_can_be_graded_stops_the_run(
    course: Course, out: Path
) -> None:
    engine = Local(out, 1, ("grader.tests.cohort",))
    run = run_in(course, out, engine)
    with stoppable(engine, str), pytest.raises(OperatorError, match="nobody can be"):
        graded(run, "ada", "refuses")
    assert [r.submission for r in run.store.results(STAGE)] == ["ada"]


def test_a_full_disk_stops_the_run_and_is_no_ones_loss(
    course: Course, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> None:
        raise OperatorError("no room left on the disk", "free some space")

    first = Inline(
        out, lambda item: None if item.submission == "bob" else outcome(item)
    )
    run = run_in(course, out, first)
    with monkeypatch.context() as patched:
        patched.setattr(running, "require_room", full)
        with pytest.raises(OperatorError, match="no room left"):
            graded(run, *NAMES)
    assert not run.store.attempts(STAGE)
    second = Inline(out, outcome)
    again = run_in(course, out, second)
    again.recover()
    graded(again, *NAMES)
    assert second.graded == ["bob", "eve"]


@pytest.fixture
def small(out: Path, disk: Disk) -> Path:
    """OUT on a disk of its own, with a little more room than a run asks for."""
    disk(out, ROOM_BYTES + (4 << 20))
    return out


def test_a_disk_that_really_fills_up_loses_nothing(course: Course, small: Path) -> None:
    run = run_in(course, small, Local(small, 1, ("grader.tests.cohort",)))
    with stoppable(run.engine, str), pytest.raises(OperatorError, match="no room left"):
        graded(run, "ada", "fills", "zoe")
    run.store.close()
    (small / "filling").unlink()
    engine = Inline(small, outcome)
    again = run_in(course, small, engine)
    again.recover()
    graded(again, "ada", "fills", "zoe")
    assert engine.graded == ["fills", "zoe"]
    again.store.close()


def test_an_interrupted_run_says_how_far_it_is(course: Course, out: Path) -> None:
    def work(item: Item) -> Outcome:
        if item.submission == "bob":
            raise KeyboardInterrupt
        return outcome(item)

    engine = Inline(out, work)
    run = run_in(course, out, engine)
    with pytest.raises(OperatorError, match="stopped: so far; the same command"):
        with stoppable(engine, lambda: "so far"):
            graded(run, *NAMES)


def test_a_problem_is_a_zero_with_its_reason_and_a_fault_of_ours_is_none(
    course: Course, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "versions", lambda root: {})
    monkeypatch.setattr(refused, "sandbox_tier", lambda: "A")
    engine = Inline(out, outcome)
    run = run_in(course, out, engine)
    every = [
        HandedIn("ada", STAGE, "ada", problem="it holds 2 archives"),
        HandedIn("bob", STAGE, "bob", fault="its remote is silent"),
    ]
    run.store.hand_in(every)
    run.grade(every, planner(run))
    (result,) = run.store.results(STAGE)
    assert (result.submission, result.points, result.max_points) == ("ada", 0, 5)
    assert result.verdict
    seen = {check["seen"] for check in result.verdict["checks"]}
    assert seen == {"Nothing was graded: it holds 2 archives."}
    assert not engine.graded
    # A better archive is graded, and replaces the zero.
    run.grade(class_of(run, "ada"), planner(run))
    assert [result.points for result in run.store.results(STAGE)] == [5]


def test_who_cannot_be_read_today_keeps_what_was_read_before(
    course: Course, out: Path
) -> None:
    def silent(*_: object) -> Submission:
        raise Unreadable("ada cannot be fetched", "see that it can")

    run = run_in(course, out, Inline(out, outcome))
    (before,) = class_of(run, "ada")
    (now,) = run.take_in([Source("ada", silent)])
    assert now == dataclasses.replace(before, fault=now.fault)
    assert "cannot be fetched" in now.fault
    run.grade([now], planner(run))
    assert [result.points for result in run.store.results(STAGE)] == [5]


def test_two_runs_do_not_share_a_folder(out: Path) -> None:
    with held(out), pytest.raises(OperatorError, match="another run"):
        with held(out):
            pass


def test_the_better_of_both_carries_is_only_looked_for_below_full_points(
    course: Course, out: Path
) -> None:
    tried: list[tuple[str, str]] = []

    def work(item: Item) -> Outcome:
        tried.append((item.submission, item.carry.value))
        return outcome(item, gdt_code="pass" if item.submission == "ada" else "fail")

    run = run_in(course, out, Inline(out, work))
    every = class_of(run, "ada", "bob")
    run.grade(every, planner(run, Carry.BEST))
    expected = [("ada", "reference"), ("bob", "reference"), ("bob", "own")]
    assert tried == expected
