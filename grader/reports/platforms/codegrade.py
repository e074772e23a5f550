# SPDX-License-Identifier: MIT
"""CodeGrade: JUnit for what it shows, and a number from 0 to 1 on the output.

The number is what a step "Capture points" takes for the mark: in a step "Unit test"
every case counts the same, whatever its points. A run that could not be graded leaves
neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.reports import junit
from grader.reports.data import RunData
from grader.reports.platforms.told import Export, fraction


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    if fault:
        return Export()
    return Export(junit.render(run, properties=False), f"{fraction(run)}\n")
