# SPDX-License-Identifier: MIT
"""Finds the gaps in a student's file, which has no marks: by the lines around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from grader.diff.code import Anchor, Line, lines_of
from grader.handouts import solved, strip, syntax_of


@dataclass(frozen=True)
class Piece:
    """A part of a gap file: a gap with its task, or, without one, what lies between."""

    task: str
    handout: tuple[Line, ...]
    solution: tuple[Line, ...]


def pieces(solution: str, name: str, tasks: frozenset[str]) -> list[Piece]:
    """The parts of a gap file, in their order, from the text of its solution."""
    syntax = syntax_of(name)
    found: list[Piece] = []
    held: list[str] = []
    handed = 1

    def close(task: str, end: int) -> None:
        nonlocal handed
        text = "".join(f"{line}\n" for line in held)
        right = solved(text, name)
        first = end - right.count("\n") - bool(task)
        handout = lines_of(strip(text, name, tasks), name, handed)
        found.append(Piece(task, (*handout,), (*lines_of(right, name, first),)))
        handed += len(handout)
        held.clear()

    lines = solution.splitlines()
    for number, line in enumerate(lines, 1):
        if syntax.begin.match(line) and held:
            close("", number)
        held.append(line)
        if end := syntax.end.match(line):
            close(end["id"], number + 1)
    if held:
        close("", len(lines) + 1)
    return found


def assign(parts: Sequence[Piece], student: Sequence[Line]) -> list[list[Line]]:
    """The student's lines of each part; the lines of all parts together are all."""
    owners = [n for n, part in enumerate(parts) for _ in part.handout]
    template = [line for part in parts for line in part.handout]
    ends = (len(template), len(student))
    known = _common([line.anchor for line in template], [s.anchor for s in student])
    result: list[list[Line]] = [[] for _ in parts]
    for (t0, s0), (t1, s1) in pairwise([(-1, -1), *known, ends]):
        run = student[s0 + 1 : s1]
        passed = owners[max(t0, 0) : t1]
        around = [*dict.fromkeys(passed + owners[t1 : t1 + 1])]
        inner = [n for n in around if parts[n].task and n in passed]
        choice = inner or [n for n in around if parts[n].task] or around
        for owner, line in zip(_split(parts, choice, run), run):
            result[owner].append(line)
        if s1 < len(student):
            result[owners[t1]].append(student[s1])
    return result


def _split(
    parts: Sequence[Piece], choice: Sequence[int], run: Sequence[Line]
) -> list[int]:
    """Which of the parts each line of the run belongs to, by what the solution has
    there: as the last line before it that is known, else as the first one behind."""
    if len(choice) < 2:
        return [*choice] * len(run)
    reference = [(n, line.anchor) for n in choice for line in parts[n].solution]
    anchors = [anchor for _, anchor in reference], [line.anchor for line in run]
    known = {s: reference[r][0] for r, s in _common(*anchors)}
    found = [next(iter(known.values()), choice[0])]
    for number in range(len(run)):
        found.append(known.get(number, found[-1]))
    return found[1:]


def _common(ours: Sequence[Anchor], theirs: Sequence[Anchor]) -> list[tuple[int, int]]:
    """Pairs of equal lines, rising on both sides: what is there but once leads."""
    counts = Counter(ours), Counter(theirs)
    once = {a for a in counts[0] if a and counts[0][a] == counts[1][a] == 1}
    found: list[tuple[int, int]] = []
    corners = [*_matched(ours, theirs, once), (len(ours), len(theirs))]
    for (a0, b0), (a1, b1) in pairwise([(-1, -1), *corners]):
        left, right = ours[a0 + 1 : a1], theirs[b0 + 1 : b1]
        between = _matched(left, right, {a for a in left if a})
        found += [(a0 + 1 + a, b0 + 1 + b) for a, b in between]
        found.append((a1, b1))
    return found[:-1]


def _matched(
    ours: Sequence[Anchor], theirs: Sequence[Anchor], usable: Collection[Anchor]
) -> list[tuple[int, int]]:
    left = [n for n, anchor in enumerate(ours) if anchor in usable]
    right = [n for n, anchor in enumerate(theirs) if anchor in usable]
    # The student's side comes first: the matcher's effort grows with repeats in ours.
    matcher = SequenceMatcher(
        None, [theirs[n] for n in right], [ours[n] for n in left], autojunk=False
    )
    return [
        (left[block.b + k], right[block.a + k])
        for block in matcher.get_matching_blocks()
        for k in range(block.size)
    ]
