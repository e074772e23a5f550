# SPDX-License-Identifier: MIT
"""The HTML report: one file without scripts, fonts or pictures from elsewhere.

Every text is escaped by the template; what is marked as safe are the drawings of
grader.reports.svg, which escape theirs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup

from grader.evidence.exhibit import Exhibit
from grader.evidence.screen import COLUMNS
from grader.reports import address_map, svg
from grader.reports.data import LOST, BootData, RunData, StageData
from grader.reports.screenshot import GLYPHS
from grader.reports.terminal import MARKS, extra
from grader.verdict.model import CheckResult, Status

HERE = Path(__file__).parent
PLAIN = ("chain", "code", "frame")  # exhibits that tell something without a mistake
TEMPLATE, STYLE = "page.html.j2", "page.css"
CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


@functools.lru_cache(maxsize=1)
def template() -> Template:
    """The page's template, compiled once a process with all that it includes."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["spaces"] = address_map.spaces
    environment.filters["process"] = address_map.process
    environment.filters["timeline"] = lambda data: Markup(svg.timeline(data))
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)
    return environment.get_template(TEMPLATE)


def render(run: RunData) -> str:
    """The report of a run; equal data give equal bytes."""
    return template().render(
        run=run,
        csp=CSP,
        style=Markup((HERE / STYLE).read_text(encoding="utf-8")),
        arches=list(dict.fromkeys(s.verdict.arch for s in run.stages)),
        overview=_overview(run),
        extra=extra,
        mark=lambda status: MARKS[status][0],
        slug=lambda status: status.value.replace(" ", "-"),
        groups=_groups,
        telling=_telling,
        boots=_boots,
        cells=_cells,
        counts=_counts,
        Status=Status,
    )


def _overview(run: RunData) -> list[tuple[str, str, dict[str, StageData]]]:
    """A row a stage: id, title, and the verdicts by architecture."""
    rows: dict[str, tuple[str, str, dict[str, StageData]]] = {}
    for stage in run.stages:
        verdict = stage.verdict
        row = rows.setdefault(verdict.stage, (verdict.stage, verdict.title, {}))
        row[2][verdict.arch] = stage
    return [rows[name] for name in sorted(rows)]


def _groups(stage: StageData) -> dict[str, list[CheckResult]]:
    """The checks as they are read: what failed, what says the same as one of these,
    what that blocks, what passed."""
    found: dict[str, list[CheckResult]]
    found = {"failed": [], "alike": [], "waiting": [], "passed": []}
    said: set[str] = set()
    for check in stage.verdict.checks:
        if check.status in LOST:
            alike = check.mistake() in said
            found["alike" if alike else "failed"].append(check)
            said.add(check.mistake())
        elif check.status is Status.PASS:
            found["passed"].append(check)
        else:
            found["waiting"].append(check)
    return found


def _telling(check: CheckResult) -> tuple[list[Exhibit], list[Exhibit]]:
    """The exhibits that show a mistake or how it went on, and the others."""
    shown: tuple[list[Exhibit], list[Exhibit]] = [], []
    for exhibit in check.exhibits:
        wrong = any(row.differs for row in exhibit.rows)
        shown[not wrong and exhibit.kind not in PLAIN].append(exhibit)
    return shown


def _boots(stage: StageData) -> list[tuple[BootData, bool]]:
    """The boots of a stage, and whether each is open from the start.

    Open is the one that shows most; if checks failed, of those that they read.
    """
    boots = stage.boots
    if not boots:
        return []
    chosen = max([boot for boot in boots if boot.troubled] or boots, key=_shows)
    return [(boot, boot is chosen) for boot in boots]


def _shows(boot: BootData) -> tuple[int, int, bool]:
    whole = boot.portrait.get("timelines", ({"lanes": (), "records": 0},))[0]
    return len(whole["lanes"]), whole["records"], bool(boot.screen)


def _cells(screen: bytes) -> Iterator[list[tuple[str, str]]]:
    """The rows of the screen as runs of one colour: CSS classes and text."""
    for at in range(0, len(screen), 2 * COLUMNS):
        row = screen[at : at + 2 * COLUMNS]
        text = row[::2].decode("cp437").translate(GLYPHS)
        runs, first = [], 0
        for attribute, run in groupby(row[1::2]):
            last = first + len(list(run))
            style = f"f{attribute & 15} b{attribute >> 4 & 7}"
            runs.append((style, text[first:last]))
            first = last
        yield runs


def _counts(boot: BootData) -> list[str]:
    """What the log holds, in words: "12 × IRQ 0x20 in ring 3"."""
    whole = boot.portrait.get("timelines", ({"counts": ()},))[0]
    every = whole["counts"]
    shown = [f"{count} × {what} in ring {ring}" for what, ring, count in every[:8]]
    return shown + ([f"{len(every) - 8} other kinds"] if len(every) > 8 else [])
