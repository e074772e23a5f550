# SPDX-License-Identifier: MIT
"""Writes every report of a run, from what the run left in OUT and nothing else."""

from __future__ import annotations

from pathlib import Path

from grader.reports import junit, markdown, page
from grader.reports.data import load
from grader.verdict.write import HTML, JUNIT, MARKDOWN, write_text


def write_reports(out: Path) -> Path:
    """Write OUT/report.html, report.md and junit.xml; returns the first.

    Raises OperatorError if OUT holds no finished run.
    """
    run = load(out)
    for name, render in (
        (MARKDOWN, markdown.render),
        (JUNIT, junit.render),
        (HTML, page.render),
    ):
        write_text(out / name, render(run))
    return out / HTML
