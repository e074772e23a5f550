# SPDX-License-Identifier: MIT
"""Compiles one gap file in the sandbox, and reads what gcc or NASM said about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.build.model import Message, SubmissionError, escape
from grader.build.tools import Tools, compiler_headers, header_folders, read_flags
from grader.sandbox import Limits, Result, Sandbox

CPU_S = 15
LIMITS = Limits(cpu_s=CPU_S, file_bytes=16 << 20, memory_bytes=2 << 30)
MESSAGES = 50
SEEN = "/gap"  # the folder of the gap files, as the compilers see it
TEXT_CHARACTERS = 1000
QUOTES = str.maketrans("\u2018\u2019", "''")
NASM_LINE = re.compile(r"(.+?):(\d+): (?:(fatal|error|warning|panic|note): )?(.*)")
GAS_LINE = re.compile(r"(.+?):(\d+): (Error|Warning|Fatal error): (.*)")


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
        argv = self._nasm() if assembly else self._gcc(seen)
        # NASM joins its folder and a relative name in DWARF: that names no file.
        source = str(seen / name) if assembly else name
        result = self.sandbox.run(
            [*argv, *self._includes(stage), source, "-o", str(out)],
            cwd=seen,
            ro=[(tree / name, seen / name), *files, *self._header_folders()],
            rw=[out.parent],
            limits=LIMITS,
        )
        reader = _nasm_messages if assembly else gcc_messages
        text = result.stderr.decode("utf-8", "replace")
        messages = [
            shown(message, stage, name, seen, self.root)
            for message in reader(text, name, stage)
        ][:MESSAGES]
        made = out.is_file() and not out.is_symlink()
        if result.status == 0 and made:
            if assembly:
                _forget_folder(out, seen / name, seen)
            return [m for m in messages if m.severity == "warning"]
        if not any(message.severity == "error" for message in messages):
            why = why_failed(result, text)
            messages.append(Message(name, 0, 0, "error", why, stage))
        raise SubmissionError(messages)

    def _gcc(self, tree: Path) -> list[str]:
        flags = read_flags(self.root, self.tools.arch)
        argv = [self.tools.cc]
        for key in ("CFLAGS_ARCH", "CFLAGS_COMMON", "CFLAGS_GAP"):
            argv += flags.get(key, [])
        headers = compiler_headers(self.tools.cc, self.sandbox)
        argv += ["-nostdinc", "-isystem", str(headers), "-fmax-errors=20"]
        # The last matching map wins; objects must not depend on the scratch folder.
        argv += [f"-ffile-prefix-map={self.root}=.", f"-ffile-prefix-map={tree}=."]
        return argv + ["-fdiagnostics-format=json", "-c"]

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
    if file.startswith("/tmp/"):
        # The compiler's own assembly: the line there means nothing to anyone.
        return Message(name, 0, 0, message.severity, _tidy(message.text), stage)
    file = file.removeprefix(f"{root}/")
    line, column = message.line, message.column
    text = _tidy(message.text)
    return Message(escape(file), line, column, message.severity, text, stage)


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
    if result.stop is not None or result.status in (128 + 9, 128 + 24):
        return f"compiling needs more than {CPU_S} s, or prints without end"
    if "signal terminated program" in text or "Killed" in text:
        return f"compiling needs more than {CPU_S} s or {LIMITS.memory_bytes >> 20} MiB"
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _tidy(first) or f"the compiler failed with status {result.status}"


def gcc_messages(text: str, name: str, stage: str) -> Iterator[Message]:
    """gcc prints one JSON array, the assembler and the driver plain lines around it."""
    for line in text.splitlines():
        if line.startswith("["):
            try:
                for entry in json.loads(line, strict=False):
                    yield from _gcc_entry(entry, name, stage)
                continue
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
                pass
        gas = GAS_LINE.fullmatch(line)
        if gas:
            severity = "warning" if gas[3] == "Warning" else "error"
            yield Message(gas[1], int(gas[2]), 0, severity, gas[4], stage)


def _gcc_entry(entry: dict[str, Any], name: str, stage: str) -> Iterator[Message]:
    kinds = {"warning": "warning", "error": "error", "fatal error": "error"}
    severity = kinds.get(entry["kind"])
    if severity is None:
        return
    text = str(entry["message"])
    if entry.get("option"):
        text += f" [{entry['option']}]"
    for child in entry.get("children", []):
        text += f"; {child['message']}"
    places = entry.get("locations") or [{}]
    caret = places[0].get("caret", {})
    yield Message(
        str(caret.get("file", name)),
        int(caret.get("line", 0)),
        int(caret.get("column", 0)),
        severity,
        text,
        stage,
    )


def _nasm_messages(text: str, name: str, stage: str) -> Iterator[Message]:
    for line in text.splitlines():
        found = NASM_LINE.fullmatch(line)
        if found and found[3] != "note":
            severity = "warning" if found[3] == "warning" else "error"
            yield Message(found[1], int(found[2]), 0, severity, found[4], stage)
