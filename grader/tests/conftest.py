# SPDX-License-Identifier: MIT
"""Fixtures: a small course on disk, and runs of the real grader."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from grader.course import Course
from grader.settings import ROOT
from grader.tests.tiny import Start, starter

# The same examples in every run: a failure is a change of the code, not of the dice.
settings.register_profile("ringlab", derandomize=True, deadline=None)
settings.load_profile("ringlab")

MANIFEST = """\
id = "01-gdt"
title = "Descriptors"
order = 1

[[task]]
id = "1.1"
title = "Encode"

[[task]]
id = "1.2"
title = "Load"

[[check]]
id = "gdt-code"
task = "1.1"
points = 3

[[check]]
id = "gdt-limit"
task = "1.2"
points = 2
arch = ["i386"]

[gaps]
common = ["gdt.c"]
i386 = ["i386/load.asm"]

[contract]
provides = ["gdt_encode"]
uses = ["kprintf"]
"""

Grader = Callable[..., "subprocess.CompletedProcess[str]"]
Disk = Callable[[Path, int], None]


def write_stage(root: Path, manifest: str = MANIFEST, stage: str = "01-gdt") -> Path:
    """Write a manifest below `root`; returns its file."""
    file = root / "assignments" / stage / "assignment.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(manifest, encoding="utf-8")
    return file


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Start:
    return starter(tmp_path)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course of one stage, 01-gdt, below tmp_path."""
    write_stage(tmp_path)
    return Course.load(tmp_path)


@pytest.fixture
def run_grader(tmp_path: Path) -> Grader:
    """Run `python3 -m grader …` of this repository; OUT is tmp_path/out."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        out = [] if words and words[0] != "grade" else [f"--out={tmp_path / 'out'}"]
        return subprocess.run(
            [sys.executable, "-m", "grader", *words, *out],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Makes a folder that is a disk of its own, of so many bytes; skips who may not."""
    with contextlib.ExitStack() as mounted:

        def mount(folder: Path, size: int) -> None:
            folder.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "ringlab"]
            if subprocess.run([*command, folder], capture_output=True).returncode:
                pytest.skip("only root can mount a file system")
            undo = functools.partial(subprocess.run, check=True)
            mounted.callback(undo, ["umount", "--lazy", folder])

        yield mount
