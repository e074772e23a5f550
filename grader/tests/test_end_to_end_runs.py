# SPDX-License-Identifier: MIT
"""What operators meet: seeds, runs side by side, and faults that are theirs to mend."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.settings import ROOT
from grader.tests.conftest import Grader
from grader.tests.test_cli import loaded

FAST = ("--stage=00-boot", "--arch=i386")


def test_runs_side_by_side_do_not_meet_and_a_seed_repeats_a_verdict(
    tmp_path: Path,
) -> None:
    stage, seeds = "01-gdt", ("5", "5", "6")
    words = [sys.executable, "-m", "grader", f"--stage={stage}", "--arch=i386"]
    runs = [
        subprocess.Popen(
            [*words, f"--seed={seed}", f"--out={tmp_path / str(number)}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, seed in enumerate(seeds)
    ]
    for process in runs:
        said, _ = process.communicate()
        assert process.returncode == 0, said
    one, again, other = (loaded(tmp_path / str(n), stage) for n in range(3))
    assert one == again
    assert other["nonce"] != one["nonce"] and other["seed"] != one["seed"]


def pytest_run(*words: str) -> Any:
    command = [sys.executable, "-m", "pytest", "grader/checks", "-q", *words]
    command += ["-p", "no:cacheprovider"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_part_of_the_checks_gives_no_verdict(tmp_path: Path) -> None:
    done = pytest_run(*FAST, "-k", "direct", f"--out={tmp_path / 'out'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "no verdict, not every check was judged" in done.stdout
    assert not list(tmp_path.rglob("verdict.json"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what grades, to be spoilt; its core is never built."""
    copy = tmp_path / "tree"
    strangers = shutil.ignore_patterns("tests", "mutants", "__pycache__")
    for name in ("grader", "assignments", "solutions"):
        shutil.copytree(ROOT / name, copy / name, ignore=strangers)
    (copy / "ci").mkdir()
    shutil.copy(ROOT / "ci" / "tools.txt", copy / "ci")
    return copy


def refused(tree: Path, *words: str, **environment: str) -> str:
    """The one line with which the grader of `tree` gives up; nothing is lost by it."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", *FAST, *words],
        cwd=tree,
        env={**os.environ, "RINGLAB_CORE": "ready", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    lines = [x for x in done.stderr.splitlines() if not x.startswith("SEED=")]
    assert len(lines) == 1 and lines[0].startswith("grader: "), done.stderr
    summary = json.loads((tree / "build/grade/summary.json").read_text())
    assert (summary["exit_status"], summary["points"]) == (2, 0)
    assert "grader: " + " ".join(summary["error"].split()) == lines[0]
    return lines[0]


def test_a_manifest_with_an_error_is_named_with_its_key(tree: Path) -> None:
    file = tree / "assignments/04-ring3/assignment.toml"
    file.write_text(file.read_text().replace("\npoints = ", "\npoint = ", 1))
    said = refused(tree)
    assert "assignments/04-ring3/assignment.toml: check 'ring3-" in said
    assert "point: is not a key that is known here; use " in said


def test_a_check_that_cannot_be_read_is_named(tree: Path) -> None:
    (file,) = (tree / "grader/checks").glob("test_00_*.py")
    file.write_text(file.read_text() + "\nimport no_such_module\n")
    said = refused(tree)
    assert file.name in said and "no_such_module" in said


def test_a_tool_that_is_too_old_is_named(tree: Path) -> None:
    old = tree / "bin" / "nasm"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho NASM version 2.10.09\n")
    old.chmod(0o755)
    said = refused(tree, PATH=f"{old.parent}:{os.environ['PATH']}")
    assert "nasm 2.10.09 is too old, 2.14 is the least; install a newer nasm" in said


def test_a_core_that_does_not_build_is_no_submission_s_fault(tree: Path) -> None:
    said = refused(tree, RINGLAB_CORE="")
    assert "the kernel core for i386 does not build: " in said
    assert "see `make -s core ARCH=i386`" in said


def test_a_full_disk_is_told_before_anything_is_lost(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = 'mount -t tmpfs -o size=16m none "$0" && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount]
    inside.append(str(small))
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here, so no small disk")
    words = [sys.executable, "-m", "grader", *FAST, f"--out={small / 'out'}"]
    done = subprocess.run(
        [*inside, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no room left on the disk" in done.stderr and "OUT=<folder>" in done.stderr


def test_a_folder_that_cannot_be_written_is_told(
    run_grader: Grader, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file, where the folder should be")
    done = run_grader("grade", *FAST)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "out").read_text().startswith("a file")
