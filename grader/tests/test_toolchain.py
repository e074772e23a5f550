# SPDX-License-Identifier: MIT
"""Which compiler is chosen, and that clang's objects and messages do as gcc's."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.build.messages import c_messages
from grader.build.tools import tools
from grader.machine import Boot, End, run
from grader.sandbox import detect
from grader.settings import ROOT
from grader.tests.test_build_image import GOOD_ASM, GOOD_C, Lab, _lab
from grader.tools import versions

__all__ = ["_lab"]  # the fixture

SHELL = "env bash sh sed tr stat mktemp rm cat uname dirname nasm as".split()
GCC = "gcc ld objcopy addr2line".split()
CLANG = "clang ld.lld llvm-objcopy llvm-addr2line".split()
TAIL = GOOD_C.count("\n") + 1  # the line after GOOD_C

needs_clang = pytest.mark.skipif(
    not all(map(shutil.which, CLANG)), reason="clang is not here; ci/setup clang"
)


@functools.lru_cache(maxsize=None)
def found(toolchain: str = "", path: str | None = None) -> str:
    """What ci/setup finds with these commands."""
    environment = {**os.environ, "TOOLCHAIN": toolchain}
    environment["PATH"] = path or environment["PATH"]
    done = subprocess.run(
        [ROOT / "ci/setup", "--show"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def only(folder: Path, names: list[str]) -> str:
    """A PATH on which these commands are, and those that the shell needs."""
    folder.mkdir()
    for name in [*SHELL, *names]:
        place = shutil.which(name)
        if place is None:
            pytest.skip(f"{name} is not here")
        (folder / name).symlink_to(place)
    return str(folder)


def test_the_hosts_gcc_comes_first() -> None:
    said = found()
    assert "CC_i386 := gcc\n" in said and "CC_x86_64 := gcc\n" in said


def test_a_cross_compiler_does_both_architectures(tmp_path: Path) -> None:
    cross = [f"x86_64-linux-gnu-{name}" for name in GCC]
    said = found(path=only(tmp_path / "bin", cross))
    assert "CC_i386 := x86_64-linux-gnu-gcc\n" in said
    assert "LD_x86_64 := x86_64-linux-gnu-ld\n" in said


@needs_clang
def test_clang_does_where_there_is_no_gcc(tmp_path: Path) -> None:
    path = only(tmp_path / "bin", CLANG)
    said = found(path=path)
    assert "CC_i386 := clang --target=i686-linux-gnu\n" in said
    assert "LD_x86_64 := ld.lld\n" in said
    assert "CC_" not in found("gcc", path)


@pytest.fixture(name="clang")
def _clang(lab: Lab) -> Lab:
    (lab.root / "build/tools.mk").write_text(found("clang"))
    return lab


@needs_clang
def test_an_image_of_clang_boots_and_the_verdict_names_it(
    clang: Lab, tmp_path: Path
) -> None:
    image = clang.build()
    assert tools(clang.root, "i386").family == "clang"
    assert b"clang version" in image.symbols.read_bytes()
    ended = run(Boot("test", image.elf), tmp_path / "run", detect())
    assert ended.end is End.DONE
    assert ended.console.startswith(b"forty-two\r\n")
    assert {"clang", "ld.lld"} < versions(clang.root).keys()


@needs_clang
@pytest.mark.parametrize(
    ("added", "line", "said"),
    [
        ("int f(void);\nint f(void) { return 1 }", 1, "expected ';'"),
        ("int f(void);\nint f(void) { return f(1); }", 1, "declared here"),
        ("#include <stdio.h>", 0, "stdio.h"),
        ("void no(void); void f(void);\nvoid f(void) { no(); }", 1, "no is used"),
        ("__thread int t;", 0, "t is thread-local"),
        ('#error "\x1b[31mfake\u202e"', 0, "fake"),
    ],
)
def test_what_is_refused_of_clangs_is_said_at_its_line(
    clang: Lab, added: str, line: int, said: str
) -> None:
    clang.write({"answer.c": GOOD_C + added + "\n", "i386/half.asm": GOOD_ASM})
    (message,) = [m for m in clang.messages() if said in m.text]
    place = (message.file, message.line, message.severity)
    assert place == ("01-tiny/answer.c", TAIL + line, "error")
    assert message.text.isprintable()


@needs_clang
def test_what_lld_refuses_is_said_in_the_same_words(clang: Lab) -> None:
    clang.write({"answer.c": GOOD_C + "const char *half(void) { return 0; }\n"})
    (message,) = clang.messages()
    assert message.text == "half is defined in more than one gap file"


@needs_clang
def test_a_warning_of_clang_is_shown(clang: Lab) -> None:
    clang.write({"answer.c": GOOD_C + "static int unused_one;\n"})
    (warning,) = clang.build().warnings
    assert (warning.line, warning.severity) == (TAIL, "warning")
    assert "-Wunused-variable" in warning.text


@pytest.mark.parametrize("indent", [None, 1])
def test_every_layout_of_gccs_messages_is_read(indent: int | None) -> None:
    def entry(kind: str, line: int, *children: object) -> dict[str, object]:
        place = {"caret": {"file": "a.c", "line": line, "column": 1}}
        said = {"kind": kind, "message": f"{kind} {line}", "locations": [place]}
        return {**said, "children": list(children)}

    # gcc 14 puts an error on the same line below the warning, and wraps its lines.
    first = entry("warning", 3, entry("note", 9), entry("error", 3))
    array = json.dumps([first, entry("error", 5)], indent=indent)
    text = f"cc1: noise\n{array}\na.c:7: Error: no such instruction\n"
    read = [
        (m.severity, m.line, m.text) for m in c_messages("gcc", text, "a.c", "01-gdt")
    ]
    assert read == [
        ("warning", 3, "warning 3; note 9"),
        ("error", 3, "error 3"),
        ("error", 5, "error 5"),
        ("error", 7, "no such instruction"),
    ]
