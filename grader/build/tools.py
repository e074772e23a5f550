# SPDX-License-Identifier: MIT
"""Compiler, assembler and linker: where they are, and the flags that make shares."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from grader.build.model import BuildError
from grader.sandbox import Sandbox

CROSS = {"i386": "i686-linux-gnu-", "x86_64": "x86_64-linux-gnu-"}
BFD = {"i386": "elf32-i386", "x86_64": "elf64-x86-64"}
NATIVE = ("x86_64", "i686", "i386", "amd64")


@dataclass(frozen=True)
class Tools:
    """Commands for one architecture; identity changes when a tool is replaced."""

    arch: str
    cc: str
    ld: str
    objcopy: str
    addr2line: str
    identity: str

    @property
    def bfd(self) -> str:
        return BFD[self.arch]


@functools.lru_cache(maxsize=None)
def tools(arch: str) -> Tools:
    """The host's own gcc (with -m32) on a PC, else the cross compiler.

    Raises BuildError when there is none.
    """
    prefix = "" if platform.machine().lower() in NATIVE else CROSS[arch]
    names = [f"{prefix}{name}" for name in ("gcc", "ld", "objcopy", "addr2line")]
    identity = hashlib.sha256()
    for name in (*names, "nasm"):
        place = shutil.which(name)
        if place is None:
            raise BuildError(f"{name} is missing; `make doctor` says what to install")
        real = os.path.realpath(place)
        state = os.stat(real)
        identity.update(f"{real} {state.st_size} {state.st_mtime_ns}\n".encode())
    cc, ld, objcopy, addr2line = names
    return Tools(arch, cc, ld, objcopy, addr2line, identity.hexdigest())


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
def compiler_headers(cc: str, sandbox: Sandbox) -> Path:
    """The folder of stdint.h and stddef.h that the compiler brings itself."""
    result = sandbox.run([cc, "-print-file-name=include"], cwd=Path("/usr"))
    folder = Path(result.stdout.decode().strip())
    if result.status != 0 or not folder.is_dir():
        raise BuildError(f"{cc} does not name its own headers")
    return folder.resolve()


def header_folders(root: Path, arch: str) -> list[Path]:
    """What gap files may include: public headers, and the generated constants."""
    folders = ["kernel/include", f"kernel/arch/{arch}/include", f"build/{arch}/include"]
    return [root / name for name in folders if (root / name).is_dir()]
