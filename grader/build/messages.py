# SPDX-License-Identifier: MIT
"""What gcc, clang and NASM say about a gap file, read into messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from grader.build.model import Message

# What makes a compiler print what its reader below understands. gcc 12 that stops at
# -fmax-errors prints none of them as JSON.
DIAGNOSTICS = {
    "gcc": ("-fdiagnostics-format=json",),
    "clang": ("-ferror-limit=20", "-fno-caret-diagnostics", "-fno-color-diagnostics"),
}
GCC_KINDS = {"warning": "warning", "error": "error", "fatal error": "error"}
NASM_LINE = re.compile(r"(.+?):(\d+): (?:(fatal|error|warning|panic|note): )?(.*)")
GAS_LINE = re.compile(r"(.+?):(\d+): (Error|Warning|Fatal error): (.*)")
NASM_WORD = re.compile(r"identifier expected after (\w+), got `:'")
CLANG_LINE = re.compile(r"(.+?):(\d+):(\d+): (fatal error|error|warning|note): (.*)")


def c_messages(family: str, text: str, name: str, stage: str) -> Iterator[Message]:
    """What a compiler of C of this family printed about the file `name`."""
    readers: dict[str, Callable[[str, str, str], Iterator[Message]]] = {
        "gcc": _gcc_messages,
        "clang": _clang_messages,
    }
    return readers[family](text, name, stage)


def _gcc_messages(text: str, name: str, stage: str) -> Iterator[Message]:
    """gcc prints one JSON array, the assembler and the driver plain lines around it.

    Up to gcc 13 the array is one line.
    """
    array = json.JSONDecoder(strict=False)
    text, at = text + "\n", 0
    while at < len(text):
        end = text.index("\n", at)
        line = text[at:end]
        if line.startswith("["):
            try:
                entries, at = array.raw_decode(text, at)
                for entry in entries:
                    yield from _gcc_entry(entry, name, stage)
                continue
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
                pass
        gas = GAS_LINE.fullmatch(line)
        if gas:
            severity = "warning" if gas[3] == "Warning" else "error"
            yield Message(gas[1], int(gas[2]), 0, severity, gas[4], stage)
        at = end + 1


def _gcc_entry(entry: dict[str, Any], name: str, stage: str) -> Iterator[Message]:
    """A message with its notes, then the messages that gcc groups below it."""
    severity = GCC_KINDS.get(entry["kind"])
    if severity is None:
        return
    text = str(entry["message"])
    if entry.get("option"):
        text += f" [{entry['option']}]"
    children = entry.get("children", [])
    for child in children:
        if child["kind"] not in GCC_KINDS:
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
    for child in children:
        yield from _gcc_entry(child, name, stage)


def _clang_messages(text: str, name: str, stage: str) -> Iterator[Message]:
    """clang prints a line for each message, and for each of its notes."""
    last: Message | None = None
    for line in text.splitlines():
        found = CLANG_LINE.fullmatch(line)
        if found is None:
            continue
        if found[4] == "note":
            if last is not None:
                last = replace(last, text=f"{last.text}; {found[5]}")
            continue
        if last is not None:
            yield last
        severity = "warning" if found[4] == "warning" else "error"
        last = Message(
            found[1], int(found[2]), int(found[3]), severity, found[5], stage
        )
    if last is not None:
        yield last


def nasm_messages(text: str, name: str, stage: str) -> Iterator[Message]:
    """What NASM printed."""
    for line in text.splitlines():
        found = NASM_LINE.fullmatch(line)
        if found and found[3] != "note":
            severity = "warning" if found[3] == "warning" else "error"
            said, word = found[4], NASM_WORD.search(found[4])
            if word:
                said += f"; `{word[1]}' is a word of NASM's own, and cannot be a label"
            yield Message(found[1], int(found[2]), 0, severity, said, stage)
