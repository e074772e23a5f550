# SPDX-License-Identifier: MIT
"""Compiler, assembler and linker as ci/setup found them, and make's flags."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from grader.build.model import BuildError
from grader.sandbox import Sandbox

BFD = {"i386": "elf32-i386", "x86_64": "elf64-x86-64"}
TOOLCHAIN = "build/tools.mk"


@dataclass(frozen=True)
class Tools:
    """Commands for one architecture; identity changes when a tool is replaced.

    family: gcc or clang. cc: the compiler, and the words that every call begins with.
    """

    arch: str
    family: str
    cc: tuple[str, ...]
    ld: str
    objcopy: str
    addr2line: str
    identity: str

    @property
    def bfd(self) -> str:
        return BFD[self.arch]


@functools.lru_cache(maxsize=None)
def tools(root: Path, arch: str) -> Tools:
    """The tool chain of make for `arch`. Raises BuildError when there is none."""
    found = toolchain(root)
    try:
        family, cc, ld, objcopy, addr2line = (
            found[f"{name}_{arch}"]
            for name in ("FAMILY", "CC", "LD", "OBJCOPY", "ADDR2LINE")
        )
    except KeyError:
        raise BuildError(
            f"no compiler for {arch}; `make doctor` says what to install"
        ) from None
    words = [*cc, *ld, *objcopy, *addr2line, *found["TOOLS_IDENTITY"]]
    identity = hashlib.sha256("\n".join(words).encode()).hexdigest()
    return Tools(
        arch, family[0], tuple(cc), ld[0], objcopy[0], addr2line[0], identity
    )


def toolchain(root: Path) -> dict[str, list[str]]:
    """The lines of build/tools.mk, which make brings up to date; {} if it never ran."""
    try:
        return flag_lines(root / TOOLCHAIN)
    except FileNotFoundError:
        return {}


def read_flags(root: Path, arch: str) -> dict[str, list[str]]:
    """The lines `NAME := words` of kernel/flags.mk and kernel/arch/<arch>/flags.mk."""
    common = flag_lines(root / "kernel/flags.mk")
    return common | flag_lines(root / "kernel/arch" / arch / "flags.mk")


def flag_lines(file: Path) -> dict[str, list[str]]:
    """The lines `NAME := words` of one file."""
    flags: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, assigned, words = line.partition(":=")
        if assigned and not line.startswith("#"):
            flags[name.strip()] = words.split()
    return flags


@functools.lru_cache(maxsize=None)
def compiler_headers(cc: tuple[str, ...], sandbox: Sandbox) -> Path:
    """The folder of stdint.h and stddef.h that the compiler brings itself."""
    result = sandbox.run([*cc, "-print-file-name=include"], cwd=Path("/usr"))
    folder = Path(result.stdout.decode().strip())
    if result.status != 0 or not folder.is_dir():
        raise BuildError(f"{cc[0]} does not name its own headers")
    return folder.resolve()


def header_folders(root: Path, arch: str) -> list[Path]:
    """What gap files may include: public headers, and the generated constants."""
    folders = ["kernel/include", f"kernel/arch/{arch}/include", f"build/{arch}/include"]
    return [root / name for name in folders if (root / name).is_dir()]
