# SPDX-License-Identifier: MIT
"""`make explain` says what became of a demo, whatever became of it, and soon."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader import explain
from grader.corpus.mutants import read
from grader.course import Course
from grader.evidence.account import account
from grader.evidence.scene import Scene
from grader.reports import terminal
from grader.settings import ROOT
from grader.tests.causes import FOLDER, Record

Explain = Callable[..., str]


@pytest.fixture
def explained(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Explain:
    """Explain a demo of i386, bounded more than usual; gives all text on one line."""
    monkeypatch.setattr(explain, "OUT", tmp_path / "out")
    monkeypatch.setattr(explain, "CPU_S", 1.0)
    monkeypatch.setattr(explain, "LOG_BYTES", 1 << 20)
    monkeypatch.setattr(terminal, "WIDTH", 400)  # no long path is broken
    monkeypatch.chdir(ROOT)

    def run(stage: str, src: Path | str, status: int = 0) -> str:
        options = {"stage": stage, "arch": "i386", "src": str(src)}
        options["prior"] = str(ROOT / "solutions")
        assert explain.explain(options) == status
        said = capsys.readouterr()
        assert not list(tmp_path.rglob("ram"))
        return " ".join((said.out + said.err).split())

    return run


@pytest.fixture
def mutant(tmp_path: Path) -> Callable[[str, str], Path]:
    """A known wrong solution, laid out as SRC."""

    def lay_out(stage: str, name: str) -> Path:
        patch = ROOT / "grader/mutants" / stage / f"{name}.patch"
        found = read(patch, Course.load(ROOT).stage(stage))[0]
        assert not found.lay_out(ROOT, tmp_path / "src")
        return tmp_path / "src"

    return lay_out


Mutant = Callable[[str, str], Path]


def test_a_triple_fault_names_its_first_fault(
    explained: Explain, mutant: Mutant
) -> None:
    said = explained("00-boot", mutant("00-boot", "endless-recursion"))
    assert "ended in a triple fault" in said and "stack ran over" in said
    assert "00-boot/greet.c:" in said and "The chain of faults" in said


def test_an_overflow_whose_double_fault_had_no_handler_is_no_endless_recursion(
    explained: Explain, mutant: Mutant
) -> None:
    said = explained("03-faults", mutant("03-faults", "double-no-cr3"))
    assert "ended in a triple fault" in said
    assert "cr3 in the TSS of the #DF task is 0x0" in said
    assert "recursion" not in said


def test_an_overflow_that_the_double_fault_handler_took_may_be_meant(
    explained: Explain,
) -> None:
    said = explained("03-faults", ROOT / "solutions")
    assert "was taken by the #DF handler" in said and "If the overflow is not" in said


def test_a_fault_of_ring_3_that_was_survived_is_explained(
    explained: Explain, mutant: Mutant
) -> None:
    said = explained("04-ring3", mutant("04-ring3", "map-no-user-bit-table"))
    assert "came to its end" in said and "got over them all" in said
    assert "the user bit is missing in PTE[1]" in said and "if not meant" in said
    assert "3 in ring 3" in said and "The last exceptions" in said


def test_a_hang_says_where_the_cpu_stands(explained: Explain, mutant: Mutant) -> None:
    said = explained("00-boot", mutant("00-boot", "busy-loop"))
    assert "The demo hangs: its CPU time was used up" in said
    assert "in boot_greet" in said and "00-boot/greet.c:" in said


def test_a_demo_that_waits_is_not_called_wrong(explained: Explain) -> None:
    said = explained("06-syscalls", ROOT / "solutions")
    assert "was still running" in said and "may be right" in said
    assert "of `int 0x80`" in said and "The CPU stands at" in said
    assert "mend" not in said


def test_a_demo_without_a_fault_says_so(explained: Explain) -> None:
    said = explained("01-gdt", ROOT / "solutions")
    assert "came to its end. The CPU raised no exception." in said
    assert "mend" not in said and "cause" not in said


def test_an_open_task_is_named_with_its_place(explained: Explain) -> None:
    said = explained("04-ring3", ROOT / "assignments")
    assert "Task 4.1 (Pages for ring 3) is still open" in said
    text = (ROOT / "assignments/04-ring3/user_map.c").read_text().split("\n")
    line = next(n for n, words in enumerate(text, 1) if 'TASK_OPEN("4.1")' in words)
    assert f"assignments/04-ring3/user_map.c:{line})" in said


def test_what_does_not_build_is_said_where_an_editor_finds_it(
    explained: Explain, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "solutions/00-boot", tmp_path / "src/00-boot")
    gap = tmp_path / "src/00-boot/greet.c"
    lines = gap.read_text().splitlines()
    gap.write_text("\n".join([*lines, "int broken(void) { return }", ""]))
    said = explained("00-boot", tmp_path / "src", status=1)
    assert f"{gap}:{len(lines) + 1}:" in said and "error: expected" in said
    assert "does not build" in said


def recorded(name: str, **changed: str) -> Scene:
    return replace(Record.read(FOLDER / f"{name}.json").scene(), **changed)


def test_every_known_run_has_an_account_whatever_its_end() -> None:
    for path in sorted(FOLDER.glob("*.json")):
        scene = Record.read(path).scene()
        for end in (scene.end, "DONE", "LOG_LIMIT"):
            found = account(replace(scene, end=end), alive=True)
            names = [name for name, _ in found.told]
            assert names[0] == "the demo" and "rings" in names, path
            assert all(text for _, text in found.told), path


def test_the_same_fault_for_ever_is_no_running_demo() -> None:
    found = account(recorded("fault-loop-i386", end="LOG_LIMIT"), alive=True)
    assert "does not get on" in found.told[0][1]


def test_a_mistake_that_raised_no_fault_is_told_before_the_last_fault() -> None:
    told = dict(account(recorded("iopl-i386", end="DONE")).told)
    assert "the CPU's records show a mistake" in told["the demo"]
    assert "IOPL is 3" in told["cause"]


def test_a_log_that_grew_in_the_first_half_alone_is_no_sign_of_life(
    tmp_path: Path,
) -> None:
    growth = explain.Growth(tmp_path / "log")
    for size in (1, 2, 3, 3, 3, 3):
        growth.log.write_bytes(b"x" * size)
        assert not growth("")
    assert not growth.lasted()
    growth.log.write_bytes(b"xxxx")
    assert growth.lasted()
