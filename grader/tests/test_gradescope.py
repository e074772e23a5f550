# SPDX-License-Identifier: MIT
"""Gradescope's zip: what it holds, what it takes of a submission, what it leaves."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.course import Course
from grader.errors import OperatorError
from grader.gradescope import JOB
from grader.gradescope import __main__ as container
from grader.gradescope.bundle import bundle
from grader.grading import Grading
from grader.intake.archive import FILE_BYTES
from grader.sandbox import Sandbox, Tier
from grader.settings import ROOT
from grader.tests.platforms import written
from grader.verdict.collect import Record
from grader.verdict.model import CheckResult, Status, Verdict
from grader.verdict.write import read_verdict, write_text

STAGE = "01-gdt"
TASK: dict[str, Any] = {"stage": STAGE, "arches": ["i386"], "minutes": 10}
GAPS = ("gdt.c", "i386/user_segments.c", "i386/gdt_reload.asm")


@pytest.fixture(scope="module")
def packed() -> zipfile.ZipFile:
    return zipfile.ZipFile(bundle(ROOT, STAGE, "", 10))


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A container's folders; what is handed in goes to submission/."""
    for name in ("results", "submission"):
        (tmp_path / "autograder" / name).mkdir(parents=True)
    monkeypatch.setattr(container, "WORK", tmp_path / "work")
    monkeypatch.setattr(container, "REFERENCE", tmp_path / "solutions")
    (tmp_path / "solutions" / STAGE).mkdir(parents=True)
    monkeypatch.setattr(container, "detect", lambda: Sandbox(Tier.A))
    return tmp_path / "autograder"


def hand_in(place: Path, names: dict[str, str]) -> None:
    for name, text in names.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def taken(source: Path) -> dict[str, str]:
    files = (path for path in (source / STAGE).rglob("*") if path.is_file())
    return {
        path.relative_to(source / STAGE).as_posix(): path.read_text(encoding="utf-8")
        for path in files
    }


def test_the_zip_holds_what_grading_needs(packed: zipfile.ZipFile) -> None:
    names = set(packed.namelist())
    for name in (
        *("setup.sh", "run_autograder", "Makefile", "ci/setup", "grader/plugin.py"),
        *("grader/gradescope/__main__.py", "grader/intake/archive.py"),
        *("assignments/01-gdt/assignment.toml", "solutions/00-boot/greet.c"),
        *("solutions/01-gdt/gdt.c", "kernel/kernel.mk", "user/user.mk"),
    ):
        assert name in names, name
    job = json.loads(packed.read(JOB))
    assert job["stage"] == STAGE and job["arches"] == ["i386", "x86_64"]
    for name in ("setup.sh", "run_autograder", "ci/setup"):
        assert packed.getinfo(name).external_attr >> 16 & 0o111, name


def test_the_zip_holds_nothing_else_of_the_staffs(packed: zipfile.ZipFile) -> None:
    for name in packed.namelist():
        assert not name.startswith(
            ("grader/tests/", "grader/checks/staff/", "grader/mutants/", "grader/pub")
        )
        assert "02-tss" not in name or name.startswith("kernel/include/course/")
    secret = [c.id for s in Course.load(ROOT).stages for c in s.checks if c.staff]
    assert secret
    for name in packed.namelist():
        assert not any(word.encode() in packed.read(name) for word in secret), name


def test_the_same_commit_gives_the_same_bytes(packed: zipfile.ZipFile) -> None:
    assert packed.filename
    first = Path(packed.filename).read_bytes()
    assert bundle(ROOT, STAGE, "", 10).read_bytes() == first


def test_who_reads_the_zip_while_it_is_made_anew_has_it_whole() -> None:
    with bundle(ROOT, STAGE, "", 10).open("rb") as read:
        anew = bundle(ROOT, STAGE, "", 10)
        assert not os.path.samestat(os.fstat(read.fileno()), anew.stat())


@pytest.mark.parametrize(
    "words, mend",
    [
        (("", "", 10), "write A=01-gdt"),
        (("1-gdt", "", 10), "choose A from"),
        ((STAGE, "arm", 10), "choose ARCH from"),
        ((STAGE, "", 60), "what Gradescope's settings say"),
    ],
)
def test_what_cannot_be_packed_names_the_mend(
    words: tuple[str, str, int], mend: str
) -> None:
    with pytest.raises(OperatorError, match=mend):
        bundle(ROOT, *words)


@pytest.mark.parametrize(
    "lay_out",
    [
        lambda gap: f"repository/assignments/{STAGE}/{gap}",
        lambda gap: f"{STAGE}/{gap}",
        lambda gap: gap,
        lambda gap: Path(gap).name,
    ],
    ids=["repository", "stage", "alone", "without folders"],
)
def test_gap_files_are_found_however_they_were_handed_in(
    lay_out: Callable[[str], str], platform: Path
) -> None:
    place = platform / "submission"
    hand_in(place, {lay_out(gap): f"// {gap}\n" for gap in GAPS} | {"notes.txt": ""})
    assert taken(container.collect(place, TASK)) == {g: f"// {g}\n" for g in GAPS}


def test_a_name_that_two_gap_files_share_is_not_guessed(platform: Path) -> None:
    place = platform / "submission"
    hand_in(place, {"gdt.c": "", "user_segments.c": ""})
    both = TASK | {"arches": ["i386", "x86_64"]}
    assert [*taken(container.collect(place, both))] == ["gdt.c"]


def test_no_link_leads_out_of_a_submission(platform: Path, tmp_path: Path) -> None:
    secret = tmp_path / "solutions" / STAGE
    hand_in(secret, {"gdt.c": "secret", "i386/user_segments.c": "secret"})
    place = platform / "submission"
    (place / "i386").symlink_to(secret / "i386")
    (place / "gdt.c").symlink_to(secret / "gdt.c")
    assert taken(container.collect(place, TASK)) == {}
    (place / "assignments").mkdir()
    (place / "assignments" / STAGE).symlink_to(secret)
    assert taken(container.collect(place, TASK)) == {}


def test_a_file_that_is_too_large_stays_so(platform: Path) -> None:
    place = platform / "submission"
    hand_in(place, {"gdt.c": ""})
    os.truncate(place / "gdt.c", FILE_BYTES + 1)
    source = container.collect(place, TASK)
    assert (source / STAGE / "gdt.c").stat().st_size == FILE_BYTES + 1


def results(platform: Path) -> Any:
    file = platform / "results/results.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def graded(name: str, folder: Path) -> Callable[..., int]:
    """In place of grade(): the verdicts of a set, the last of them not finished."""

    def grade(words: dict[str, str], follow: Callable[[list[Verdict]], None]) -> int:
        out = written(name, folder)
        found = [read_verdict(path) for path in sorted(out.rglob("verdict.json"))]
        follow(found[:1])
        if name == "full":
            raise KeyboardInterrupt
        out.rename(words["out"])
        return 1

    return grade


def test_a_run_leaves_the_result_of_all_checks(
    platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "grade", graded("graded", tmp_path))
    assert container.run(TASK, platform) == 0
    assert results(platform)["score"] == 9
    assert results(platform)["extra_data"]["finished"] is True


def test_a_run_that_is_out_of_time_leaves_the_points_so_far(
    platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "grade", graded("full", tmp_path))
    assert container.run(TASK, platform) == 0
    assert results(platform)["output"].startswith("Not finished: 2 of ")
    assert results(platform)["score"] == 9


@pytest.mark.parametrize("error", [OperatorError("no room", "free some"), ValueError()])
def test_a_run_that_cannot_grade_leaves_no_result(
    error: Exception, platform: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grade(words: dict[str, str], follow: object) -> int:
        write_text(platform / "results/results.json", "{}")
        raise error

    monkeypatch.setattr(container, "grade", grade)
    with pytest.raises(type(error)):
        container.run(TASK, platform)
    assert results(platform) is None


def test_a_harness_error_leaves_no_result(
    platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "grade", graded("lost", tmp_path))
    assert container.run(TASK, platform) == 2
    assert results(platform) is None


@pytest.mark.parametrize("tier", Tier)
def test_without_a_sandbox_the_stages_reference_is_gone(
    tier: Tier, platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "detect", lambda: Sandbox(tier))
    monkeypatch.setattr(container, "grade", graded("graded", tmp_path))
    container.run(TASK, platform)
    assert (tmp_path / "solutions" / STAGE).exists() == (tier is not Tier.C)


def test_outside_of_the_zip_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "ROOT", tmp_path)
    assert container.main([], tmp_path) == 2


def test_a_run_is_told_of_after_each_check(tmp_path: Path) -> None:
    told: list[list[Verdict]] = []
    options = {"stage": STAGE, "arch": "i386", "out": str(tmp_path)}
    grading = Grading(options, follow=told.append)
    entries = grading.settings.stages[0].checks_for("i386")[:2]
    for entry in entries:
        result = CheckResult(entry.id, entry.task, "", Status.PASS, 1, 1)
        grading.add(Record("i386", STAGE, result, {}, (), ()))
    assert [len(verdicts[0].checks) for verdicts in told] == [1, 2]
    grading.finish()
    assert grading.verdicts == []
