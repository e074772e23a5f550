# SPDX-License-Identifier: MIT
"""How a check comes out: each outcome has its own status, and the harness its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.build import Message, SubmissionError
from grader.checks.api import Case, CheckFailed, CheckSpec, TaskOpen, boot, check
from grader.course import Course, Stage
from grader.engine import Engine
from grader.errors import OperatorError
from grader.grading import Grading
from grader.judge import Judge, title_of
from grader.session import _Watch
from grader.settings import Settings
from grader.spread import scope
from grader.tests.test_handouts import solve
from grader.verdict.model import CheckResult, Status


class NoEngine(Engine):
    """An engine that is never asked for a boot."""

    def warnings(self, arch: str, stage: Stage) -> tuple[Message, ...]:
        return ()


@pytest.fixture
def settings(course: Course, tmp_path: Path) -> Settings:
    return Settings(course, course.stages, ("i386",), tmp_path, tmp_path, 1, tmp_path)


@pytest.fixture
def outcome(settings: Settings) -> Callable[..., CheckResult]:
    engine = NoEngine(settings)
    judge = Judge(settings, engine)

    def run(
        function: Callable[[Case], None], name: str = "gdt-code", *needs: str
    ) -> CheckResult:
        stage = settings.course.stages[0]
        entry = next(c for c in stage.checks if c.id == name)
        spec = CheckSpec(name, (), needs)
        case = Case(entry, spec, stage, "i386", settings.seed, engine)
        return judge.judge(case, function).result

    return run


Outcome = Callable[..., CheckResult]


def passes(case: Case) -> None:
    """The descriptor
    is right.

    What stands below is for the staff.
    """
    case.fact("dpl", 3)


def fails(case: Case) -> None:
    """It is right."""
    case.expect(False, expected="DPL 3", seen="DPL 0 \x1b[2J", source="gdt.c:3")


def crashes(case: Case) -> None:
    """It is right."""
    raise ZeroDivisionError("oops")


def test_a_check_passes_with_its_points_and_its_sentence(outcome: Outcome) -> None:
    result = outcome(passes)
    assert (result.status, result.points) == (Status.PASS, 3)
    assert result.title == title_of(passes) == "The descriptor is right."


def test_a_failed_expectation_is_told(outcome: Outcome) -> None:
    result = outcome(fails)
    assert (result.status, result.points) == (Status.FAIL, 0)
    assert result.seen == "DPL 0 \\x1b[2J"
    assert result.source == "gdt.c:3"


def test_a_check_is_blocked_by_the_one_that_it_needs(outcome: Outcome) -> None:
    outcome(fails)
    result = outcome(passes, "gdt-limit", "gdt-code")
    assert (result.status, result.blocked_by) == (Status.BLOCKED, "gdt-code")
    outcome(passes)
    assert outcome(passes, "gdt-limit", "gdt-code").status is Status.PASS


def test_an_open_task_is_named_by_all_that_depend_on_it(outcome: Outcome) -> None:
    def stub(case: Case) -> None:
        raise TaskOpen("1.2")

    for result in (outcome(stub), outcome(passes, "gdt-limit", "gdt-code")):
        assert result.status is Status.NOT_IMPLEMENTED
        assert "Task 1.2 (Load) is still open" in result.seen


def test_a_build_error_names_file_line_and_stage(outcome: Outcome) -> None:
    def broken(case: Case) -> None:
        message = Message("00-boot/a.c", 7, 1, "error", "no such thing", "00-boot")
        raise SubmissionError((message,))

    result = outcome(broken)
    assert result.status is Status.BUILD_ERROR
    assert result.seen == "00-boot/a.c:7: no such thing"
    assert "earlier stage 00-boot" in result.cause


def test_a_crash_of_the_check_is_the_harness_s_without_a_reference(
    outcome: Outcome,
) -> None:
    result = outcome(crashes)
    assert result.status is Status.HARNESS_ERROR
    assert "ZeroDivisionError: oops (test_plugin.py:" in result.seen
    assert "ZeroDivisionError" in Path(result.source).read_text()


def test_a_crash_that_the_reference_does_not_share_is_the_submission_s(
    outcome: Outcome, course: Course
) -> None:
    solve(course.root)

    def odd(case: Case) -> None:
        """It is right."""
        if isinstance(case.source, NoEngine):
            raise ZeroDivisionError("oops")

    result = outcome(odd)
    assert (result.status, result.points) == (Status.FAIL, 0)
    assert "could not be judged" in result.seen
    assert outcome(crashes).status is Status.HARNESS_ERROR


def test_a_full_disk_is_nobody_s_zero(outcome: Outcome) -> None:
    def full(case: Case) -> None:
        raise OSError(28, "No space left on device", "/somewhere/trace.log")

    with pytest.raises(OperatorError, match="no room left.*OUT=<folder>"):
        outcome(full)


def test_a_boot_must_be_listed(outcome: Outcome) -> None:
    @boot("unlisted")
    def unlisted(plan: Any) -> Any:
        raise AssertionError

    def odd(case: Case) -> None:
        case.run(unlisted)

    result = outcome(odd)
    assert result.status is Status.HARNESS_ERROR and "unlisted" in result.seen


def grading(course: Course, **options: str) -> Grading:
    chosen = {"src": str(course.root / "assignments"), **options}
    return Grading(chosen, root=course.root)


def test_a_check_that_no_manifest_knows_is_refused(course: Course) -> None:
    with pytest.raises(OperatorError, match="'gdt-base' stands in no manifest"):
        grading(course).cases(CheckSpec("gdt-base", (), ()))


def test_a_check_cannot_need_a_later_one(course: Course) -> None:
    with pytest.raises(OperatorError, match="does not stand before it"):
        grading(course).cases(CheckSpec("gdt-code", (), ("gdt-limit",)))


def test_out_belongs_to_one_run_at_a_time(course: Course, tmp_path: Path) -> None:
    first = grading(course, out=str(tmp_path / "out"))
    first.open_out()
    second = grading(course, out=str(tmp_path / "out"))
    with pytest.raises(OperatorError, match="another run is writing"):
        second.open_out()
    first.close()
    second.open_out()
    second.close()


def test_random_choices_follow_from_the_seed_alone(course: Course) -> None:
    def draws(seed: str) -> tuple[str, int]:
        spec = CheckSpec("gdt-code", (), ())
        (case,) = grading(course, seed=seed).cases(spec)
        return case.nonce, case.rng().getrandbits(64)

    assert draws("1f") == draws("0x1F") != draws("20")


def test_workers_share_no_stage() -> None:
    one = scope("grader/checks/test_01_gdt.py::test_code[i386]")
    assert one == scope("checks/test_01_gdt.py::test_limit[i386]")
    assert one != scope("checks/test_01_gdt.py::test_limit[x86_64]")
    assert scope("tests/test_x.py::test_a") != scope("tests/test_x.py::test_b")


def test_check_keeps_the_function_callable() -> None:
    @check("gdt-code")
    def test_it(case: Any) -> None:
        raise CheckFailed(expected="a", seen="b")

    with pytest.raises(CheckFailed, match="expected a; seen b"):
        test_it(None)


def test_a_key_pressed_while_checks_are_read_stops_the_run(tmp_path: Path) -> None:
    file = tmp_path / "test_key.py"
    file.write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    watch = _Watch()
    words = ["-p", "no:terminal", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    pytest.main([*words, "-c", os.devnull, str(file)], plugins=[watch])
    assert watch.interrupted
