# SPDX-License-Identifier: MIT
"""A thing laid open for the student: a table of plain text, its wrong rows marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping

KINDS = (
    "descriptor",
    "gate",
    "tss",
    "selector",
    "walk",
    "frame",
    "chain",
    "code",
    "map",
)
# What a table entry is shown as: one row a field.
FIELD_COLUMNS = ("field", "bits", "value", "meaning", "should be")


@dataclass(frozen=True)
class Row:
    """One line, a cell for each column. differs: it is not as it should be."""

    cells: tuple[str, ...]
    differs: bool = False


@dataclass(frozen=True)
class Exhibit:
    """A descriptor, a gate, a walk, a frame, a chain of faults, or a map of pages.

    kind: what it shows, one of KINDS, for reports that treat one apart. title: what it
    is and where it stands. note: a sentence about the whole, or "".
    """

    kind: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""

    def map(self, change: Callable[[str], str]) -> Exhibit:
        """The same with every text changed."""
        return Exhibit(
            self.kind,
            change(self.title),
            tuple(change(name) for name in self.columns),
            tuple(
                Row(tuple(change(cell) for cell in row.cells), row.differs)
                for row in self.rows
            ),
            change(self.note),
        )

    def lines(self) -> list[str]:
        """As plain lines of text, a wrong row with a mark in front."""
        shown = [self.title, "  " + " | ".join(self.columns)]
        shown += [
            ("! " if row.differs else "  ") + " | ".join(row.cells) for row in self.rows
        ]
        return shown + ([self.note] if self.note else [])

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exhibit:
        rows = tuple(Row(tuple(row["cells"]), row["differs"]) for row in data["rows"])
        return cls(
            data["kind"], data["title"], tuple(data["columns"]), rows, data["note"]
        )
