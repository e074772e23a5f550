# SPDX-License-Identifier: MIT
"""Lines of C or NASM: as they are shown, and as what they mean to a compiler."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.handouts import C, syntax_of
from grader.verdict.model import plain

SHOWN = 240
# Every pattern takes what it began, closed or not, so that no text is read twice.
C_TOKEN = re.compile(
    r"""(?P<skip>/\*(?:.*?\*/|.*)|//[^\n]*|[^\S\n]+)|(?P<line>\n)
    |(?P<token>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|\w+
    |<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[<>=!+\-*/%&|^]=|&&|\|\||\#\#|.)""",
    re.DOTALL | re.VERBOSE,
)
ASM_TOKEN = re.compile(
    r"""(?P<skip>;[^\n]*|[^\S\n]+)|(?P<line>\n)
    |(?P<token>"[^"\n]*"?|'[^'\n]*'?|`(?:\\.|[^`\\\n])*`?|\w+
    |<<|>>|[<>=!]=|&&|\|\||.)""",
    re.DOTALL | re.VERBOSE,
)
# Whether the line begins at the margin, and its words; None for a blank line.
Anchor = tuple[bool, tuple[str, ...]] | None


@dataclass(frozen=True)
class Line:
    """A line of a source file.

    text: fit to be shown. tokens: without white space and comments. anchor: what tells
    that it is the same line elsewhere.
    """

    number: int
    text: str
    tokens: tuple[str, ...]
    anchor: Anchor


def lines_of(text: str, name: str, first: int = 1) -> list[Line]:
    """The lines of the file `name`, or of a part that begins at line `first`."""
    if not text:
        return []
    text = text.replace("\r\n", "\n").removesuffix("\n")
    tokens: list[list[str]] = [[]]
    pattern = C_TOKEN if syntax_of(name) is C else ASM_TOKEN
    for found in pattern.finditer(text):
        if found["token"]:
            tokens[-1].append(found["token"])
        # A comment or a string that goes on over lines leaves them without tokens.
        tokens.extend([] for _ in range(found[0].count("\n")))
    return [
        Line(number, plain(raw, SHOWN), tuple(own), _anchor(raw, own))
        for number, (raw, own) in enumerate(zip(text.split("\n"), tokens), first)
    ]


def _anchor(raw: str, tokens: list[str]) -> Anchor:
    # What stands at the margin is a function's head or end; within, nothing does.
    words = tuple(tokens or raw.split())
    return (not raw[0].isspace(), words) if words else None


def meaning(lines: Sequence[Line], name: str) -> list[str]:
    """The tokens of all lines; where the end of a line has a meaning, that too."""
    found: list[str] = []
    for line in lines:
        ends = syntax_of(name) is not C or line.tokens[:1] == ("#",)
        if ends and line.tokens and found and found[-1] != "\n":
            found.append("\n")
        found += line.tokens
        if ends and line.tokens:
            found.append("\n")
    return found
