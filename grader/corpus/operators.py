# SPDX-License-Identifier: MIT
"""Mutation operators: systematic changes of one place in a gap file's solution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
# Each rewrites one match; what does not compile afterwards is told and left out.
C_RULES = (
    ("negated", re.compile(r"\b(if|while) \((.*)\) \{$"), r"\1 (!(\2)) {"),
    ("off-by-one", re.compile(r"(?<![<>=!-])<(?![<=])"), "<="),
    ("off-by-one", re.compile(r"<=(?!=)"), "<"),
    ("off-by-one", re.compile(r"(?<![<>=!-])>(?![>=])"), ">="),
    ("off-by-one", re.compile(r">=(?!=)"), ">"),
    ("other-way", re.compile(r"=="), "!="),
    ("other-way", re.compile(r"!="), "=="),
    ("other-way", re.compile(r"&&"), "||"),
    ("other-way", re.compile(r"\|\|"), "&&"),
    ("other-way", re.compile(r"\btrue\b"), "false"),
    ("other-way", re.compile(r"\bfalse\b"), "true"),
    ("no-one", re.compile(r" [-+] 1\b"), ""),
    ("flag-lost", re.compile(r"(?<!\|) \| \w+(\([^()]*\))?(?= \||;|,|\))"), ""),
    ("mask-lost", re.compile(r" & ~?\w+(\([^()]*\))?(?=[;,) ])"), ""),
    ("constant", re.compile(r"(?<=[ (\[])(\d+)u?(?=[;,)\] ])"), "+1"),
)
ASM_RULES = (
    ("flag-lost", re.compile(r" \| \w+"), ""),
    ("constant", re.compile(r"(?<=, )(\d+|0x[0-9a-f]+)$"), "+1"),
    ("offset", re.compile(r"(?<=[+-] )(\d+)(?=\])"), "+4"),
    ("offset", re.compile(r"(?<=[+-] )(\d+)(?=\])"), "+8"),
    ("other-way", re.compile(r"\bj(e|z)\b"), "jne"),
    ("other-way", re.compile(r"\bjn(e|z)\b"), "je"),
    ("other-way", re.compile(r"\bjb\b"), "jbe"),
    ("other-way", re.compile(r"\bjae\b"), "ja"),
    ("other-way", re.compile(r"\bja\b"), "jae"),
    ("other-way", re.compile(r"\bjbe\b"), "jb"),
)


@dataclass(frozen=True)
class Change:
    """One changed place. name: operator and line; what: the place before and after."""

    name: str
    what: str
    text: str


def changes(text: str, assembly: bool) -> Iterator[Change]:
    """All changes of the solution regions of a gap file."""
    lines = text.splitlines()
    regions = _regions(lines)
    units = [(n, n + 1) for n in regions] if assembly else _statements(lines, regions)
    units = [u for u in units if _code(lines[u[0]], assembly)]
    for at, (first, last) in enumerate(units):
        if _droppable(lines[last - 1], assembly):
            yield _changed(lines, "dropped", first, last, [])
        following = units[at + 1] if at + 1 < len(units) else None
        if (
            following
            and following[0] == last
            and _swappable(lines[last - 1], lines[following[1] - 1], assembly)
        ):
            swapped = lines[following[0] : following[1]] + lines[first:last]
            yield _changed(lines, "swapped", first, following[1], swapped)
    for number in regions:
        yield from _rewritten(lines, number, assembly)


def _regions(lines: list[str]) -> list[int]:
    """Numbers (from 0) of the lines between the marks."""
    found, inside = [], False
    for number, line in enumerate(lines):
        if END in line:
            inside = False
        if inside:
            found.append(number)
        if BEGIN in line:
            inside = True
    return found


def _statements(lines: list[str], regions: list[int]) -> list[tuple[int, int]]:
    """C statements as ranges of lines; a condition's head is one of its own."""
    found, first = [], None
    for number in regions:
        line = lines[number].strip()
        if not line or line.startswith(("/*", "*", "}")) and not line.endswith(";"):
            first = None
            continue
        first = number if first is None else first
        if line.split("/*")[0].rstrip().endswith((";", "{", ":")):
            found.append((first, number + 1))
            first = None
    return found


def _code(line: str, assembly: bool) -> bool:
    text = line.strip()
    if assembly:
        head = text.split(";")[0].strip()
        return bool(head) and not head.endswith(":") and not head.startswith("%")
    return bool(text)


def _droppable(last: str, assembly: bool) -> bool:
    return assembly or last.split("/*")[0].rstrip().endswith(";")


def _swappable(one: str, other: str, assembly: bool) -> bool:
    same = one.strip() == other.strip()
    return not same and all(_droppable(line, assembly) for line in (one, other))


def _rewritten(lines: list[str], number: int, assembly: bool) -> Iterator[Change]:
    line = lines[number]
    mark = ";" if assembly else "/*"
    code, comment = line, ""
    if mark in line and not (not assembly and line.strip().startswith("/*")):
        code, comment = line[: line.index(mark)], line[line.index(mark) :]
    if assembly:
        code = code.rstrip()
    for name, pattern, new in ASM_RULES if assembly else C_RULES:
        for match in pattern.finditer(code):
            if new.startswith("+"):
                word = str(int(match[1], 0) + int(new))
            else:
                word = match.expand(new)
            changed = code[: match.start()] + word + code[match.end() :]
            whole = f"{changed} {comment}" if comment else changed
            yield _changed(lines, name, number, number + 1, [whole.rstrip()])


def _changed(
    lines: list[str], name: str, first: int, last: int, new: list[str]
) -> Change:
    text = "\n".join((*lines[:first], *new, *lines[last:])) + "\n"
    before = " ".join(" ".join(lines[first:last]).split())
    after = " ".join(" ".join(new).split()) or "nothing"
    return Change(f"{name}-{first + 1}", f"{before}  =>  {after}", text)
