# SPDX-License-Identifier: MIT
"""One measurement, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement; `unit` is ms, KiB or instructions.

    most: the budget, or of instructions what was recorded (0: none). floor: what the
    same takes where nothing is done (0: none).
    """

    name: str
    value: float
    unit: str
    most: float = 0.0
    floor: float = 0.0

    @property
    def ratio(self) -> float:
        """How many times the floor; 0 where that means nothing."""
        return self.value / self.floor if self.floor else 0.0


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    from rich.table import Table

    from grader.reports.terminal import console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("what (medians)")
    for column in ("figure", "at most", "× floor"):
        table.add_column(column, justify="right")
    for f in figures:
        budget = f"{f.most:.0f}" if f.most else ""
        ratio = f"{f.ratio:.1f}" if f.ratio else ""
        table.add_row(f.name, f"{f.value:.0f} {f.unit}", budget, ratio)
    console().print(table)
