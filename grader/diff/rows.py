# SPDX-License-Identifier: MIT
"""Two texts side by side: which lines belong together, which words differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from itertools import zip_longest

from grader.diff.code import Line, meaning

WORD = re.compile(r"\s+|\w+|[^\w\s]")
WORDY = re.compile(r"\w")
ALIKE = 0.4  # from this share of equal words on, one line is the other one, changed
PAIRS = 10_000  # in a larger block no line is looked for on the other side
CONTEXT = 3


class Kind(Enum):
    """quiet: a difference in white space or comments alone."""

    SAME = "same"
    QUIET = "quiet"
    CHANGED = "changed"


@dataclass(frozen=True)
class Side:
    """One line of a row; words: pieces of its text, and whether each differs."""

    number: int
    words: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.words)


@dataclass(frozen=True)
class Row:
    kind: Kind
    left: Side | None
    right: Side | None

    @property
    def blank(self) -> bool:
        return not any(side and side.text.strip() for side in (self.left, self.right))


def rows(left: Sequence[Line], right: Sequence[Line], name: str) -> list[Row]:
    """The lines of the file `name` before and after, side by side."""
    matcher = SequenceMatcher(None, _keys(left, 0), _keys(right, 1), autojunk=False)
    found: list[Row] = []
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        before, after = left[a0:a1], right[b0:b1]
        if what == "equal" or meaning(before, name) == meaning(after, name):
            found += (_row(x, y) for x, y in zip_longest(before, after))
        else:
            found += _block(before, after)
    return found


def _keys(lines: Sequence[Line], side: int) -> list[tuple[object, ...]]:
    """Lines without a word are like no other, so that no brace leads astray."""
    return [
        line.anchor[1] if WORDY.search(line.text) and line.anchor else (side, number)
        for number, line in enumerate(lines)
    ]


def _row(left: Line | None, right: Line | None, kind: Kind = Kind.QUIET) -> Row:
    """A row of lines that mean the same, if no other kind is given."""
    if left and right and left.text == right.text:
        kind = Kind.SAME
    return Row(kind, _plain(left), _plain(right))


def _plain(line: Line | None) -> Side | None:
    return Side(line.number, ((line.text, False),)) if line else None


def _block(left: Sequence[Line], right: Sequence[Line]) -> Iterator[Row]:
    """Rows for lines that differ; those that resemble each other stand in one."""
    a = b = 0
    for x, y in [*_pairs(left, right), (len(left), len(right))]:
        yield from (_alone(line, None) for line in left[a:x])
        yield from (_alone(None, line) for line in right[b:y])
        if x < len(left):
            yield _changed(left[x], right[y])
        a, b = x + 1, y + 1


def _alone(left: Line | None, right: Line | None) -> Row:
    line = left or right
    means = line is not None and line.tokens
    return _row(left, right, Kind.CHANGED if means else Kind.QUIET)


def _changed(left: Line, right: Line) -> Row:
    if left.tokens == right.tokens:
        return _row(left, right)
    words: list[list[str]] = [WORD.findall(line.text) for line in (left, right)]
    sides: tuple[list[tuple[str, bool]], ...] = ([], [])
    matcher = SequenceMatcher(None, words[0], words[1], autojunk=False)
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        for side, own, start, end in zip(sides, words, (a0, b0), (a1, b1)):
            if start < end:
                side.append(("".join(own[start:end]), what != "equal"))
    before, after = (tuple(side) for side in sides)
    return Row(Kind.CHANGED, Side(left.number, before), Side(right.number, after))


def _pairs(left: Sequence[Line], right: Sequence[Line]) -> list[tuple[int, int]]:
    """The rising pairs of lines that together resemble each other most."""
    if len(left) * len(right) > PAIRS:
        return []
    bags = [[Counter(line.tokens) for line in side] for side in (left, right)]
    weights = [[_weight(bag) for bag in side] for side in bags]
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    alike: dict[tuple[int, int], int] = {}
    for x in reversed(range(len(left))):
        for y in reversed(range(len(right))):
            best[x][y] = max(best[x + 1][y], best[x][y + 1])
            common = _weight(bags[0][x] & bags[1][y])
            if common and 2 * common >= ALIKE * (weights[0][x] + weights[1][y]):
                alike[x, y] = common
                best[x][y] = max(best[x][y], best[x + 1][y + 1] + common)
    found: list[tuple[int, int]] = []
    x = y = 0
    while x < len(left) and y < len(right):
        if (x, y) in alike and best[x][y] == best[x + 1][y + 1] + alike[x, y]:
            found.append((x, y))
            x, y = x + 1, y + 1
        elif best[x][y] == best[x + 1][y]:
            x += 1
        else:
            y += 1
    return found


def _weight(tokens: Counter[str]) -> int:
    """How much these tokens say; a word says more than a sign."""
    return sum(n * (5 if WORDY.search(token) else 1) for token, n in tokens.items())


def hunks(every: Sequence[Row]) -> list[list[Row]]:
    """The changed rows, each with at most CONTEXT others around it."""
    marked = [n for n, row in enumerate(every) if row.kind is Kind.CHANGED]
    near = {m for n in marked for m in range(n - CONTEXT, n + CONTEXT + 1)}
    found: list[list[Row]] = []
    last = -2
    for number in sorted(near & {*range(len(every))}):
        if number != last + 1:
            found.append([])
        found[-1].append(every[number])
        last = number
    return [_trimmed(hunk) for hunk in found]


def _trimmed(hunk: Sequence[Row]) -> list[Row]:
    told = [n for n, row in enumerate(hunk) if not row.blank]
    return [*hunk[told[0] : told[-1] + 1]]


def folded(every: Sequence[Row]) -> int:
    """How many rows differ in white space or comments alone, but for blank lines."""
    return sum(row.kind is Kind.QUIET and not row.blank for row in every)
