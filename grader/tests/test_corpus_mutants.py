# SPDX-License-Identifier: MIT
"""A mutant counts as killed only by the stated checks and for the stated reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.corpus.mutants import Mutant, read
from grader.corpus.trial import Trial
from grader.course import Course
from grader.errors import OperatorError
from grader.settings import Settings
from grader.tests.test_handouts import solve
from grader.tests.test_verdict import record
from grader.verdict.collect import Collector
from grader.verdict.model import Status, Verdict

HEADER = """\
Arch: i386
Fails: gdt-code
Says: DPL, "ring 3"
Why: the access byte
  lacks both bits
"""
BODY = """\
--- a/gdt.c
+++ b/gdt.c
@@ -10,4 +10,4 @@
 int work(void)
 {
-    int a = 0;
+    int a = 1;
     /* BEGIN SOLUTION 1.2: add one,
"""


def write_patch(root: Path, header: str = HEADER, body: str = BODY) -> Path:
    patch = root / "dpl.patch"
    patch.write_text(header + body, encoding="utf-8")
    return patch


def one(course: Course, header: str = HEADER, body: str = BODY) -> Mutant:
    patch = write_patch(course.root, header, body)
    (mutant,) = read(patch, course.stages[0])
    return mutant


def test_a_header_is_understood(course: Course) -> None:
    mutant = one(course)
    assert (mutant.fails, mutant.says) == (("gdt-code",), ("DPL", "ring 3"))
    assert (mutant.name, mutant.arch, mutant.survives) == ("dpl", "i386", "")


BAD = {
    "unknown check": (HEADER.replace("gdt-code", "gdt-x"), "gdt-x is no check"),
    "unknown key": (HEADER + "Wyh: x\n", "Wyh: is unknown"),
    "no reason": (HEADER.replace("Why", " "), "Says: or Why: is missing"),
    "both": (HEADER + "Survives: x\n", "neither or both"),
    "words that are always said": (HEADER.replace("DPL", '" "'), "always said"),
    "unknown arch": (HEADER.replace("i386", "arm"), "arm is not offered"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_header_that_states_nothing_sound_is_refused(
    course: Course, fault: str
) -> None:
    header, says = BAD[fault]
    with pytest.raises(OperatorError, match=says):
        one(course, header)


@pytest.mark.parametrize("prefix", ["", "solutions/01-gdt/"])
def test_a_patch_is_applied_to_a_copy(
    course: Course, tmp_path: Path, prefix: str
) -> None:
    solve(course.root)
    body = BODY.replace("a/gdt", f"a/{prefix}gdt").replace("b/gdt", f"b/{prefix}gdt")
    assert one(course, body=body).lay_out(course.root, tmp_path / "src") == ""
    assert "int a = 1;" in (tmp_path / "src/01-gdt/gdt.c").read_text()
    assert "int a = 0;" in (course.root / "solutions/01-gdt/gdt.c").read_text()


def test_a_patch_that_does_not_fit_is_told(course: Course, tmp_path: Path) -> None:
    solve(course.root)
    body = BODY.replace("int a = 0;", "int b = 0;")
    said = one(course, body=body).lay_out(course.root, tmp_path / "src")
    assert "does not apply" in said or "patch failed" in said


def verdict(course: Course, code: Status, limit: Status, seen: str = "") -> Verdict:
    root = course.root
    settings = Settings(course, course.stages, ("i386",), root, root, 1, root)
    collector = Collector(settings)
    collector.add(record("gdt-code", code, seen=seen))
    collector.add(record("gdt-limit", limit))
    return collector.verdicts("A", {})[0]


RIGHT = "DPL is 0, so RING 3\n cannot use it"
CASES = [
    (Status.FAIL, Status.PASS, RIGHT, "killed", True),
    (Status.FAIL, Status.BLOCKED, RIGHT, "killed", True),
    (Status.FAIL, Status.PASS, "DPL is wrong", "wrongly explained", False),
    (Status.FAIL, Status.FAIL, RIGHT, "wrong checks", False),
    (Status.PASS, Status.FAIL, RIGHT, "wrong checks", False),
    (Status.PASS, Status.PASS, "", "survived", False),
    (Status.BLOCKED, Status.NOT_IMPLEMENTED, RIGHT, "survived", False),
]


@pytest.mark.parametrize("code, limit, seen, outcome, good", CASES)
def test_only_the_stated_checks_for_the_stated_reason_kill(
    course: Course, code: Status, limit: Status, seen: str, outcome: str, good: bool
) -> None:
    trial: Trial = one(course).judge(verdict(course, code, limit, seen))
    assert (trial.outcome, trial.good) == (outcome, good)


@pytest.mark.parametrize("limit", [Status.FAIL, Status.PASS])
def test_what_depends_on_the_seed_may_fail(course: Course, limit: Status) -> None:
    mutant = one(course, HEADER + "May: gdt-limit\n")
    assert mutant.judge(verdict(course, Status.FAIL, limit, seen=RIGHT)).good
    assert not mutant.judge(verdict(course, Status.PASS, limit, seen=RIGHT)).good


def test_a_stated_survivor_must_pass_in_full(course: Course) -> None:
    mutant = one(course, "Survives: the CPU ignores it\n")
    assert mutant.judge(verdict(course, Status.PASS, Status.PASS)).good
    assert not mutant.judge(verdict(course, Status.FAIL, Status.PASS)).good
