# SPDX-License-Identifier: MIT
"""Compiles one gap file in the sandbox, and keeps what was said about it."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from grader.build.messages import DIAGNOSTICS, c_messages, nasm_messages
from grader.build.model import Message, SubmissionError, escape
from grader.build.tools import Tools, compiler_headers, header_folders, read_flags
from grader.sandbox import Limits, Result, Sandbox, exceeded, told

LIMITS = Limits(cpu_s=15, file_bytes=16 << 20, memory_bytes=2 << 30)
MESSAGES = 50
# It uses up its stack; what it says then differs by compiler and by luck.
CRASHED = re.compile(r"internal compiler error|Segmentation fault|unexpected signal")
SEEN = "/gap"  # the folder of the gap files, as the compilers see it
TEXT_CHARACTERS = 1000
# What a message can be about: gap files and headers, all below the course's root.
COURSES = re.compile(r"[\w-]+(/\w[\w-]*)+\.(c|h|asm|inc)")
QUOTES = str.maketrans("\u2018\u2019", "''")


@dataclass(frozen=True)
class Compiler:
    """The tools of one architecture, and where the course's public headers are."""

    root: Path
    tools: Tools
    sandbox: Sandbox

    def compile(
        self, stage: str, gap: str, tree: Path, companions: list[Path], out: Path
    ) -> list[Message]:
        """Compile tree/<stage>/<gap> to `out`, in a folder of its own; gives warnings.

        companions: gap files that it may include. Raises SubmissionError.
        """
        name = f"{stage}/{gap}"
        seen = self.sandbox.view(tree, SEEN)
        files = [(path, seen / path.relative_to(tree)) for path in companions]
        assembly = gap.endswith(".asm")
        argv = self._nasm() if assembly else self._cc(seen)
        # NASM joins its folder and a relative name in DWARF: that names no file.
        source = str(seen / name) if assembly else name
        result = self.sandbox.run(
            [*argv, *self._includes(stage), source, "-o", str(out)],
            cwd=seen,
            ro=[(tree / name, seen / name), *files, *self._header_folders()],
            rw=[out.parent],
            limits=LIMITS,
        )
        text = result.stderr.decode("utf-8", "replace")
        found = (
            nasm_messages(text, name, stage)
            if assembly
            else c_messages(self.tools.family, text, name, stage)
        )
        messages = [
            shown(message, stage, name, seen, self.root) for message in found
        ][:MESSAGES]
        made = out.is_file() and not out.is_symlink()
        if result.status == 0 and made:
            if assembly:
                _forget_folder(out, seen / name, seen)
            return [m for m in messages if m.severity == "warning"]
        named = any(message.severity == "error" for message in messages)
        if result.stop is not None or not named:
            why = why_failed(result, text)
            messages.append(Message(name, 0, 0, "error", why, stage))
        raise SubmissionError(messages)

    def _cc(self, tree: Path) -> list[str]:
        flags, family = read_flags(self.root, self.tools.arch), self.tools.family
        argv = [*self.tools.cc]
        for key in ("ARCH", "COMMON", family, "GAP"):
            argv += flags.get(f"CFLAGS_{key}", [])
        headers = compiler_headers(self.tools.cc, self.sandbox)
        argv += ["-nostdinc", "-isystem", str(headers), *DIAGNOSTICS[family]]
        # The last matching map wins; objects must not depend on the scratch folder.
        argv += [f"-ffile-prefix-map={self.root}=.", f"-ffile-prefix-map={tree}=."]
        return [*argv, "-c"]

    def _nasm(self) -> list[str]:
        flags = read_flags(self.root, self.tools.arch)
        return ["nasm", *flags.get("NASMFLAGS_ARCH", []), *flags.get("NASMFLAGS", [])]

    def _header_folders(self) -> list[Path]:
        return header_folders(self.root, self.tools.arch)

    def _includes(self, stage: str) -> list[str]:
        # NASM joins folder and name as they are, so it needs the slash.
        return [f"-I{folder}/" for folder in self._header_folders()] + [f"-I{stage}/"]


def shown(message: Message, stage: str, name: str, seen: Path, root: Path) -> Message:
    """File names as the student knows them, and text that is safe to print."""
    file = message.file.removeprefix(f"{seen}/").removeprefix("./")
    file, text = file.removeprefix(f"{root}/"), _tidy(message.text)
    if not COURSES.fullmatch(file):
        # The compiler's own assembly, whose lines mean nothing to anyone; or #line.
        return Message(name, 0, 0, message.severity, text, stage)
    return Message(file, message.line, message.column, message.severity, text, stage)


def _forget_folder(object_file: Path, source: Path, folder: Path) -> None:
    """Make NASM's DWARF relative to folder, as -ffile-prefix-map does; sizes stay.

    "/gap/01-gdt/a.asm" becomes ".////01-gdt/a.asm", and its folder becomes "./////…".
    """
    data = object_file.read_bytes()
    for path, end in ((f"{source.parent}/", b"\0"), (f"{folder}/", b"")):
        old = path.encode()
        data = data.replace(old + end, b".".ljust(len(old), b"/") + end)
    object_file.write_bytes(data)


def _tidy(text: str) -> str:
    return escape(text.translate(QUOTES))[:TEXT_CHARACTERS]


def why_failed(result: Result, text: str) -> str:
    stop = exceeded(result)
    if stop is not None:
        return str(told(stop, result.limits, "compiling"))
    if CRASHED.search(text) or result.status == 128 + signal.SIGSEGV:
        return "the compiler crashed; usually it is nesting, thousands of levels deep"
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _tidy(first) or f"the compiler failed with status {result.status}"
