# SPDX-License-Identifier: MIT
"""PrairieLearn: /grade/results/results.json, with a score from 0 to 1.

A run that could not be graded is "not gradable": no points, and no attempt lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grader.reports.data import RunData
from grader.reports.platforms.told import (
    NOT_GRADED,
    TEXT_LIMIT,
    Export,
    checks,
    explained,
    fraction,
    name,
    overview,
)

FILE_BYTES = 1_000_000


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    if fault:
        data = {"gradable": False, "format_errors": [NOT_GRADED]}
        return Export(json.dumps(data, indent=2) + "\n")
    limit = TEXT_LIMIT
    text = _results(run, limit)
    while len(text) > FILE_BYTES and limit > 1:
        limit //= 2
        text = _results(run, limit)
    return Export(text)


def _results(run: RunData, limit: int) -> str:
    """The file, in ASCII, with `limit` characters about each check."""
    tests: list[dict[str, Any]] = [
        {
            "name": name(verdict, check),
            "description": f"{verdict.stage}, task {check.task}",
            "points": check.points,
            "max_points": check.max_points,
            "message": check.status.value,
            "output": explained(check, limit),
        }
        for verdict, check in checks(run)
    ]
    data = {
        "gradable": True,
        "score": fraction(run),
        "output": overview(run),
        "tests": tests,
    }
    return json.dumps(data, indent=2) + "\n"
