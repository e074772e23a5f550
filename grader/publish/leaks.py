# SPDX-License-Identifier: MIT
"""The proof that published objects hold no solution and nothing of the staff's.

Four lines of a solution region that stand together again, whatever the white space and
the comments, are its text; so is a shorter region as a whole, and a file's content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.course import Course, Stage
from grader.handouts import regions

TOGETHER = 4
COMMENT = re.compile(r"/\*.*?\*/|//.*|;(?=[^;]*$)(?<=; ).*|\s;.*")
LABEL = re.compile(r"\.?\w+:")
# Lines that any two files may share: braces, and what saves or loads one register.
COMMON = re.compile(
    r"[{}();]*|(else|return|break|continue)?;?|(push|pop) \w+|iretq?d?|ret"
    r"|mov [defg]s, \w+|mov e?[acd]x, SEL_[UK]DATA"
)


@dataclass(frozen=True)
class Leak:
    """What was found, and in which object."""

    where: str
    what: str


@dataclass
class Secrets:
    """What must not be published: text of solutions, whole blobs, with a name for each,
    and the ids of the staff's checks."""

    texts: dict[tuple[str, ...], str] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()

    def find(self, where: str, blob: str, data: bytes) -> list[Leak]:
        """The secrets in one object; a text is told once for each file it is from."""
        if blob in self.blobs:
            return [Leak(where, f"is {self.blobs[blob]}")]
        text = data.decode("utf-8", "replace")
        windows = (w for size in self.sizes for w in together(text, size))
        names = {self.texts[w] for w in windows if w in self.texts}
        found = [Leak(where, f"holds text of {name}") for name in sorted(names)]
        named = [check for check in self.checks if check in text]
        return found + [Leak(where, f"names the staff's check {c}") for c in named]

    @property
    def sizes(self) -> set[int]:
        return {len(lines) for lines in self.texts}


def gather(
    root: Path, course: Course, blobs: Mapping[str, str], allowed: Iterable[Stage]
) -> Secrets:
    """The secrets of the course, but for the solutions of the `allowed` stages.

    blobs: ids of the staff's files and the solutions, with their paths.
    """
    open_to = {stage.id for stage in allowed}
    checks = (check for stage in course.stages for check in stage.checks)
    secrets = Secrets(checks=tuple(check.id for check in checks if check.staff))
    for blob, path in blobs.items():
        parts = Path(path).parts
        if not (parts[0] == "solutions" and parts[1] in open_to):
            secrets.blobs[blob] = path
    for stage in course.stages:
        if stage.id in open_to:
            continue
        for gap in stage.all_gaps():
            name = f"solutions/{stage.id}/{gap}"
            text = (root / name).read_text(encoding="utf-8")
            for region in regions(text, gap):
                lines = "\n".join(region)
                size = min(TOGETHER, sum(1 for _ in together(lines, 1)))
                for window in together(lines, size):
                    secrets.texts.setdefault(window, name)
    return secrets


def together(text: str, size: int) -> Iterable[tuple[str, ...]]:
    """Every `size` lines of code that follow each other, bare."""
    lines = [bare for bare in map(_bare, text.splitlines()) if bare]
    return zip(*(lines[n:] for n in range(size)))


def _bare(line: str) -> str:
    """The line's code alone, "" if there is none that could tell anything."""
    line = line.lstrip("+-*#|> ")  # as a patch, a quotation or a table would show it
    line = COMMENT.sub("", line)
    words = " ".join(re.findall(r"\w+|[^\w\s]", line))
    if COMMON.fullmatch(" ".join(line.split())) or LABEL.fullmatch(line.strip()):
        return ""
    return words
