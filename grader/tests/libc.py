# SPDX-License-Identifier: MIT
"""The course's C library, built for the host beside the system's (data/user_libc)."""

from __future__ import annotations

import atexit
import functools
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pytest

from grader.build.tools import flag_lines

ROOT = Path(__file__).resolve().parents[2]
HOST = Path(__file__).parent / "data" / "user_libc"
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
STRICT = "-O2 -Werror -Wshadow -Wundef -Wvla".split()
PREFIX = "ours_"

VARIANTS = ("i386", "x86_64", "sanitized")

MEMORY_BYTES = 2048
ARGUMENTS = 24
REQUEST = struct.Struct(
    f"=16sB{ARGUMENTS}s3xI{ARGUMENTS}Q{MEMORY_BYTES}s{MEMORY_BYTES}s"
)
ANSWER = struct.Struct(f"=QiiII{4 * MEMORY_BYTES}s{MEMORY_BYTES}s")


@dataclass(frozen=True)
class At:
    """An argument: the address of this offset in the memory of a call."""

    offset: int


class Compare:
    """An argument: a function that compares as many bytes as the one before says."""


@dataclass(frozen=True)
class Answer:
    """What a call did. result: a word; in_memory: it is an offset in the memory."""

    result: int
    in_memory: bool
    error: int
    writes: int
    output: bytes
    memory: bytes

    def signed(self, bits: int) -> int:
        """The result as a number with a sign, of which only the low bits count."""
        value = self.result & ((1 << bits) - 1)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self, offset: int) -> bytes:
        return self.memory[offset : self.memory.index(0, offset)]


@dataclass(frozen=True)
class Program:
    """The server for a word size."""

    bits: int
    file: Path

    def run(self) -> Server:
        return Server(self)


class Server:
    """A process of it. Use it as a context: its end must be a clean one."""

    def __init__(self, program: Program) -> None:
        self.bits = program.bits
        self._file = program.file
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen([self._file], stdin=pipe, stdout=pipe)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()
        assert kind is not None or self._process.returncode == 0

    def call(
        self,
        name: str,
        *arguments: int | At | Compare,
        memory: bytes = b"",
        typed: bytes = b"",
        ours: bool = True,
    ) -> Answer:
        """Call a function on this memory; typed: what read gives, if it is not empty.

        Answer's errno is 0 if the call did not set it. Raises EOFError if the process
        dies of the call; the next call has a new one.
        """
        kinds, words = bytearray(ARGUMENTS), [0] * ARGUMENTS
        for i, argument in enumerate(arguments):
            if isinstance(argument, At):
                kinds[i], words[i] = 1, argument.offset
            elif isinstance(argument, Compare):
                kinds[i] = 2
            else:
                words[i] = argument & (1 << 64) - 1
        request = REQUEST.pack(
            name.encode(), ours, bytes(kinds), len(typed), *words, typed, memory
        )
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(request)
        self._process.stdin.flush()
        data = self._process.stdout.read(ANSWER.size)
        if len(data) < ANSWER.size:
            status = self._process.wait()
            self._process = self._start()
            raise EOFError(f"{name} ended the process with status {status}")
        result, in_memory, error, size, writes, output, after = ANSWER.unpack(data)
        return Answer(result, bool(in_memory), error, writes, output[:size], after)

    def both(
        self, name: str, *arguments: int | At | Compare, memory: bytes
    ) -> tuple[Answer, Answer]:
        """The same call of the course's function and of the system's."""
        ours = self.call(name, *arguments, memory=memory)
        return ours, self.call(name, *arguments, memory=memory, ours=False)


@functools.cache
def build(variant: str) -> Program:
    """The server for i386, x86_64, or x86_64 with sanitizers ("sanitized"), built once.

    Skips the test if gcc makes no such programs here.
    """
    folder = Path(tempfile.mkdtemp(prefix="ringlab-libc-"))
    atexit.register(shutil.rmtree, folder)
    sanitize = SANITIZE if variant == "sanitized" else ()
    arch = "i386" if variant == "i386" else "x86_64"
    bits = 32 if arch == "i386" else 64
    common = (f"-m{bits}", "-no-pie", *sanitize)
    (folder / "probe.c").write_text("int main(void) { return 0; }\n", "utf-8")
    if _run(folder, "gcc", *common, "probe.c", "-o", "probe").returncode != 0:
        pytest.skip(f"gcc makes no programs for {variant} here")

    words = flag_lines(ROOT / "kernel" / "arch" / arch / "flags.mk")
    user = flag_lines(ROOT / "user" / "flags.mk")
    flags = (*words["CFLAGS_ARCH"], *user["CFLAGS_USER"], *STRICT, *sanitize)
    include = (f"-I{ROOT}/user/include", f"-I{ROOT}/kernel/include", f"-I{HOST}")
    sources = [ROOT / "user" / name for name in user["USER_LIB"]]
    _must(folder, "gcc", *flags, *include, "-c", *map(str, sources))
    objects = [f"{source.stem}.o" for source in sources]
    _must(folder, "gcc", *common, "-nostdlib", "-r", "-o", "library.o", *objects)
    _must(folder, "objcopy", *_renames(folder), "library.o")
    server = ("-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin")
    behind = ("-idirafter", f"{ROOT}/kernel/include")
    files = (str(HOST / "server.c"), "library.o")
    _must(folder, "gcc", *common, *server, *behind, *files, "-o", "server")
    return Program(bits, folder / "server")


def _renames(folder: Path) -> list[str]:
    """All that the library defines, and its own uses of it, get the prefix."""
    listing = _must(folder, "nm", "-g", "--defined-only", "library.o").split()
    return [f"--redefine-sym={name}={PREFIX}{name}" for name in listing[2::3]]


def _run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def _must(folder: Path, *argv: str) -> str:
    done = _run(folder, *argv)
    assert done.returncode == 0, done.stderr
    return done.stdout
