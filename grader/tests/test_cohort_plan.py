# SPDX-License-Identifier: MIT
"""An item's key changes with all that its verdict depends on, and with nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from grader.cohort import plan
from grader.cohort.model import Carry, HandedIn, Item
from grader.cohort.plan import Planner, grader_digest
from grader.course import Course
from grader.tests.cohort import STAGE

SRC = "submissions/ada/src-1"


@pytest.fixture
def planner(course: Course, tmp_path: Path) -> Planner:
    write(tmp_path, "gdt.c", "int x;\n")
    return Planner(course, tmp_path, 0xBEEF, Carry.REFERENCE, "grader")


def write(out: Path, gap: str, text: str, name: str = "ada") -> HandedIn:
    src = SRC.replace("ada", name)
    file = out / src / STAGE / gap
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return HandedIn(name, STAGE, name, src)


ADA = HandedIn("ada", STAGE, "Ada", SRC)


def made(planner: Planner, of: HandedIn = ADA, arch: str = "i386") -> Item:
    (item,) = planner.items(of, planner.course.stages[0], arch)
    return item


def test_the_same_is_the_same(planner: Planner) -> None:
    assert made(planner) == made(planner)


@pytest.mark.parametrize(
    "changed", [{"seed": 1}, {"grader": "mended"}, {"carry": Carry.OWN}]
)
def test_seed_grader_and_carry_are_in_the_key(
    planner: Planner, changed: dict[str, object]
) -> None:
    other = dataclasses.replace(planner, **changed)
    assert made(other).key != made(planner).key


def test_every_gap_file_is_in_the_key(planner: Planner, tmp_path: Path) -> None:
    before = made(planner)
    write(tmp_path, "i386/load.asm", "nop\n")
    assert made(planner).key != before.key


def test_equal_files_are_asked_equal_values_and_others_others(
    planner: Planner, tmp_path: Path
) -> None:
    twin = write(tmp_path, "gdt.c", "int x;\n", "bob")
    other = write(tmp_path, "gdt.c", "int y;\n", "eve")
    assert made(planner).seed == made(planner, twin).seed
    assert made(planner).seed != made(planner, other).seed


def test_a_mended_grader_asks_the_same_values(planner: Planner) -> None:
    mended = dataclasses.replace(planner, grader="mended")
    assert made(mended).seed == made(planner).seed


def test_the_grader_is_what_judges(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "versions", lambda root: {"gcc": "12"})
    monkeypatch.setattr(plan, "sandbox_tier", lambda: "A")
    stamp = tmp_path / "build/i386/core.stamp"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("1")

    def digest_with(path: str) -> str:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
        return grader_digest(course, ("i386",))

    first = grader_digest(course, ("i386",))
    for path in ("grader/tests/x.py", "grader/reports/x.py", "grader/README.md"):
        assert digest_with(path) == first
    judges = ("grader/checks/x.py", "user/x.c", "solutions/01-gdt/gdt.c")
    assert len({first, *map(digest_with, judges)}) == 4
    last = grader_digest(course, ("i386",))
    stamp.write_text("2")
    assert grader_digest(course, ("i386",)) != last
