# SPDX-License-Identifier: MIT
"""Autolab: two lines of JSON, the last of the output, which hold the scores.

The assessment has one problem, PROBLEM. Autolab makes a zero of a last line that it
cannot read, but leaves a problem ungraded whose score is null. The texts stand above,
where Autolab shows the output as it is; its table of tests gets no text that a student
wrote. Points of a bonus exceed the full ones.
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
    name,
    overview,
    passed,
)

PROBLEM = "ringlab"


def export(run: RunData, fault: str, given: Mapping[str, str]) -> Export:
    if fault:
        return Export(said=f"{NOT_GRADED}\n{_line({'scores': {PROBLEM: None}})}")
    lines = overview(run).split("\n")
    stages: dict[str, dict[str, dict[str, bool]]] = {}
    for verdict, check in checks(run):
        stage = stages.setdefault(f"{verdict.stage} on {verdict.arch}", {})
        stage[name(verdict, check)] = {"passed": passed(check)}
        if not passed(check):
            lines += ["", name(verdict, check), *explained(check).splitlines()]
    # Indented, no line of a text begins as one of ours does.
    told = "".join(f"  {line}\n" for line in lines)
    table = {"_presentation": "semantic", "stages": [*stages]} | dict(stages)
    return Export(said=told + _line(table) + _line({"scores": {PROBLEM: run.points}}))


def _line(data: Mapping[str, object]) -> str:
    return json.dumps(data) + "\n"
