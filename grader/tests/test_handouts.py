# SPDX-License-Identifier: MIT
"""Stripping takes out every solution, leaves the rest, refuses what it cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import OperatorError
from grader.handouts import StripError, derive, handouts, strip

TASKS = frozenset({"4.1", "4.2"})

C_SOLVED = """\
#include <task.h>

/* BEGIN SOLUTION 4.1: a helper may help you */
static int helper(void)
{
    return 1;
}
/* END SOLUTION 4.1 */

int work(void)
{
    int a = 0;
    /* BEGIN SOLUTION 4.2: add one,
     * and give it back */
    return a + helper();
    /* END SOLUTION 4.2 */
}
"""
C_OPEN = """\
#include <task.h>

/* TASK 4.1: a helper may help you */

int work(void)
{
    int a = 0;
    /* TASK 4.2: add one,
     * and give it back */
    TASK_OPEN("4.2");
}
"""
ASM_SOLVED = """\
enter:
    ; BEGIN SOLUTION 4.2: push the frame
    push eax
    iretd
    ; END SOLUTION 4.2
"""
ASM_OPEN = """\
enter:
    ; TASK 4.2: push the frame
    TASK_OPEN "4.2"
"""


def test_c_regions_become_open_tasks() -> None:
    assert strip(C_SOLVED, "work.c", TASKS) == C_OPEN


def test_assembly_regions_become_open_tasks() -> None:
    assert strip(ASM_SOLVED, "enter.asm", TASKS) == ASM_OPEN


def test_stripping_twice_changes_nothing() -> None:
    assert strip(C_OPEN, "work.c", TASKS) == C_OPEN


WRONG = {
    "nested": ("    return a", "    /* BEGIN SOLUTION 4.1: x */\n    return a"),
    "foreign id": ("SOLUTION 4.2", "SOLUTION 4.9"),
    "no hint": (": a helper may help you", ""),
    "empty hint": ("a helper may help you", ""),
    "no id": ("BEGIN SOLUTION 4.1:", "BEGIN SOLUTION:"),
    "other end": ("END SOLUTION 4.2", "END SOLUTION 4.1"),
    "odd marker": ("/* END SOLUTION 4.2 */", "// END SOLUTION 4.2"),
    "no end": ("    /* END SOLUTION 4.2 */\n", ""),
    "code behind": ("may help you */", "may help you */ int x;"),
}
SAYS = {
    "nested": "begins inside that of task 4.2",
    "foreign id": "task 4.9 is not in the manifest",
    "no hint": "hint of task 4.1 is missing",
    "empty hint": "hint of task 4.1 is missing",
    "no id": "names no task",
    "other end": "ends no region",
    "odd marker": "not understood",
    "no end": "region of task 4.2 does not end",
    "code behind": "follows the comment",
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_region_is_refused_at_its_line(fault: str) -> None:
    good, bad = WRONG[fault]
    assert good in C_SOLVED
    with pytest.raises(StripError, match=SAYS[fault]) as caught:
        strip(C_SOLVED.replace(good, bad), "work.c", TASKS)
    assert str(caught.value).startswith("work.c:")


def solve(root: Path) -> None:
    folder = root / "solutions/01-gdt"
    (folder / "i386").mkdir(parents=True)
    text = C_SOLVED.replace("4.", "1.")
    (folder / "gdt.c").write_text(text, encoding="utf-8")
    asm = ASM_SOLVED.replace("4.", "1.")
    (folder / "i386/load.asm").write_text(asm, encoding="utf-8")


def test_handouts_are_written_and_checked(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    solve(course.root)
    assert handouts(course.root, check=True) == 1
    assert "assignments/01-gdt/gdt.c is not what" in capsys.readouterr().err
    assert handouts(course.root, check=False) == 0
    assert handouts(course.root, check=True) == 0
    made = course.root / "assignments/01-gdt/gdt.c"
    assert made.read_text(encoding="utf-8") == C_OPEN.replace("4.", "1.")
    assert not any("SOLUTION" in text for text in derive(course).values())


def test_a_file_that_no_manifest_names_is_refused(course: Course) -> None:
    solve(course.root)
    (course.root / "solutions/01-gdt/extra.c").write_text("\n")
    with pytest.raises(
        OperatorError, match=r"solutions/01-gdt/extra.c is in no \[gaps"
    ):
        derive(course)


def test_a_missing_solution_is_refused(course: Course) -> None:
    with pytest.raises(OperatorError, match="solutions/01-gdt/gdt.c is missing"):
        derive(course)
