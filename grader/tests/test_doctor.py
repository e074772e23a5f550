# SPDX-License-Identifier: MIT
"""A tool that behaves otherwise than is recorded is named, whoever is graded."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.build.tools import read_flags
from grader.doctor import compilers, facts, machines
from grader.doctor.__main__ import asked, compare
from grader.machine import Boot, Run, run
from grader.sandbox import Result, Sandbox, detect
from grader.settings import ROOT

ARCH = "i386"


def test_this_machine_does_what_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = [*machines.images(ARCH, detect(), tmp_path)]
    seen += compilers.objects(ARCH, detect(), tmp_path)
    assert compare(seen) == 0, capsys.readouterr().out
    assert {known.way for known in seen} == {"", *machines.WAYS}
    assert not any("DIFFERS" in line for line in capsys.readouterr().out.splitlines())


def test_no_tool_need_look_into_the_graders_own_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tier B has closed them to the user that the tools run as."""
    given: list[Path] = []
    mounted = Sandbox.run

    def watched(self: Sandbox, argv: Sequence[str], **more: Any) -> Result:
        given.extend([*more.get("ro", ()), *more.get("rw", ()), *map(Path, argv)])
        return mounted(self, argv, **more)

    monkeypatch.setattr(Sandbox, "run", watched)
    assert [*machines.images(ARCH, detect(), tmp_path)]
    assert any(path.suffix == ".asm" for path in given)
    assert not any(path.is_relative_to(ROOT / "grader") for path in given)


def test_a_qemu_that_logs_otherwise_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def other(boot: Boot, folder: Path, sandbox: Sandbox) -> Run:
        seen = run(boot, folder, sandbox)
        seen.trace.write_bytes(seen.trace.read_bytes().replace(b"v=0d", b"v=0e"))
        return seen

    monkeypatch.setattr(machines, "run", other)
    monkeypatch.setattr(machines, "DEFINES", {"good": ()})
    monkeypatch.setattr(machines, "WAYS", {"direct": machines.WAYS["direct"]})
    assert compare(machines.images(ARCH, detect(), tmp_path)) == 1
    said = capsys.readouterr()
    assert "DIFFERS i386 good boot, direct    qemu-system-i386" in said.out
    assert "v=0e" in said.out and "v=0d" in said.out
    assert "no student's fault" in said.err


def test_a_nasm_that_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "DEFINES", {"good": ("-Dlgdt=no_such",)})
    (known,) = machines.images(ARCH, detect(), tmp_path)
    assert known.tool == "nasm"
    assert any("assembled" in line for line in facts.differences(known, facts.read()))


def test_a_compiler_that_keeps_no_frame_pointers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flags(root: Path, arch: str) -> dict[str, list[str]]:
        words = read_flags(root, arch)
        words["CFLAGS_COMMON"].remove("-fno-omit-frame-pointer")
        return words

    monkeypatch.setattr("grader.build.compile.read_flags", flags)
    right = next(compilers.objects(ARCH, detect(), tmp_path))
    said = list(facts.differences(right, facts.read()))
    assert said == ["frame pointer: 'False' here, 'True' recorded"]


def test_a_fact_that_is_gone_or_new_differs_too() -> None:
    known = facts.Known("qemu", "boot", {"end": "done", "screen": "5207"})
    recorded = {"boot": {"end": "done", "console": "hello"}}
    assert list(facts.differences(known, recorded)) == [
        "console: 'nothing' here, 'hello' recorded",
        "screen: '5207' here, 'nothing' recorded",
    ]
    alike = dataclasses.replace(known, facts=recorded["boot"])
    assert not list(facts.differences(alike, recorded))


def test_students_are_not_asked_for_the_tools_of_staff(tmp_path: Path) -> None:
    (tmp_path / "ci").mkdir()
    (tmp_path / "grader").mkdir()
    shutil.copy(ROOT / "ci/tools.txt", tmp_path / "ci")
    tools, needed = asked(tmp_path)
    assert {tool.set for tool in tools} == {"grade", "clang", "desk"}
    assert needed == ("grade",)
    (tmp_path / "grader/staff.mk").touch()
    tools, needed = asked(tmp_path)
    assert {"test", "look", "class"} < {tool.set for tool in tools}
    assert needed == ("grade", "test")
