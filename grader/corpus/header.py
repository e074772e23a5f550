# SPDX-License-Identifier: MIT
"""The lines `Key: text` that say what a known submission is and what it must get."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from grader.course import Stage
from grader.errors import OperatorError

FIELD = re.compile(r"([A-Z][a-z]+):\s*(.*)")
BODY = re.compile(r"(diff |--- |Index: )")


class Header:
    """The fields of one file. Raises OperatorError at an unknown or unsound one."""

    def __init__(self, file: Path, known: Iterable[str]) -> None:
        self.file = file
        self._fields = _fields(file)
        for key in self._fields:
            if key not in known:
                raise self.fault(f"{key}: is unknown", f"use {' '.join(known)}")

    def fault(self, what: str, mend: str) -> OperatorError:
        return OperatorError(f"{self.file}: {what}", mend)

    def text(self, key: str) -> str:
        return self._fields.get(key, "")

    def names(self, key: str) -> tuple[str, ...]:
        """Names between spaces or commas."""
        return tuple(self.text(key).replace(",", " ").split())

    def words(self, key: str) -> tuple[str, ...]:
        """Words, or "several of them" in quotes; commas separate too."""
        lexer = shlex.shlex(self.text(key).replace(",", " "), posix=True)
        lexer.whitespace_split = True
        lexer.quotes = '"'
        lexer.escape = ""
        lexer.commenters = ""
        found = tuple(lexer)
        if any(not word.strip() for word in found):
            raise self.fault(f'{key}: "" is always said', "name words that tell it")
        return found

    def arches(self, stage: Stage) -> tuple[str, ...]:
        """What `Arch:` names; without it, all that the stage is offered for."""
        named = self.names("Arch") or stage.arches
        for arch in named:
            if arch not in stage.arches:
                offered = " ".join(stage.arches)
                raise self.fault(f"Arch: {arch} is not offered", f"use {offered}")
        return named

    def checks(self, key: str, stage: Stage, *others: str) -> tuple[str, ...]:
        """Ids of checks of the stage, or one of `others`."""
        known = {check.id for check in stage.checks} | {*others}
        for check in self.names(key):
            if check not in known:
                raise self.fault(f"{key}: {check} is no check", f"see {stage.id}")
        return self.names(key)


def _fields(file: Path) -> dict[str, str]:
    """The lines `Key: text` before a patch; an indented one goes on with the last."""
    fields: dict[str, str] = {}
    last = ""
    if not file.exists():
        return fields
    for line in file.read_text(encoding="utf-8").splitlines():
        if BODY.match(line):
            break
        found = FIELD.match(line)
        if found:
            last = found[1]
            fields[last] = found[2].strip()
        elif line.startswith((" ", "\t")) and last:
            fields[last] += " " + line.strip()
    return fields
