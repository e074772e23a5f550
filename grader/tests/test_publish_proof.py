# SPDX-License-Identifier: MIT
"""A branch is published only if it works by itself, from a clean clone of it alone.

Two branches are picked here, of a course with one architecture; `make publish` proves
every branch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.publish.dates import FILE
from grader.publish.proof import prove
from grader.publish.publish import publish
from grader.tests.course_copy import begin, commit, copy_tree, git, tips


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy to change, with an empty remote beside it; only 00-boot is released."""
    root = tmp_path / "course"
    copy_tree(root)
    dates = root / FILE
    text = dates.read_text().replace("[default]", "[default]\nrelease = 2099-01-01")
    dates.write_text(f"{text}\n[stage.00-boot]\nrelease = 2000-01-01\n")
    begin(root, "the course")
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    return root


def test_a_fresh_branch_works_from_a_clone_of_it_alone(
    course: Path, tmp_path: Path
) -> None:
    with (course / FILE).open("a") as file:
        file.write("[stage.01-gdt]\nrelease = 2000-01-01\n")
    commit(course, "another one")
    remote, branches = tmp_path / "remote.git", ["fresh/01-gdt"]
    assert (
        publish(course, remote=str(remote), arch="x86_64", fresh=True, unproven=True)
        == 0
    )
    assert prove(remote, branches, course / "solutions", tmp_path / "proof") == []


def lose_a_file(course: Path) -> None:
    with (course / ".gitattributes").open("a") as file:
        file.write("/kernel/core/heap.c export-ignore\n")


def close_a_task_wrongly(course: Path) -> None:
    handout = course / "assignments/00-boot/greet.c"
    text = handout.read_text()
    gap, end = text.index("    /* TASK"), text.rindex("}")
    handout.write_text(f'{text[:gap]}    kprintf("Hello, %s", nonce);\n{text[end:]}')


DEFECTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "a file is missing": (
        lose_a_file,
        ("`make test` fails: ", "with the reference, `make grade` fails: "),
    ),
    "a task that is not open fails": (
        close_a_task_wrongly,
        tuple(
            f"i386 boot-{check}: fail, and must be: pass. "
            for check in ("direct", "screen", "grub")
        ),
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_branch_at_fault_is_not_published(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], defect: str
) -> None:
    plant, faults = DEFECTS[defect]
    plant(course)
    commit(course, "careless")
    remote = tmp_path / "remote.git"
    assert publish(course, remote=str(remote), arch="i386") == 1
    assert tips(remote) == {}
    said = capsys.readouterr().out
    assert f"{len(faults)} faults; nothing was published" in said
    for fault in faults:
        assert f"\nassignment/00-boot: {fault}" in said
