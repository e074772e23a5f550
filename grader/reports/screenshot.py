# SPDX-License-Identifier: MIT
"""The VGA screen as a picture (SVG), for platforms that show one beside a case."""

from __future__ import annotations

from itertools import groupby
from xml.sax.saxutils import escape

from grader.evidence.screen import COLUMNS, ROWS

WIDE, HIGH = 9, 16  # a cell
# The sixteen colours that the BIOS leaves in the palette.
COLOURS = (
    *("#000000", "#0000aa", "#00aa00", "#00aaaa", "#aa0000", "#aa00aa", "#aa5500"),
    *("#aaaaaa", "#555555", "#5555ff", "#55ff55", "#55ffff", "#ff5555", "#ff55ff"),
    *("#ffff55", "#ffffff"),
)
# What a VGA shows for the codes that Python takes for control characters.
GLYPHS = {
    0: " ",
    0x7F: "⌂",
    **dict(enumerate("☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼", 1)),
}


def screenshot(cells: bytes) -> str:
    """The picture of the cells at 0xb8000; equal bytes give an equal picture."""
    parts: list[str] = []
    for at in range(0, len(cells), 2 * COLUMNS):
        parts += _row(cells[at : at + 2 * COLUMNS], HIGH * (at // (2 * COLUMNS)))
    width, height = COLUMNS * WIDE, ROWS * HIGH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="monospace" font-size="14">\n'
        f'<rect width="{width}" height="{height}" fill="{COLOURS[0]}"/>\n'
        + "".join(parts)
        + "</svg>\n"
    )


def _row(row: bytes, y: int) -> list[str]:
    """The runs of one colour of a row, blanks on black left out."""
    text = row[::2].decode("cp437").translate(GLYPHS)
    parts, first = [], 0
    for attribute, run in groupby(row[1::2]):
        count = len(list(run))
        shown = text[first : first + count]
        x, width = first * WIDE, count * WIDE
        first += count
        back = attribute >> 4 & 7
        if back:
            box = f'<rect x="{x}" y="{y}" width="{width}" height="{HIGH}"'
            parts.append(f'{box} fill="{COLOURS[back]}"/>\n')
        if shown.strip():
            parts.append(
                f'<text x="{x}" y="{y + 12}" textLength="{width}" xml:space="preserve" '
                f'fill="{COLOURS[attribute & 15]}">{escape(shown)}</text>\n'
            )
    return parts
