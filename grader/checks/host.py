# SPDX-License-Identifier: MIT
"""What a program of grader/scenarios/host/ printed, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.checks.api import Case, TaskOpen

REPORT = re.compile(r"(?:ERROR: AddressSanitizer: |runtime error: )([^\n]*)")
PLACE = re.compile(r"(?<![\w-])[a-z][\w-]*\.c:\d+(?=[:)\s])")  # not of the driver's


def expect_word(
    case: Case,
    lines: Iterator[str],
    word: str,
    report: str,
    header: str,
    during: str = "",
) -> str:
    """The value behind the next line's word; otherwise the run ended before it.

    report: what the sanitizer wrote; header: where the contract stands; during: what
    it was asked for when it said its last word.
    """
    line = next(lines, "")
    name, _, value = line.partition(" ")
    if name == word:
        return value
    found = REPORT.search(report)
    place = PLACE.search(report)
    if found:
        case.fail(
            expected="On the host, too, the file does nothing that C does not define, "
            "and touches no memory but what it was given.",
            seen=f"The sanitizer stopped it: {re.split(' at pc| [(]pc', found[1])[0]}"
            + (f" ({place[0]})." if place else "."),
            cause="An index or a pointer beyond its object, a shift or an overflow "
            "that C does not define, or memory that belongs to somebody else.",
            hint="The line is the one to look at: which value makes it go wrong?"
            if place
            else "",
            read=header,
        )
    if name == "open":
        raise TaskOpen(value)
    case.fail(
        expected=f"The program goes on to its next line, “{word} …”.",
        seen=f"It printed “{line}”{during}." if line else "It ended, or took too long.",
        cause="It panicked at a request that is right."
        if name == "panic"
        else "A loop that does not end, or a crash.",
        read=header,
    )
