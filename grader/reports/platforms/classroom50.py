# SPDX-License-Identifier: MIT
"""Classroom 50: result.json in the student's checkout, schema classroom50/result/v1.

A run that could not be graded leaves no file and a status that is not 0: the platform
then records an error, with no test and no score. Its score may not exceed the full one,
so a bonus only fills gaps; each bonus check still stands there with its points.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from grader.errors import OperatorError
from grader.reports.data import RunData
from grader.reports.platforms.told import Export, checks, explained, name, passed
from grader.verdict.model import CheckResult, Verdict

# Whom and what the runner grades: our key, its variable.
IDENTITY = (
    ("classroom", "CLASSROOM"),
    ("assignment", "ASSIGNMENT"),
    ("assignment_type", "ASSIGNMENT_TYPE"),
    ("owner", "OWNER"),
    ("submission", "SUBMISSION_TAG"),
    ("commit", "COMMIT_URL"),
    ("release", "RELEASE_URL"),
    ("review", "REVIEW_URL"),
)
TAG = re.compile(r"submit/(\d{4}-\d\d-\d\dT\d\d)[:-](\d\d)[:-](\d\d)Z-\w+")


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    if fault:
        return Export()
    identity = {key: _variable(given, variable) for key, variable in IDENTITY}
    data = {
        "schema": "classroom50/result/v1",
        **identity,
        "datetime": _datetime(identity["submission"]),
        "score": min(run.points, run.max_points),
        "max-score": run.max_points,
        "tests": [_test(verdict, check) for verdict, check in checks(run)],
    }
    return Export(json.dumps(data, indent=2) + "\n")


def _variable(given: Mapping[str, str], variable: str) -> str:
    others = {"REVIEW_URL": "COMMIT_URL", "OWNER": "USERNAME"}
    default = "individual" if variable == "ASSIGNMENT_TYPE" else ""
    found = given.get(variable) or given.get(others.get(variable, "")) or default
    if not found:
        raise OperatorError(
            f"the variable {variable} is not set",
            "export to classroom50 in a step of its runner, which sets it",
        )
    return found


def _datetime(tag: str) -> str:
    """When it was handed in, as the tag says: the same however often it is graded."""
    found = TAG.fullmatch(tag)
    if not found:
        raise OperatorError(
            f"SUBMISSION_TAG={tag} holds no time", "give submit/<UTC time>-<commit>"
        )
    return f"{found[1]}:{found[2]}:{found[3]}Z"


def _test(verdict: Verdict, check: CheckResult) -> dict[str, Any]:
    return {
        "test-name": name(verdict, check),
        "passed": passed(check),
        "score": check.points,
        "max-score": check.max_points,
        "output": explained(check),
    }
