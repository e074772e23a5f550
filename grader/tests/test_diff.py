# SPDX-License-Identifier: MIT
"""A student's work is shown against handout and solution, and without tricks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from grader.course import Course
from grader.diff import diff
from grader.errors import OperatorError
from grader.handouts import handouts
from grader.tests.conftest import write_stage
from grader.tests.test_handouts import solve


@pytest.fixture
def student(course: Course, tmp_path: Path) -> Path:
    """A student's repository root, with gdt.c edited, load.asm gone."""
    solve(course.root)
    handouts(course.root, check=False)
    (course.root / "Makefile").write_text("all:\n")
    root = tmp_path / "student"
    write_stage(root)
    text = (course.root / "assignments/01-gdt/gdt.c").read_text()
    text = text.replace('TASK_OPEN("1.2");', "return 42; \x1b[31m")
    (root / "assignments/01-gdt/gdt.c").write_text(text)
    (root / "Makefile").write_text("all: cheat\n")
    return root


def test_the_student_s_lines_are_shown(
    course: Course, student: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert diff(course.root, "01-gdt", None, str(student)) == 0
    shown = capfd.readouterr().out
    assert shown.index("changed  Makefile") < shown.index("from handout to student")
    assert '-    TASK_OPEN("1.2");' in shown
    assert "+    return 42; \\x1b[31m" in shown
    assert "from student to solution" in shown
    assert "01-gdt/i386/load.asm: the student has no such file" in shown
    assert "\x1b" not in shown


def test_a_folder_of_gap_files_will_do(
    course: Course, student: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert diff(course.root, None, "i386", str(student / "assignments")) == 0
    shown = capfd.readouterr().out
    assert "return 42" in shown and "Makefile" not in shown


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_is_not_followed(
    course: Course,
    student: Path,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    linked: str,
) -> None:
    secret = tmp_path / "secrets" / "load.asm"
    secret.parent.mkdir()
    secret.write_text("the answer")
    folder = student / "assignments/01-gdt/i386"
    if linked == "folder":
        folder.symlink_to(secret.parent)
    else:
        folder.mkdir()
        (folder / "load.asm").symlink_to(secret)
    diff(course.root, "01-gdt", None, str(student))
    assert "the answer" not in capfd.readouterr().out


def test_a_branch_will_do(
    course: Course, student: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@y"]
        subprocess.run(["git", *who, *words], cwd=course.root, check=True)

    git("init", "-q")
    (student / "assignments").rename(course.root / "work")
    git("add", "work")
    git("mv", "work", "assignments/x")
    (course.root / "assignments/x/01-gdt").rename(course.root / "kept")
    (course.root / "assignments/01-gdt/gdt.c").write_text("int branch;\n")
    git("add", "assignments/01-gdt")
    git("commit", "-q", "-m", "x")
    git("branch", "theirs")
    handouts(course.root, check=False)
    assert diff(course.root, "01-gdt", None, "theirs") == 0
    assert "+int branch;" in capfd.readouterr().out


@pytest.mark.parametrize("other", ["nowhere", "--output=x", ""])
def test_what_is_neither_folder_nor_branch_is_refused(
    course: Course, other: str
) -> None:
    with pytest.raises(OperatorError, match="WITH="):
        diff(course.root, None, None, other)
