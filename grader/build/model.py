# SPDX-License-Identifier: MIT
"""What a build takes and gives: a stage, messages, an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class StageLike(Protocol):
    """What a build needs to know of a stage (grader/course.py has it)."""

    @property
    def id(self) -> str: ...

    @property
    def order(self) -> int: ...

    @property
    def provides(self) -> Sequence[str]: ...

    @property
    def uses(self) -> Sequence[str]: ...

    def gaps(self, arch: str) -> Sequence[str]: ...


class CourseLike(Protocol):
    """What a build needs to know of a course."""

    @property
    def root(self) -> Path: ...

    @property
    def stages(self) -> Sequence[StageLike]: ...


@dataclass(frozen=True)
class Message:
    """One message about a gap file, such as 01-gdt/gdt.c; line and column 0: unknown.

    severity is "error" or "warning". Control characters in text are escaped.
    """

    file: str
    line: int
    column: int
    severity: str
    text: str
    stage: str

    def __str__(self) -> str:
        place = [self.file] + [str(n) for n in (self.line, self.column) if n]
        return f"{':'.join(place)}: {self.severity}: {self.text}"


class SubmissionError(Exception):
    """The gap files give no image; that is the submission's fault."""

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__("\n".join(str(message) for message in messages))
        self.messages = tuple(messages)


class BuildError(Exception):
    """The grader's own part of the build failed; never the submission's fault."""


@dataclass(frozen=True)
class Image:
    """A kernel with one stage's gap files in it.

    elf: stripped and bootable. symbols: the same with symbols and DWARF. key: hash over
    all that went in. gap_files: object in the image -> gap files, as the student knows
    them.
    """

    elf: Path
    symbols: Path
    key: str
    warnings: tuple[Message, ...]
    gap_files: Mapping[str, tuple[str, ...]]


def escape(text: str) -> str:
    """Make every character that is not printable visible, as \\x1b."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
