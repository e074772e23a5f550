# SPDX-License-Identifier: MIT
"""What grades one submission cannot harm the next, nor escape its mark by dying."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.cohort import refused, worker
from grader.cohort.isolate import Limits, adopt, isolated
from grader.cohort.model import Item
from grader.cohort.worker import LOG, Worker, trim
from grader.course import Course
from grader.errors import OperatorError
from grader.tests.cohort import item, verdict
from grader.tests.test_handouts import solve
from grader.verdict.model import Status, Verdict

Graded = Callable[[Item], Mapping[str, Any]]


def die() -> Mapping[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def spin() -> Mapping[str, Any]:
    while True:
        pass


def leave_someone() -> Mapping[str, Any]:
    argv = ["setsid", "-f", "sleep", "1000"]
    subprocess.run(argv, check=True)
    return {"left": True}


def test_what_a_forked_process_returns_comes_back(tmp_path: Path) -> None:
    def work() -> Mapping[str, Any]:
        print("noise")
        return {"pid": os.getpid()}

    ended = isolated(work, tmp_path / LOG)
    assert ended.data and ended.data["pid"] != os.getpid()
    assert (ended.error, ended.operator) == ("", False)


@pytest.mark.parametrize(
    "work, limits, says",
    [
        (die, Limits(), "killed by SIGKILL"),
        (spin, Limits(wall_s=0.2), "not done after 0.2 s"),
        (spin, Limits(cpu_s=1), "killed by SIGXCPU"),
        (lambda: {"x": 1 // 0}, Limits(), "ZeroDivisionError"),
        (lambda: os._exit(3), Limits(), "status 3 and said nothing"),
    ],
)
def test_how_it_died_is_told(
    tmp_path: Path, work: Callable[[], Any], limits: Limits, says: str
) -> None:
    ended = isolated(work, tmp_path / LOG, limits)
    assert ended.data is None and says in ended.error


def test_nothing_that_it_started_outlives_it(tmp_path: Path) -> None:
    def children() -> str:
        return Path(f"/proc/self/task/{os.getpid()}/children").read_text()

    def in_a_worker() -> Mapping[str, Any]:
        adopt()
        ended = isolated(leave_someone, tmp_path / LOG)
        return {"ended": bool(ended.data), "children": children()}

    assert isolated(in_a_worker, tmp_path / "outer").data == {
        "ended": True,
        "children": "",
    }


@pytest.fixture
def hire(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Graded], Worker]:
    """A worker for whom `graded` is what the forked process does."""
    solve(course.root)
    monkeypatch.setattr(refused, "versions", lambda root: {})
    monkeypatch.setattr(refused, "sandbox_tier", lambda: "A")

    def made(graded: Graded) -> Worker:
        def work(item: Item, folder: Path) -> Mapping[str, Any]:
            return graded(item)

        hired = Worker(tmp_path / "out", course.root)
        monkeypatch.setattr(hired, "_graded", work)
        monkeypatch.setattr(worker, "write_all", lambda folder, verdict: None)
        return hired

    return made


def full(item: Item, **statuses: str) -> Mapping[str, Any]:
    return {"verdict": verdict(**statuses), "qemu_cpu_s": 1.0}


def is_reference(item: Item) -> bool:
    return item.src.endswith("solutions")


def raises(error: Exception) -> Mapping[str, Any]:
    raise error


def test_a_verdict_is_the_outcome_and_its_run_is_kept(
    hire: Callable[[Graded], Worker]
) -> None:
    hired = hire(full)
    outcome = hired.grade(item())
    assert (outcome.points, outcome.attempts) == (5, ())
    assert (hired.out / outcome.folder).is_dir() and outcome.cpu_s >= 1.0


def test_what_goes_wrong_once_is_tried_again(
    hire: Callable[[Graded], Worker], tmp_path: Path
) -> None:
    def graded(item: Item) -> Mapping[str, Any]:
        first = tmp_path / "first"
        if not first.exists():
            first.touch()
            die()
        return full(item)

    outcome = hire(graded).grade(item())
    assert outcome.points == 5
    assert [attempt.what for attempt in outcome.attempts] == ["died"]


@pytest.mark.parametrize("how", ["raises", "dies", "is the operator's fault"])
def test_a_submission_that_ends_its_grader_gets_no_points(
    hire: Callable[[Graded], Worker], how: str
) -> None:
    def graded(item: Item) -> Mapping[str, Any]:
        if is_reference(item):
            return full(item)
        if how == "dies":
            return die()
        error = (
            OperatorError("no room left", "") if "operator" in how else KeyError("x")
        )
        return raises(error)

    outcome = hire(graded).grade(item())
    assert (outcome.status, outcome.points) == (Status.FAIL, 0)
    made = outcome.whole()
    assert made and "gave up twice" in made.checks[0].seen
    assert [attempt.what for attempt in outcome.attempts] == ["died", "died"]


def test_what_the_reference_shows_too_is_nobodys_mark(
    hire: Callable[[Graded], Worker]
) -> None:
    outcome = hire(lambda item: die()).grade(item())
    assert (outcome.status, outcome.points) == (Status.HARNESS_ERROR, None)


def test_a_machine_that_cannot_grade_the_reference_grades_nobody(
    hire: Callable[[Graded], Worker]
) -> None:
    with pytest.raises(OperatorError, match="nasm is missing"):
        hire(lambda item: raises(OperatorError("nasm is missing", ""))).grade(item())


def test_a_harness_error_is_tried_twice_and_not_scored(
    hire: Callable[[Graded], Worker]
) -> None:
    hired = hire(lambda item: full(item, gdt_code="harness error"))
    outcome = hired.grade(item())
    assert (outcome.status, outcome.points) == (Status.HARNESS_ERROR, None)
    assert [attempt.what for attempt in outcome.attempts] == ["harness error"] * 2
    (left,) = (hired.out / "submissions/ada").iterdir()
    assert str(left.relative_to(hired.out)) == outcome.folder


@pytest.mark.parametrize("status", ["pass", "fail"])
def test_of_a_run_only_what_explains_a_lost_point_is_kept(
    tmp_path: Path, status: str
) -> None:
    boot = tmp_path / "i386/01-gdt/runs/encode"
    boot.mkdir(parents=True)
    for name in ("boot.iso", "kernel.elf", "console.log", "trace.log"):
        (boot / name).write_text("x")
    (tmp_path / LOG).touch()
    trim(tmp_path, Verdict.from_json(verdict(gdt_code=status)))
    left = {file.name for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"console.log"} | ({"trace.log"} if status == "fail" else set())
