# SPDX-License-Identifier: MIT
"""A submission beside handout and solution: task by task, and what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from grader.course import Course, Stage, Task
from grader.diff.align import Piece, assign, pieces
from grader.diff.code import Line, lines_of, meaning
from grader.diff.rows import Kind, Row, folded, rows
from grader.intake.archive import Untaken
from grader.intake.submission import NOT_SOURCES, TOPS, Submission
from grader.verdict.model import plain

LINES, LINE_LENGTH = 4000, 2000  # what is more is no source that someone wrote
# Written anew for each course that is published (grader/publish/content.py).
PER_COURSE = "assignments/course.toml"


class State(Enum):
    """What became of a gap, or of all gaps of a task."""

    MISSING = "missing"
    HANDOUT = "handout"
    OPEN = "open"
    CHANGED = "changed"
    SOLUTION = "solution"


@dataclass(frozen=True)
class Part:
    """A gap of one file, or (task "") all of it that is in no gap.

    theirs: from handout to student. ours: from student to solution. counts: whether
    it says anything; a place for helpers that nobody used does not.
    """

    file: str
    task: str
    line: int
    state: State
    counts: bool
    theirs: tuple[Row, ...]
    ours: tuple[Row, ...]

    @property
    def views(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """What is worth reading line by line, with its title."""
        if self.state not in (State.OPEN, State.CHANGED):
            return ()
        both = ("from the handout", self.theirs), ("on to the solution", self.ours)
        return both if self.task else both[:1]

    @property
    def folded(self) -> str:
        """What is not shown, in a sentence; "" if that is nothing."""
        count = folded(self.ours if self.state is State.SOLUTION else self.theirs)
        what = f"{count} line{'' if count == 1 else 's'}"
        return f"In white space or comments alone: {what}, not marked." if count else ""


@dataclass(frozen=True)
class TaskDiff:
    task: Task
    state: State
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class StageDiff:
    """notes: what keeps a file from being compared, in sentences."""

    stage: Stage
    tasks: tuple[TaskDiff, ...]
    outside: tuple[Part, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """strangers: what is not theirs to change, as (changed or added, path)."""

    name: str
    strangers: tuple[tuple[str, str], ...]
    stages: tuple[StageDiff, ...]


def compare(
    course: Course, stages: Sequence[Stage], arch: str | None, student: Submission
) -> Comparison:
    """The stages that the submission has. Raises OperatorError for our own files."""
    found = [_stage(course, s, arch, student) for s in stages if student.has(s.id)]
    return Comparison(
        plain(student.name, 100).replace("\n", " "),
        tuple(_strangers(course, student)),
        tuple(found),
    )


def _strangers(course: Course, student: Submission) -> Iterator[tuple[str, str]]:
    """What is missing says nothing: a handed-out branch lacks the staff's part."""
    if not student.whole:
        return
    gaps = {f"assignments/{s.id}/{gap}" for s in course.stages for gap in s.all_gaps()}
    for path, data in sorted(student.files.items()):
        parts = path.split("/")
        if data is Untaken.LINK:
            continue
        if parts[0] in TOPS and path not in gaps and path != PER_COURSE:
            own = _bytes(course.root / path)
            if own is None and not {*parts} & {*NOT_SOURCES}:
                yield "added", plain(path, 200)
            elif own is not None and (
                data is Untaken.LARGE or _unix(own) != _unix(data)
            ):
                yield "changed", plain(path, 200)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _unix(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _stage(
    course: Course, stage: Stage, arch: str | None, student: Submission
) -> StageDiff:
    notes: list[str] = []
    parts: list[Part] = []
    for gap in _gaps(stage, arch, student, notes):
        source = course.root / "solutions" / stage.id / gap
        tasks = frozenset(task.id for task in stage.tasks)
        known = pieces(source.read_text(encoding="utf-8"), gap, tasks)
        lines, why = _lines(student.files.get(student.path(stage.id, gap), b""), gap)
        if student.path(stage.id, gap) not in student.files:
            why = "is missing"
        if why:
            notes.append(f"{gap} {why}")
        parts += _parts(known, None if why else lines, gap)
    return StageDiff(
        stage,
        tuple(_task(task, parts) for task in stage.tasks),
        tuple(part for part in parts if not part.task),
        tuple(notes),
    )


def _gaps(
    stage: Stage, arch: str | None, student: Submission, notes: list[str]
) -> Iterator[str]:
    """The gap files to compare; a published course may be for one architecture."""
    everything = stage.all_gaps()
    there = {g for g in everything if student.path(stage.id, g) in student.files}
    for group, gaps in stage.gap_files.items():
        if group not in stage.arches or group == arch:
            yield from gaps
        elif arch not in stage.arches and (there & {*gaps} or not there):
            yield from gaps
        elif arch not in stage.arches and gaps:
            notes.append(f"there is no file for {group}")


def _lines(data: bytes | Untaken, gap: str) -> tuple[list[Line], str]:
    """The lines of a student's file, and why they are not compared."""
    if data is Untaken.LINK:
        return [], "is a link"
    text = "" if data is Untaken.LARGE else data.decode("utf-8", "replace")
    raw = text.split("\n")
    if data is Untaken.LARGE or len(raw) > LINES or max(map(len, raw)) > LINE_LENGTH:
        return [], f"has over {LINES} lines, or one of over {LINE_LENGTH} characters"
    return lines_of(text, gap), ""


def _parts(
    known: Sequence[Piece], lines: list[Line] | None, gap: str
) -> Iterator[Part]:
    """The gaps of a file, then what is in none; no lines: the file is missing."""
    if lines is None:
        for task in (piece.task for piece in known if piece.task):
            yield Part(gap, task, 0, State.MISSING, True, (), ())
        return
    own = assign(known, lines)
    outside: tuple[list[Line], list[Line]] = ([], [])
    for piece, student in zip(known, own):
        if piece.task:
            yield _gap(piece, student, gap)
        else:
            outside[0].extend(piece.handout)
            outside[1].extend(student)
    same = meaning(outside[0], gap) == meaning(outside[1], gap)
    state = State.HANDOUT if same else State.CHANGED
    changes = (*rows(*outside, gap),)
    first = (r.right for r in changes if r.kind is Kind.CHANGED and r.right)
    line = next((side.number for side in first), 0)
    yield Part(gap, "", line, state, not same, changes, ())


def _gap(piece: Piece, student: list[Line], gap: str) -> Part:
    mine, handed = meaning(student, gap), meaning(piece.handout, gap)
    if mine == handed:
        state = State.HANDOUT
    elif mine == meaning(piece.solution, gap):
        state = State.SOLUTION
    else:
        state = State.OPEN if "TASK_OPEN" in mine else State.CHANGED
    return Part(
        gap,
        piece.task,
        next((line.number for line in student if line.text.strip()), 0),
        state,
        bool(mine or handed),
        (*rows(piece.handout, student, gap),),
        (*rows(student, piece.solution, gap),),
    )


def _task(task: Task, parts: Sequence[Part]) -> TaskDiff:
    """What its gaps say together: open, as long as one of them is not done."""
    mine = tuple(part for part in parts if part.task == task.id)
    states = {part.state for part in mine if part.counts} or {State.HANDOUT}
    undone = states & {State.MISSING, State.HANDOUT, State.OPEN}
    mixed = State.OPEN if undone else State.CHANGED
    return TaskDiff(task, states.pop() if len(states) == 1 else mixed, mine)
