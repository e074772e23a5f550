# SPDX-License-Identifier: MIT
"""Writes every report of a run, from what the run left in OUT and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from grader.reports import junit, markdown, page
from grader.reports.data import RunData, load, seen_by_student
from grader.verdict.write import HTML, JUNIT, MARKDOWN, write_text

STUDENT = "student"


def write_reports(out: Path, student: date | None = None) -> Path:
    """Write OUT/report.html, report.md and junit.xml; returns the first.

    student: write what students may see on that day, to OUT/student. Raises
    OperatorError if OUT holds no finished run.
    """
    run = load(out)
    if student:
        run, out = seen_by_student(run, student), out / STUDENT
    renders: dict[str, Callable[[RunData], str]] = {
        MARKDOWN: markdown.render,
        JUNIT: junit.render,
        HTML: page.render,
    }
    for name, render in renders.items():
        write_text(out / name, render(run))
    return out / HTML
