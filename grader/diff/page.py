# SPDX-License-Identifier: MIT
"""Comparisons as HTML: one file each, without scripts or anything from elsewhere.

Every text is escaped by the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader import reports
from grader.course import Stage
from grader.diff.compare import Comparison
from grader.diff.overview import Entry, grids
from grader.diff.rows import hunks
from grader.reports.page import CSP
from grader.reports.page import STYLE as REPORT_STYLE

HERE = Path(__file__).parent
STYLES = (Path(reports.__file__).with_name(REPORT_STYLE), HERE / "diff.css")
ROWS = 1000
STRANGERS = 400


@cache
def environment(*places: Path) -> Environment:
    """The templates and style sheets of comparisons, and those of these folders."""
    made = Environment(
        loader=FileSystemLoader([*places, HERE]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    files = [*STYLES, *(file for place in places for file in place.glob("*.css"))]
    style = "\n".join(file.read_text(encoding="utf-8") for file in files)
    made.globals.update(csp=CSP, style=Markup(style), hunks=hunks)
    return made


def render(found: Comparison, home: str = "") -> str:
    """One submission; home: the page to go back to."""
    template = environment().get_template("submission.html.j2")
    return template.render(
        found=found, home=home, most=ROWS, strangers=found.strangers[:STRANGERS]
    )


def render_all(stages: Sequence[Stage], entries: Sequence[Entry], name: str) -> str:
    """The overview of the submissions in folder `name`."""
    template = environment().get_template("overview.html.j2")
    return template.render(grids=[*grids(stages, entries)], entries=entries, name=name)
