# SPDX-License-Identifier: MIT
"""Gradescope: results.json, in /autograder/results.

A run that could not be graded leaves no file: then the platform says that the
autograder failed, and gives no score. Points of a bonus exceed the full ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grader.reports.data import RunData
from grader.reports.platforms.told import (
    Export,
    checks,
    explained,
    name,
    overview,
    passed,
)
from grader.verdict.model import CheckResult, Verdict


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    return Export() if fault else Export(results(run))


def results(run: RunData, note: str = "") -> str:
    """The file. note: the first line that is shown, of a run that is not finished."""
    shown = f"{note}\n\n{overview(run)}" if note else overview(run)
    data = {
        "score": run.points,
        "output": shown,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(verdict, check) for verdict, check in checks(run)],
        "extra_data": {
            "schema": "ringlab/gradescope/1",
            "seed": run.seed,
            "sandbox": sorted({stage.verdict.sandbox for stage in run.stages}),
            "finished": not note,
        },
    }
    return json.dumps(data, indent=2) + "\n"


def _test(verdict: Verdict, check: CheckResult) -> dict[str, Any]:
    return {
        "number": check.task,
        "name": name(verdict, check),
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if passed(check) else "failed",
        "output": explained(check),
        "output_format": "text",
        "visibility": "visible",
    }
