# SPDX-License-Identifier: MIT
"""The verdicts as a student reads them on the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any, cast

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.evidence.exhibit import FIELD_COLUMNS, Exhibit
from grader.verdict.model import BuildMessage, CheckResult, Status, Verdict

MARKS = {
    Status.PASS: ("✓", "green"),
    Status.FAIL: ("✗", "red"),
    Status.BLOCKED: ("–", "yellow"),
    Status.NOT_IMPLEMENTED: ("○", "yellow"),
    Status.BUILD_ERROR: ("✗", "red"),
    Status.HARNESS_ERROR: ("!", "magenta"),
}
MESSAGES_SHOWN = 20
EXHIBITS_SHOWN = 3
WIDTH = 100
COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)

# (text, stage) -> the text with its gap files as they are opened from here.
Located = Callable[[str, str], str]


class _Console(Console):
    """Newer rich ends the process with status 1 when the reader has gone away."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class _Disarmed:
    """A stream on which no line begins with "::", which CI systems would obey: a
    submission's text may be wrapped in front of it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(COMMAND.sub(r"\1: :", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(file: IO[str] | None = None) -> Console:
    """A console for `file`; wide enough for sentences, never wider than a page."""
    stream = cast(IO[str], _Disarmed(file or sys.stdout))
    made = _Console(file=stream, highlight=False, markup=False, emoji=False)
    made.width = min(made.width, WIDTH) if made.is_terminal else WIDTH
    return made


def report(
    verdicts: Sequence[Verdict],
    seed: str,
    out: Console,
    located: Located = lambda text, _: text,
) -> None:
    """Print every verdict, then the total; the seed always."""
    for verdict in verdicts:
        _verdict(verdict, out, located)
    if len(verdicts) > 1:
        _total(verdicts, out)
    out.print(Text(f"SEED={seed}", "dim"))


def _verdict(verdict: Verdict, out: Console, located: Located) -> None:
    style = "bold green" if verdict.status is Status.PASS else "bold"
    head = Table.grid(expand=True)
    head.add_column(ratio=1)
    head.add_column(justify="right", no_wrap=True)
    title = Text(f"{verdict.stage}  {verdict.arch}  {verdict.title}", style)
    head.add_row(title, Text(_points(verdict), style))
    out.print(head)
    if verdict.messages:
        _messages(verdict, out, located)
    told: set[str] = set()
    for result in verdict.checks:
        _check(result, verdict, told, out)
    good = all(result.status is Status.PASS for result in verdict.checks)
    if not good and verdict.status is not Status.HARNESS_ERROR:
        out.print(_indented(Text(f"again: {verdict.command}", "cyan"), 2))
    out.print()


def _points(verdict: Verdict) -> str:
    """ "57/57 points, and 10 bonus"."""
    most = verdict.max_points
    text = f"{verdict.counted}/{most} point{'' if most == 1 else 's'}"
    return text + extra(verdict.bonus)


def extra(bonus: int) -> str:
    """What stands behind points when a bonus was earned: ", and 10 bonus"."""
    return f", and {bonus} bonus" if bonus else ""


def _check(result: CheckResult, verdict: Verdict, told: set[str], out: Console) -> None:
    mark, style = MARKS[result.status]
    row = Table.grid(expand=True, padding=(0, 1, 0, 0))
    row.add_column(width=2, justify="right")
    row.add_column(width=5)
    row.add_column(ratio=1)
    row.add_column(justify="right", no_wrap=True)
    tail = f"{result.points}/{result.max_points}"
    if result.bonus:
        tail = f"bonus {tail}"
    if result.staff:
        tail = f"staff {tail}"
    if result.status is Status.BUILD_ERROR:
        tail = f"not built {tail}"
    title = Text.assemble((f"{result.id}: ", "dim"), result.title)
    row.add_row(Text(mark, style), result.task, title, Text(tail, style))
    out.print(row)
    if result.status is Status.PASS:
        return
    if result.status is Status.BUILD_ERROR and verdict.messages:
        return
    if result.status is Status.BLOCKED:
        out.print(_indented(Text(f"blocked by {result.blocked_by}", style), 9))
        return
    text = result.mistake()
    if text in told:
        out.print(_indented(Text(f"{result.status.value}, as above", style), 9))
        return
    told.add(text)
    told_rows: list[tuple[str, str | Text]] = [*result.told()]
    if result.status is not Status.FAIL:
        told_rows.insert(0, ("status", Text(result.status.value, style)))
    explanation(told_rows, result.exhibits, out, 9)


def explanation(
    rows: Sequence[tuple[str, str | Text]],
    exhibits: Sequence[Exhibit],
    out: Console,
    columns: int,
) -> None:
    """Texts with their names, then the exhibits that tell most, so far indented."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, Text(text) if isinstance(text, str) else text)
    out.print(_indented(grid, columns))
    for exhibit in _telling(exhibits):
        out.print(_indented(_laid_open(exhibit), columns))


def _telling(exhibits: Sequence[Exhibit]) -> list[Exhibit]:
    """Those that fit a terminal: chains, and entries with something wrong in them."""
    shown = [
        exhibit
        for exhibit in exhibits
        if exhibit.kind == "chain"
        or exhibit.kind != "code"
        and any(row.differs for row in exhibit.rows)
    ]
    return shown[:EXHIBITS_SHOWN]


def _laid_open(exhibit: Exhibit) -> Table:
    """The exhibit as a table; of an entry's fields only those that are wrong."""
    table = Table(
        box=None, padding=(0, 1, 0, 0), header_style="dim", title_justify="left"
    )
    table.title = Text(exhibit.title, "bold")
    fields = exhibit.columns == FIELD_COLUMNS
    for column in ("", *exhibit.columns):
        table.add_column(Text(column), overflow="fold")
    for row in exhibit.rows:
        if row.differs or not fields:
            mark, style = MARKS[Status.FAIL] if row.differs else ("", "")
            table.add_row(*(Text(cell, style) for cell in (mark, *row.cells)))
    if exhibit.note and not fields:
        table.caption = Text(exhibit.note, "dim")
        table.caption_justify = "left"
    return table


def _messages(verdict: Verdict, out: Console, located: Located) -> None:
    """The compiler's own words, errors first, at the student's file and line."""
    ordered = sorted(verdict.messages, key=lambda m: m.severity != "error")
    for message in ordered[:MESSAGES_SHOWN]:
        place = located(message.file, verdict.stage)
        out.print(_indented(_message(message, place), 2))
    hidden = len(ordered) - MESSAGES_SHOWN
    if hidden > 0:
        out.print(_indented(Text(f"… and {hidden} more messages", "dim"), 2))


def _message(message: BuildMessage, place: str) -> Text:
    if message.line:
        place += f":{message.line}"
        if message.column:
            place += f":{message.column}"
    style = "red" if message.severity == "error" else "yellow"
    return Text.assemble(
        (place, "bold"), ": ", (f"{message.severity}: ", style), message.text
    )


def _total(verdicts: Sequence[Verdict], out: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("stage")
    table.add_column("arch")
    table.add_column("status")
    table.add_column("points", justify="right")
    for v in verdicts:
        style = MARKS[v.status][1]
        each = f"{v.counted}/{v.max_points}{extra(v.bonus)}"
        table.add_row(v.stage, v.arch, Text(v.status.value, style), each)
    counted = sum(v.counted for v in verdicts)
    most = sum(v.max_points for v in verdicts)
    bonus = sum(v.bonus for v in verdicts)
    text = f"{counted}/{most}{extra(bonus)}"
    table.add_row(Text("total", "bold"), "", "", Text(text, "bold"))
    out.print(table)


def _indented(what: RenderableType, columns: int) -> Padding:
    return Padding(what, (0, 0, 0, columns))
