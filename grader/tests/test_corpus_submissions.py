# SPDX-License-Identifier: MIT
"""A cheat is refused only with no point, a right solution accepted only with all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.corpus.submissions import (
    ABOUT,
    REDTEAM,
    VARIANTS,
    Submission,
    find_cheats,
    find_variants,
)
from grader.corpus.trial import Corpus, Entry
from grader.course import Course
from grader.errors import OperatorError
from grader.handouts import derive
from grader.settings import ROOT
from grader.tests.test_corpus_mutants import BODY, verdict
from grader.tests.test_handouts import solve
from grader.verdict.model import Status

PASS, FAIL, OPEN = Status.PASS, Status.FAIL, Status.NOT_IMPLEMENTED
BLOCKED, BROKEN = Status.BLOCKED, Status.BUILD_ERROR


def submission(
    root: Path, about: str = "", files: tuple[str, ...] = ("gdt.c",)
) -> Path:
    folder = root / "known"
    clever = folder / "01-gdt" / "clever"
    clever.mkdir(parents=True, exist_ok=True)
    for file in files:
        (clever / file).write_text("mine\n", encoding="utf-8")
    if about:
        (clever / ABOUT).write_text(about, encoding="utf-8")
    return folder


def cheat(course: Course, about: str = "Arch: i386\n") -> Entry:
    (found,) = find_cheats(submission(course.root, about), course.stages[0])
    return found


def variant(course: Course) -> Entry:
    (found,) = find_variants(submission(course.root), course.stages[0])
    return found


REFUSED = [
    ("", FAIL, OPEN, "refused", True),
    ("", BROKEN, BROKEN, "refused", True),
    ("", PASS, FAIL, "gained", False),
    ("Meets: gdt-code", PASS, FAIL, "refused", True),
    ("Meets: gdt-code", PASS, PASS, "gained", False),
    ("Meets: gdt-code", FAIL, FAIL, "stated too much", False),
    ("Says: nonsense", FAIL, FAIL, "wrongly explained", False),
]


@pytest.mark.parametrize("about, code, limit, outcome, good", REFUSED)
def test_a_cheat_may_score_only_what_it_honestly_meets(
    course: Course, about: str, code: Status, limit: Status, outcome: str, good: bool
) -> None:
    trial = cheat(course, f"Arch: i386\n{about}\n").judge(verdict(course, code, limit))
    assert (trial.outcome, trial.good) == (outcome, good)


def test_a_harness_error_is_no_refusal(course: Course) -> None:
    told = verdict(course, Status.HARNESS_ERROR, FAIL)
    assert not cheat(course).outcome(told).good


@pytest.mark.parametrize("status", [FAIL, OPEN, BLOCKED, BROKEN])
def test_a_right_solution_must_pass_every_check(course: Course, status: Status) -> None:
    assert variant(course).judge(verdict(course, PASS, PASS)).good
    trial = variant(course).judge(verdict(course, PASS, status, "x"))
    assert (trial.outcome, trial.good) == ("rejected", False)
    assert "gdt-limit" in trial.detail


@pytest.mark.parametrize("status, good", [(OPEN, True), (FAIL, False)])
def test_only_a_bonus_may_be_left_open(
    course: Course, status: Status, good: bool
) -> None:
    told = verdict(course, PASS, status)
    checks = tuple(replace(c, bonus=c.id == "gdt-limit") for c in told.checks)
    assert variant(course).judge(replace(told, checks=checks)).good is good


def test_what_is_absent_comes_from_handout_or_solution(
    course: Course, tmp_path: Path
) -> None:
    solve(course.root)
    for path, text in derive(course).items():
        (course.root / path).parent.mkdir(parents=True, exist_ok=True)
        (course.root / path).write_text(text, encoding="utf-8")
    src = tmp_path / "cheat"
    assert cheat(course).lay_out(course.root, src) == ""
    assert (src / "01-gdt/gdt.c").read_text() == "mine\n"
    assert "TASK_OPEN" in (src / "01-gdt/i386/load.asm").read_text()
    src = tmp_path / "variant"
    assert variant(course).lay_out(course.root, src) == ""
    assert "TASK_OPEN" not in (src / "01-gdt/i386/load.asm").read_text()
    assert not (src / "01-gdt" / ABOUT).exists()
    src = tmp_path / "cheat-on-the-reference"
    solved = cheat(course, "Arch: i386\nRest: solutions\n")
    assert solved.lay_out(course.root, src) == ""
    assert "TASK_OPEN" not in (src / "01-gdt/i386/load.asm").read_text()


def test_a_patch_changes_what_it_belongs_to(course: Course, tmp_path: Path) -> None:
    solve(course.root)
    folder = submission(course.root, "Arch: i386\nRest: solutions\n", ())
    clever = folder / "01-gdt/clever"
    (clever / "one.patch").write_text(BODY, encoding="utf-8")
    (patched,) = find_cheats(folder, course.stages[0])
    src = tmp_path / "fits"
    assert patched.lay_out(course.root, src) == ""
    assert "int a = 1;" in (src / "01-gdt/gdt.c").read_text()
    assert not (src / "01-gdt/one.patch").exists()
    stale = BODY.replace("int a = 0;", "int b = 0;")
    (clever / "two.patch").write_text(stale, encoding="utf-8")
    assert "patch failed" in patched.lay_out(course.root, tmp_path / "stale")


@pytest.mark.parametrize("corpus", [REDTEAM, VARIANTS])
def test_the_known_patches_fit(corpus: Corpus, tmp_path: Path) -> None:
    known = corpus.collect(Course.load(ROOT), ROOT / corpus.home, None, None)
    for entry in known:
        assert isinstance(entry, Submission)
        if any(entry.folder.glob("*.patch")):
            src = tmp_path / entry.arch / entry.name
            assert entry.lay_out(ROOT, src) == "", entry.name


UNSOUND = {
    "unknown key": ("Style: other\n", ("gdt.c",), "Style: is unknown"),
    "unknown check": ("Meets: gdt-x\n", ("gdt.c",), "gdt-x is no check"),
    "unknown arch": ("Arch: arm\n", ("gdt.c",), "arm is not offered"),
    "unknown rest": ("Rest: elsewhere\n", ("gdt.c",), "Rest: elsewhere"),
    "no gap file": ("Tries: x\n", ("gtd.c",), "no gap file lies beside it"),
}


@pytest.mark.parametrize("fault", UNSOUND)
def test_a_submission_that_states_nothing_sound_is_refused(
    course: Course, fault: str
) -> None:
    about, files, says = UNSOUND[fault]
    with pytest.raises(OperatorError, match=says):
        find_cheats(submission(course.root, about, files), course.stages[0])
