# SPDX-License-Identifier: MIT
"""The course's programs are C without a warning, and need nothing but its library."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from grader.build.tools import flag_lines
from grader.tests.libc import ROOT, STRICT, build

USER = ROOT / "user"


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_programs_compile_without_a_warning(arch: str, tmp_path: Path) -> None:
    flags = flag_lines(ROOT / "kernel" / "arch" / arch / "flags.mk")["CFLAGS_ARCH"]
    flags += [*flag_lines(USER / "flags.mk")["CFLAGS_USER"], *STRICT]
    flags += [f"-I{USER}/include", f"-I{ROOT}/kernel/include"]
    sources = [str(file) for file in sorted((USER / "programs").glob("*.c"))]
    argv = ["gcc", *flags, "-c", *sources]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_library_needs_only_the_kernel(arch: str) -> None:
    library = build(arch).file.parent / "library.o"
    argv = ["nm", "-u", str(library)]
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert found.split() == ["U", "kernel_call"]


def test_every_file_of_the_library_is_listed() -> None:
    listed = flag_lines(USER / "flags.mk")["USER_LIB"]
    assert sorted(listed) == sorted(f"lib/{f.name}" for f in USER.glob("lib/*.c"))
