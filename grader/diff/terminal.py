# SPDX-License-Identifier: MIT
"""Comparisons on the terminal; where there is none, the same text without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.course import Stage
from grader.diff.compare import Comparison, Part, StageDiff, State
from grader.diff.overview import Entry, grids
from grader.diff.rows import Kind, Row, Side, hunks

STYLES = {
    State.MISSING: "bold red",
    State.HANDOUT: "dim",
    State.OPEN: "yellow",
    State.CHANGED: "cyan",
    State.SOLUTION: "green",
}
STRANGERS = "Changed, but not theirs to change; the grader uses its own:"
SHOWN = 40
ROWS = 400


def show(found: Comparison, out: Console) -> None:
    """One submission in full."""
    if found.strangers:
        out.print(Text(STRANGERS, "bold red"))
        for kind, path in found.strangers[:SHOWN]:
            _line(out, 2, Text(f"{kind:8} {path}"))
        if len(found.strangers) > SHOWN:
            _line(out, 2, Text(f"… and {len(found.strangers) - SHOWN} more"))
        out.print()
    for stage in found.stages:
        _stage(stage, out)


def _stage(found: StageDiff, out: Console) -> None:
    out.print(Text(f"{found.stage.id}  {found.stage.title}", "bold"))
    for note in found.notes:
        _line(out, 2, Text(note, "red"))
    width = max(len(task.task.title) for task in found.tasks)
    for task in found.tasks:
        text = Text(f"{task.task.id:5} {task.task.title:{width}}  ")
        _line(out, 2, text.append(task.state.value, STYLES[task.state]))
    out.print()
    for task in found.tasks:
        for part in task.parts:
            # Why a task is open, though some of its gaps are done.
            odd = part.counts and part.state is not task.state
            if odd or part.views or part.folded:
                _part(part, out)
    for part in found.outside:
        if part.views or part.folded:
            _part(part, out)


def _part(part: Part, out: Console) -> None:
    where = f"{part.file}:{part.line}" if part.line else part.file
    head = Text.assemble((part.task or "in no gap", "bold"), f"  {where}  ")
    head.append(part.state.value, STYLES[part.state])
    _line(out, 2, head)
    for title, rows in part.views:
        _line(out, 4, Text(title, "bold"))
        lines = [line for hunk in hunks(rows) for line in (*_hunk(hunk), Text("…"))]
        for line in lines[: min(ROWS, len(lines) - 1)]:
            _line(out, 6, line)
        if len(lines) > ROWS:
            _line(out, 6, Text(f"… and {len(lines) - ROWS} more lines"))
        if not lines:
            _line(out, 6, Text("no difference", "dim"))
    if part.folded:
        _line(out, 4, Text(part.folded, "dim"))
    out.print()


def _hunk(rows: Sequence[Row]) -> Iterator[Text]:
    """First what goes, then what comes, for every run of changed rows."""
    for changed, run in groupby(rows, lambda row: row.kind is Kind.CHANGED):
        some = [*run]
        if changed:
            yield from (_side("- ", r.left, "red") for r in some if r.left)
            yield from (_side("+ ", r.right, "green") for r in some if r.right)
        else:
            yield from (_side("  ", r.right or r.left, "dim") for r in some)


def _side(sign: str, side: Side | None, style: str) -> Text:
    made = Text(sign, style)
    for text, differs in side.words if side else ():
        made.append(text, f"{style} reverse" if differs else style)
    return made


def _line(out: Console, indent: int, text: Text) -> None:
    """As long as it is: lines of code are not broken."""
    shown = Text.assemble(" " * indent, text)
    shown.rstrip()
    out.print(shown, soft_wrap=True)


def show_all(stages: Sequence[Stage], entries: Sequence[Entry], out: Console) -> None:
    """The overview of many submissions; what could not be read is named last."""
    for grid in grids(stages, entries):
        table = Table(box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
        table.title = Text(f"{grid.stage.id}  {grid.stage.title}", "bold")
        table.add_column("submission", overflow="fold")
        for task in grid.stage.tasks:
            table.add_column(task.id, no_wrap=True)
        table.add_column("not theirs", justify="right")
        for line in grid.lines:
            states = [Text(s.value, STYLES[s]) for s in line.states]
            none = [Text("–", "dim")] * len(grid.stage.tasks)
            alien = Text(str(line.strangers), "bold red" if line.strangers else "dim")
            table.add_row(Text(line.entry.name), *(states or none), alien)
        out.print(table)
    for entry in entries:
        if entry.comparison is None:
            _line(out, 0, Text(entry.why, "red"))
