# SPDX-License-Identifier: MIT
"""Derives assignments/ from solutions/: solution regions become open tasks."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.course import MANIFEST, Course, Stage
from grader.errors import OperatorError

C_BEGIN = re.compile(r"(?P<indent>[ ]*)/\* BEGIN SOLUTION\b(?P<rest>.*)$")
C_END = re.compile(r"[ ]*/\* END SOLUTION (?P<id>\S+) \*/\s*$")
ASM_BEGIN = re.compile(r"(?P<indent>[ ]*); BEGIN SOLUTION\b(?P<rest>.*)$")
ASM_END = re.compile(r"[ ]*; END SOLUTION (?P<id>\S+)\s*$")
HEAD = re.compile(r"\s+(?P<id>\d+\.\d+)(?P<colon>:?)\s*(?P<hint>.*)$", re.DOTALL)
MARKER = re.compile(r"\b(BEGIN|END) SOLUTION\b")


class StripError(OperatorError):
    """A solution region that cannot be stripped; the mend is part of it."""

    def __init__(self, file: str, line: int, what: str, mend: str) -> None:
        super().__init__(f"{file}:{line}: {what}", mend)


@dataclass(frozen=True)
class _Syntax:
    """How one language writes the markers, and what stands in a gap instead."""

    begin: re.Pattern[str]
    end: re.Pattern[str]
    comment: str
    stub: str
    ends: str = ""


C = _Syntax(C_BEGIN, C_END, "/* TASK {} */", 'TASK_OPEN("{}");', "*/")
ASM = _Syntax(ASM_BEGIN, ASM_END, "; TASK {}", 'TASK_OPEN "{}"')


def syntax_of(name: str) -> _Syntax:
    return ASM if name.endswith((".asm", ".inc")) else C


def strip(text: str, name: str, tasks: frozenset[str]) -> str:
    """`text` of the solution file `name` without its solution regions.

    A region at file scope (not indented) leaves only its comment: nothing runs there.
    Raises StripError.
    """
    return "".join(f"{line}\n" for line in _stripped(text, name, tasks))


def _stripped(text: str, name: str, tasks: frozenset[str]) -> Iterator[str]:
    syntax = syntax_of(name)
    lines = iter(enumerate(text.splitlines(), 1))
    inside, began = "", 0
    for number, line in lines:
        begin, end = syntax.begin.match(line), syntax.end.match(line)
        if begin and inside:
            what = f"a region begins inside that of task {inside}"
            raise StripError(name, number, what, f"end it first (line {began})")
        if begin:
            hint = _whole(syntax, begin["rest"], lines, name, number)
            inside, hint = _head(hint, name, number, tasks)
            began = number
            indent = begin["indent"]
            yield from _comment(syntax, indent, f"{inside}: {hint}")
            if indent:
                yield indent + syntax.stub.format(inside)
        elif end and end["id"] != inside:
            what = f"END SOLUTION {end['id']} ends no region of that task"
            mend = (
                f"write END SOLUTION {inside}" if inside else "begin the region first"
            )
            raise StripError(name, number, what, mend)
        elif end:
            inside = ""
        elif MARKER.search(line):
            mend = "write the marker alone on its line, as the other files do"
            raise StripError(name, number, "a marker that is not understood", mend)
        elif not inside:
            yield line
    if inside:
        what = f"the region of task {inside} does not end"
        raise StripError(name, began, what, f"add END SOLUTION {inside}")


def solved(text: str, name: str) -> str:
    """The solution file `name` as a reader wants it: without the marks of regions."""
    return "".join(f"{line}\n" for _, line in _numbered(text, name))


def regions(text: str, name: str) -> list[list[str]]:
    """The lines of each solution region of the file `name`, its marks left out."""
    found: dict[int, list[str]] = {}
    for region, line in _numbered(text, name):
        if region:
            found.setdefault(region, []).append(line)
    return [*found.values()]


def _numbered(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Every line but the marks, with the number of its region; 0: outside of them."""
    syntax = syntax_of(name)
    lines = iter(enumerate(text.splitlines(), 1))
    count = region = 0
    for number, line in lines:
        begin = syntax.begin.match(line)
        if begin:
            _whole(syntax, begin["rest"], lines, name, number)
            region = count = count + 1
        elif syntax.end.match(line):
            region = 0
        else:
            yield region, line


def _whole(
    syntax: _Syntax,
    rest: str,
    lines: Iterator[tuple[int, str]],
    name: str,
    number: int,
) -> str:
    """The rest of the marker's comment, which in C may go on over several lines."""
    if not syntax.ends:
        return rest
    parts = [rest]
    while syntax.ends not in parts[-1]:
        _, more = next(lines, (0, None))
        if more is None:
            what = "the comment of BEGIN SOLUTION does not end"
            raise StripError(name, number, what, "close it with */")
        parts.append(re.sub(r"^\s*\*(?!/) ?", "", more))
    hint, _, behind = "\n".join(parts).partition(syntax.ends)
    if behind.strip():
        what = "something follows the comment of BEGIN SOLUTION"
        raise StripError(name, number, what, "put it on a line of its own")
    return hint


def _head(rest: str, name: str, number: int, tasks: frozenset[str]) -> tuple[str, str]:
    found = HEAD.match(rest)
    if not found:
        mend = "write BEGIN SOLUTION 4.2: hint"
        raise StripError(name, number, "the region names no task", mend)
    task, hint = found["id"], found["hint"].strip()
    if task not in tasks:
        known = ", ".join(sorted(tasks))
        what = f"task {task} is not in the manifest"
        raise StripError(name, number, what, f"choose from {known}")
    if not found["colon"] or not hint:
        mend = f"write BEGIN SOLUTION {task}: what the student has to do"
        raise StripError(name, number, f"the hint of task {task} is missing", mend)
    return task, hint


def _comment(syntax: _Syntax, indent: str, text: str) -> Iterator[str]:
    first, *more = syntax.comment.format(text).splitlines()
    yield indent + first
    for line in more:
        yield f"{indent} * {line}".rstrip()


def derive(course: Course) -> dict[Path, str]:
    """Every stripped gap file with its text, by path relative to the course's root."""
    made: dict[Path, str] = {}
    for stage in course.stages:
        tasks = frozenset(task.id for task in stage.tasks)
        _no_strangers(course, stage)
        for gap in stage.all_gaps():
            name = Path("solutions", stage.id, gap)
            try:
                text = (course.root / name).read_text(encoding="utf-8")
            except FileNotFoundError:
                manifest = Path("assignments", stage.id, MANIFEST)
                raise OperatorError(
                    f"{name} is missing, and {manifest} names it",
                    "write it, or take it out of [gaps]",
                ) from None
            made[Path("assignments", stage.id, gap)] = strip(text, str(name), tasks)
    return made


def _no_strangers(course: Course, stage: Stage) -> None:
    """A file that no manifest names would never reach a student."""
    folder = course.root / "solutions" / stage.id
    named = set(stage.all_gaps())
    for file in sorted(folder.rglob("*")):
        if file.is_file() and str(file.relative_to(folder)) not in named:
            raise OperatorError(
                f"{file.relative_to(course.root)} is in no [gaps] of its manifest",
                f"name it in assignments/{stage.id}/{MANIFEST}, or remove it",
            )


def handouts(root: Path, *, check: bool) -> int:
    """Write what differs, or with `check` only name it; 1 if something differs then."""
    course = Course.load(root)
    if not (root / "solutions").is_dir():
        mend = "run this where the reference lies"
        raise OperatorError(f"{root} has no solutions/", mend)
    stale = [(p, t) for p, t in derive(course).items() if _current(root / p) != t]
    for path, text in stale:
        if check:
            print(f"{path} is not what its solution yields", file=sys.stderr)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            print(path)
    if stale and check:
        print("run `make handouts`", file=sys.stderr)
    return 1 if stale and check else 0


def _current(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
