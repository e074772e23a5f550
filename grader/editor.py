# SPDX-License-Identifier: MIT
"""`grader editor`: build/compile_commands.json, every C file with its build's flags.

clangd looks for that file in build/ by itself. A file that both architectures share
stands there once, with the flags of the chosen one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.build.tools import compiler_headers, flag_lines, read_flags, tools
from grader.course import Course
from grader.sandbox import detect
from grader.tools import require
from grader.verdict.write import write_text

DATABASE = Path("build/compile_commands.json")
SUBMISSIONS = ("solutions", "assignments")  # the default SRC first
PROVIDED = ("kernel", "grader/scenarios", "assignments")
HEADER = ".h"


def editor(root: Path, arch: str | None) -> int:
    """Write the database; arch: whose flags shared files get (none: the first)."""
    course = Course.load(root)
    require(course.arches)
    entries = commands(course, arch or course.arches[0])
    write_text(root / DATABASE, json.dumps(entries, indent=1) + "\n")
    print(f"{DATABASE}: {len(entries)} files")
    return 0


def commands(course: Course, arch: str) -> list[dict[str, Any]]:
    """The entries of the database; files are relative to the root."""
    flags = {name: _Flags(course, name) for name in course.arches}
    root = course.root.resolve()

    def entry(file: Path, words: list[str]) -> dict[str, Any]:
        name = file.as_posix()
        arguments = [*words, "-c", name]
        return {"directory": str(root), "file": name, "arguments": arguments}

    gaps = set(_gaps(course))
    user = [file for file in gaps if file.suffix == HEADER]
    if user:  # without stubs no program compiles
        user += _sources(course, "user")
    provided = [file for folder in PROVIDED for file in _sources(course, folder)]
    return [
        *(
            entry(f, flags[_arch(f, course, arch)].provided)
            for f in provided
            if f not in gaps
        ),
        *(
            entry(f, flags[_arch(f, course, arch)].gap(f))
            for f in sorted(gaps - {*user})
        ),
        *(entry(f, flags[_arch(f, course, arch)].user) for f in sorted(user)),
    ]


def _sources(course: Course, folder: str) -> list[Path]:
    """The C files of a folder, relative to the root."""
    found = (course.root / folder).rglob("*.c")
    return sorted(file.relative_to(course.root) for file in found)


def _gaps(course: Course) -> Iterator[Path]:
    """The gap files in C, and the headers among them that programs include."""
    for folder in SUBMISSIONS:
        for stage in course.stages:
            for arch in stage.arches:
                for gap in stage.gaps(arch):
                    file = Path(folder, stage.id, gap)
                    if gap.endswith((".c", HEADER)) and (course.root / file).is_file():
                        yield file


def _arch(file: Path, course: Course, shared: str) -> str:
    return next((arch for arch in course.arches if arch in file.parts), shared)


@dataclass(frozen=True)
class _Flags:
    """One architecture's compiler and flags; an editor shows a warning as a warning."""

    course: Course
    arch: str

    @cached_property
    def _words(self) -> dict[str, list[str]]:
        root = self.course.root
        return read_flags(root, self.arch) | flag_lines(root / "user/flags.mk")

    def _cc(self, *names: str) -> list[str]:
        words = [word for name in names for word in self._words[name]]
        cc = tools(self.course.root, self.arch).cc
        return [*cc, *(word for word in words if word != "-Werror")]

    @property
    def _headers(self) -> list[str]:
        return ["-Ikernel/include", f"-Ikernel/arch/{self.arch}/include"]

    @property
    def provided(self) -> list[str]:
        """As kernel/kernel.mk compiles the core, glue, demos and scenarios."""
        return [*self._cc("CFLAGS_ARCH", "CFLAGS_COMMON"), *self._headers]

    def gap(self, file: Path) -> list[str]:
        """As grader/build/compile.py does, without any header of the system's."""
        own = str(compiler_headers(tools(self.course.root, self.arch).cc, detect()))
        words = self._cc("CFLAGS_ARCH", "CFLAGS_COMMON", "CFLAGS_GAP")
        stage = Path(*file.parts[:2])
        return [*words, "-nostdinc", "-isystem", own, *self._headers, f"-I{stage}"]

    @property
    def user(self) -> list[str]:
        """As grader/build/program.py does, with the stubs of the first submission."""
        stubs = [f for f in _gaps(self.course) if f.suffix == HEADER]
        own = [f.parent for f in stubs if _arch(f, self.course, self.arch) == self.arch]
        words = [*self._cc("CFLAGS_ARCH", "CFLAGS_USER"), "-O2", "-Iuser/include"]
        return [*words, "-Ikernel/include", *(f"-I{folder}" for folder in own)]
