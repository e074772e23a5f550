# SPDX-License-Identifier: MIT
"""What learning platforms take of a finished run: one module each, pure functions.

Each gives away only what the students may see, since its readers are they.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import cast

from grader.errors import OperatorError
from grader.reports.data import RunData, load, seen_by_student
from grader.reports.platforms.told import Export, fault
from grader.verdict.write import JUNIT, write_text

# The name of each platform's file; "" if it reads the standard output alone.
PLATFORMS = {
    "artemis": JUNIT,
    "autolab": "",
    "classroom50": "result.json",
    "codegrade": JUNIT,
    "gradescope": "results.json",
    "prairielearn": "results.json",
    "submitty": "validation_results.json",
    "vpl": "",
}


def render(
    platform: str, run: RunData, today: date, given: Mapping[str, str]
) -> tuple[Export, str]:
    """What the platform takes, and why there is no mark in it ("": there is one).

    given: the environment, where some platforms say whom they grade.
    """
    if platform not in PLATFORMS:
        mend = f"choose --to from {', '.join(PLATFORMS)}"
        raise OperatorError(f"there is no platform {platform!r}", mend)
    module = importlib.import_module(f"{__name__}.{platform}")
    shown = seen_by_student(run, today)
    why = fault(shown)
    return cast(Export, module.export(shown, why, given)), why


def export(platform: str, out: Path, file: Path | None, today: date) -> int:
    """Write what the platform takes of the run in `out`; returns the exit status.

    file: where its file goes; None: OUT/<platform>/<its name>. 0: there is a mark in
    it; 2: the run could not be graded, which no platform gets as a zero if it knows
    another way. Raises OperatorError if `out` holds no finished run.
    """
    made, why = render(platform, load(out), today, os.environ)
    place = file or out / platform / PLATFORMS[platform]
    if made.file:
        write_text(place, made.file)
    elif PLATFORMS[platform]:
        place.unlink(missing_ok=True)
    sys.stdout.write(made.said)
    if why:
        print(f"grader: not graded: {' '.join(why.split())}", file=sys.stderr)
    return 2 if why else 0
