# SPDX-License-Identifier: MIT
"""The VGA text screen, from the 4,000 bytes at 0xb8000."""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS, ROWS = 80, 25
SCREEN_BYTES = COLUMNS * ROWS * 2


@dataclass(frozen=True)
class Cell:
    """One character cell. code: code page 437; attribute: colours."""

    code: int
    attribute: int

    @property
    def char(self) -> str:
        """The character; 0 shows as a blank."""
        return bytes([self.code]).decode("cp437") if self.code else " "

    @property
    def foreground(self) -> int:
        """Colour 0 to 15."""
        return self.attribute & 0xF

    @property
    def background(self) -> int:
        """Colour 0 to 7."""
        return self.attribute >> 4 & 7


@dataclass(frozen=True)
class Screen:
    """The screen as rows of cells; what the dump lacks is blank."""

    raw: bytes

    def cell(self, row: int, column: int) -> Cell:
        """The cell at a row (0 to 24) and column (0 to 79)."""
        if not (0 <= row < ROWS and 0 <= column < COLUMNS):
            raise IndexError(f"no cell {row}, {column}")
        at = (row * COLUMNS + column) * 2
        pair = self.raw[at : at + 2]
        return Cell(pair[0], pair[1]) if len(pair) == 2 else Cell(0, 0)

    def line(self, row: int) -> str:
        """One row as text, without trailing blanks."""
        return "".join(self.cell(row, c).char for c in range(COLUMNS)).rstrip()

    def lines(self) -> list[str]:
        """All 25 rows as text."""
        return [self.line(row) for row in range(ROWS)]

    def count(self, char: str) -> int:
        """How many cells show a character."""
        code = char.encode("cp437")
        return self.raw[:SCREEN_BYTES:2].count(code)
