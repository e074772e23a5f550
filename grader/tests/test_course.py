# SPDX-License-Identifier: MIT
"""A manifest is understood, or refused with its file, the key and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import OperatorError
from grader.settings import ROOT
from grader.tables import ManifestError
from grader.tests.conftest import MANIFEST, write_stage


def test_a_manifest_gives_the_stage(course: Course) -> None:
    stage = course.stage("01-gdt")
    assert stage.gaps("i386") == ("gdt.c", "i386/load.asm")
    assert stage.arches == ("i386",)
    assert stage.points("i386") == 5
    assert [check.id for check in stage.checks_for("i386")] == ["gdt-code", "gdt-limit"]
    assert stage.provides == ("gdt_encode",)
    assert course.upto(stage) == (stage,)
    assert course.stage_of_check("gdt-limit") is stage
    assert course.stage_of_check("tss") is None


def test_a_check_of_one_architecture_is_not_offered_for_the_other(
    tmp_path: Path,
) -> None:
    write_stage(tmp_path, MANIFEST + "\n[modules]\n")
    both = MANIFEST.replace('i386 = ["', 'x86_64 = []\ni386 = ["')
    write_stage(tmp_path, both)
    stage = Course.load(tmp_path).stage("01-gdt")
    assert [check.id for check in stage.checks_for("x86_64")] == ["gdt-code"]


def test_a_bonus_comes_on_top_of_the_full_points(tmp_path: Path) -> None:
    write_stage(tmp_path, MANIFEST.replace("points = 2", "points = 2\nbonus = true"))
    stage = Course.load(tmp_path).stage("01-gdt")
    assert [check.bonus for check in stage.checks] == [False, True]
    assert stage.points("i386") == 3


def test_a_stage_of_nothing_but_bonus_is_refused(tmp_path: Path) -> None:
    all_bonus = MANIFEST.replace("points = ", "bonus = true\npoints = ")
    write_stage(tmp_path, all_bonus)
    with pytest.raises(ManifestError, match="on i386 .* a check that counts"):
        Course.load(tmp_path)


FAULTS = {
    "no syntax": ('id = "01-gdt"', "id = 01-gdt", "TOML", "line 1"),
    "other folder": ('id = "01-gdt"', 'id = "01-tss"', "id:", 'write id = "01-gdt"'),
    "no stage id": ('id = "01-gdt"', 'id = "gdt"', "id:", "NN-name"),
    "no title": ('title = "Descriptors"\n', "", "title: is missing", 'write title = "'),
    "other order": ("order = 1", "order = 2", "order:", "write order = 1"),
    "no order": ("order = 1\n", "", "order: is missing", "0 or more"),
    "foreign task": ('id = "1.2"', 'id = "2.2"', "task '2.2'", "1.1, 1.2"),
    "task twice": ('id = "1.2"', 'id = "1.1"', "used twice", "its own number"),
    "unknown task": ('task = "1.2"', 'task = "1.9"', "check 'gdt-limit', task", "1.2"),
    "task not proven": ('task = "1.2"', 'task = "1.1"', "task '1.2'", "[[check]]"),
    "no points": ("points = 3\n", "", "check 'gdt-code', points: is missing", "1 or"),
    "zero points": ("points = 3", "points = 0", "points: is 0", "1 or more"),
    "true points": ("points = 3", "points = true", "points: is True", "1 or more"),
    "odd bonus": ("points = 3", 'points = 3\nbonus = "yes"', "bonus: is 'yes'", "true"),
    "check twice": ('"gdt-limit"', '"gdt-code"', "used twice", "its own id"),
    "bad check id": ('"gdt-limit"', '"gdt_limit"', "no check id", "hyphens"),
    "unknown arch": ('arch = ["i386"]', 'arch = ["arm"]', "'arm' is not", "from i386"),
    "unknown key": ("points = 3", "points = 3\nscore = 3", "score: is not", "points"),
    "no arch at all": ('i386 = ["i386/load.asm"]\n', "", "[gaps]", "i386 = []"),
    "escaping gap": ('"gdt.c"', '"../gdt.c"', "no plain path", "relative"),
    "no source": ('"gdt.c"', '"gdt.txt"', "no source file", ".asm"),
    "wrong place": ('"i386/load.asm"', '"load.asm"', "does not lie in i386/", "move"),
    "gap twice": ('["gdt.c"]', '["gdt.c", "gdt.c"]', "names 'gdt.c' twice", "once"),
    "no C name": ('"gdt_encode"', '"gdt-encode"', "no C name", "C name"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_with_key_and_mend(tmp_path: Path, fault: str) -> None:
    good, bad, key, mend = FAULTS[fault]
    assert good in MANIFEST
    write_stage(tmp_path, MANIFEST.replace(good, bad, 1))
    with pytest.raises(ManifestError) as caught:
        Course.load(tmp_path)
    text = str(caught.value)
    assert text.startswith("assignments/01-gdt/assignment.toml: ")
    assert key in text and mend in text and "\n" not in text


def test_stages_share_neither_order_nor_check(tmp_path: Path) -> None:
    write_stage(tmp_path)
    write_stage(tmp_path, MANIFEST.replace("01-gdt", "01-tss"), "01-tss")
    with pytest.raises(ManifestError, match="also the order of 01-gdt"):
        Course.load(tmp_path)
    moved = MANIFEST.replace("01-gdt", "02-tss").replace("order = 1", "order = 2")
    moved = moved.replace('"1.', '"2.')
    write_stage(tmp_path, moved, "02-tss")
    (tmp_path / "assignments/01-tss/assignment.toml").unlink()
    with pytest.raises(ManifestError, match="01-gdt has a check of that id"):
        Course.load(tmp_path)


def test_an_unknown_stage_is_refused_with_the_list(course: Course) -> None:
    with pytest.raises(OperatorError, match="choose A from 01-gdt"):
        course.stage("99-x")


def test_the_project_s_own_manifests_are_sound() -> None:
    course = Course.load(ROOT)
    assert [stage.order for stage in course.stages] == sorted(
        stage.order for stage in course.stages
    )
