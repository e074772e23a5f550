# SPDX-License-Identifier: MIT
"""Submitty: validation_results.json of a custom validator, with a score from 0 to 1.

A run that could not be graded is the validator's failure, which has no score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from grader.reports.data import RunData
from grader.reports.platforms.told import (
    NOT_GRADED,
    Export,
    checks,
    explained,
    fraction,
    name,
    overview,
    passed,
)


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    if fault:
        data: dict[str, object] = {"status": "failure", "message": NOT_GRADED}
        return Export(json.dumps(data, indent=2) + "\n")
    messages = [{"status": "information", "message": overview(run)}]
    for verdict, check in checks(run):
        points = f"{name(verdict, check)} ({check.points}/{check.max_points})"
        status = "success" if passed(check) else "failure"
        text = "\n".join(filter(None, (points, explained(check))))
        messages.append({"status": status, "message": text})
    data = {"score": fraction(run), "message": messages}
    return Export(json.dumps({"status": "success", "data": data}, indent=2) + "\n")
