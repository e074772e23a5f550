# SPDX-License-Identifier: MIT
"""What a platform shows beside the student's own lines: for GitHub, and for GitLab.

GitHub reads a command on a line of the job's output, GitLab a file in the form of its
code quality report. Both are functions of the verdicts alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.reports.data import RunData
from grader.verdict.model import CheckResult, Status, Verdict

MOST = 10  # of each level that GitHub takes from a step; it drops the others
# A gap file with a line, as it stands in words: "gdt_set+0x4 (01-gdt/gdt.c:12)".
LINE = re.compile(r"(?<![\w./-])(\d\d-[a-z][a-z0-9-]*/[\w/-]+\.\w+):(\d+)")
GAP = re.compile(r"\d\d-[a-z][a-z0-9-]*/[\w/-]+\.\w+")


@dataclass(frozen=True)
class Annotation:
    """level: "error" or "warning". file: from the repository's root, "" if there is
    none, and then line is 0, as it is where only the file is known."""

    level: str
    file: str
    line: int
    title: str
    text: str


def annotate(run: RunData) -> list[Annotation]:
    """Messages of the compilers, failed checks, what could not be graded; each once."""
    found = [one for stage in run.stages for one in _messages(stage.verdict)]
    found += [
        _of_check(stage.verdict, check)
        for stage in run.stages
        for check in stage.verdict.checks
        if check.status in (Status.FAIL, Status.HARNESS_ERROR)
    ]
    if run.error:
        found.append(Annotation("error", "", 0, "It could not grade", run.error))
    return [*dict.fromkeys(found)]


def _messages(verdict: Verdict) -> Iterator[Annotation]:
    for message in verdict.messages:
        level = "error" if message.severity == "error" else "warning"
        text, line = message.text, message.line
        # The file's name is the submission's to choose, with #line.
        file = _path(verdict, message.file) if GAP.fullmatch(message.file) else ""
        if not file:
            text, line = f"{message.file}:{line}: {text}", 0
        yield Annotation(level, file, line, f"{message.stage}: {level}", text)


def _of_check(verdict: Verdict, check: CheckResult) -> Annotation:
    title = f"{check.task} on {verdict.arch}: {check.title}"
    text = "\n".join(words for words in (check.seen, check.cause, check.hint) if words)
    level = "warning" if check.bonus else "error"
    place = LINE.search(check.source)
    if place is None:
        return Annotation(level, "", 0, title, text)
    return Annotation(level, _path(verdict, place[1]), int(place[2]), title, text)


def _path(verdict: Verdict, file: str) -> str:
    """A gap file as it lies in the repository: in the folder that was graded."""
    words = [word.partition("=") for word in shlex.split(verdict.command)]
    folder = {name: value for name, _, value in words}.get("SRC", "assignments")
    return f"{folder}/{file}"


def for_github(found: Iterable[Annotation]) -> str:
    """A workflow command on a line each, at most MOST of a level."""
    lines: list[str] = []
    left = {"error": MOST, "warning": MOST}
    for one in found:
        if not left[one.level]:
            continue
        left[one.level] -= 1
        values = {"file": one.file, "line": str(one.line or ""), "title": one.title}
        named = [f"{key}={_property(value)}" for key, value in values.items() if value]
        lines.append(f"::{one.level} {','.join(named)}::{_data(one.text)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    """`text` as the data of a workflow command, which ends with its line."""
    for mark, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(mark, code)
    return text


def _property(text: str) -> str:
    """The same as a property, which ends at a colon or comma too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def for_gitlab(found: Iterable[Annotation]) -> str:
    """GitLab's code quality report, which holds only what has a place."""
    severities = {"error": "major", "warning": "minor"}
    issues = [
        {
            "description": f"{one.title}: {one.text}",
            "check_name": "ringlab",
            "fingerprint": hashlib.sha256(repr(one).encode()).hexdigest(),
            "severity": severities[one.level],
            "location": {"path": one.file, "lines": {"begin": max(one.line, 1)}},
        }
        for one in found
        if one.file
    ]
    return json.dumps(issues, indent=2) + "\n"
