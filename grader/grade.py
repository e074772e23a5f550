# SPDX-License-Identifier: MIT
"""`grader grade`: pytest in this process, quiet, and the report of what it found."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.errors import OperatorError, hush
from grader.grading import Follow, Grading
from grader.settings import OUT, ROOT
from grader.verdict import write


def grade(options: Mapping[str, Any], follow: Follow | None = None) -> int:
    """Grade, report, and return the exit status; what is the operator's is raised.

    follow: is told after each check what has been judged so far.
    """
    seed = ""
    try:
        portraits = not options.get("verdicts_only")
        grading = Grading(options, portraits=portraits, follow=follow)
        seed = grading.seed_text()
        return _graded(grading, reports=not options.get("verdicts_only"))
    except OperatorError as error:
        if seed:
            print(f"SEED={seed}", file=sys.stderr)
        _note(options, seed, str(error))
        raise


def _note(options: Mapping[str, Any], seed: str, error: str) -> None:
    """Leave the operator's error in OUT too, where a machine looks for it."""
    out = Path(options.get("out") or ROOT / OUT)
    try:
        write.write_summary(out, [], status=2, seed=seed, error=error)
    except OSError:
        pass


def _graded(grading: Grading, reports: bool) -> int:
    from grader.tools import require

    settings = grading.settings
    require(settings.arches)
    grading.open_out()
    try:
        grading.anticipate()
        # Imported while the first boots run.
        from grader.session import run_checks

        error = run_checks(grading)
    finally:
        grading.close()
    if grading.fault or error:
        raise OperatorError(grading.fault or error, "")
    from grader.reports import terminal

    page = None
    if reports:
        from grader.reports.write import write_reports

        page = write_reports(settings.out)
    try:
        out = terminal.console()
        terminal.report(grading.verdicts, grading.seed_text(), out, settings.located)
        if page:
            out.print(f"report: {page}", style="dim", soft_wrap=True)
        sys.stdout.flush()
    except BrokenPipeError:
        hush()
    return grading.status()
