# SPDX-License-Identifier: MIT
"""How far a class run is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task
from rich.progress import TextColumn, TimeRemainingColumn
from rich.text import Text

LINE_S = 30.0  # between two lines (wall)
RECENT_S = 60.0  # of work that the rate is told from


class Told(Protocol):
    """Whoever works says so: another item is done."""

    def __call__(self) -> None:
        ...


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:.1f}/s")


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Told]:
    """what: a verb in -ing; total: how many there are to do."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(what, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, speed_estimate_period=RECENT_S
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


class _Lines:
    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.began = self.last = time.monotonic()

    def __call__(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.last < LINE_S and self.done < self.total:
            return
        self.last = now
        rate = self.done / max(now - self.began, 1e-3)
        left = (self.total - self.done) / rate
        line = f"{self.what}: {self.done}/{self.total}, {rate:.1f}/s"
        print(f"{line}, {_time(left)} left" if left else line, flush=True)


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
