# SPDX-License-Identifier: MIT
"""The timeline of rings as inline SVG: stacks from top to bottom, records to the right.

Colours come from the page's style sheet, by class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

GUTTER, PLOT, RIGHT = 150, 800, 26  # left of the columns, for them, right of them
ROW, GAP, BAND = 26, 9, 12  # a lane, between lanes, the line of a ring
TOP = 8
STRIP = 512  # the bar of an area
NARROWEST = 340  # picture
WIDEST = 44  # a column of a run with few records
DENSE = 4  # narrower columns have no room for a tick each
LABELLED = 34  # a column at least so wide has room for a word
Runs = Iterable[Sequence[int]]


def timeline(data: Mapping[str, Any]) -> str:
    """One picture. data: a Timeline of grader.evidence.timeline, as JSON."""
    columns = max(1, int(data["columns"]))
    step = min(WIDEST, PLOT / columns)
    across = step * columns
    y = TOP
    parts: list[str] = []
    for ring, runs in sorted(data["rings"].items(), reverse=True):
        parts.append(_text(8, y + BAND - 2, f"ring {ring}", "name"))
        parts.append(_bars(runs, step, y, BAND, f"ring{int(ring)}"))
        y += BAND + 3
    y += GAP
    for lane in data["lanes"]:
        parts.append(_lane(lane, step, y, across))
        y += ROW + GAP
    if data["end"]:
        x = _n(GUTTER + across + 5)
        parts.append(f'<path class="end" d="M{x} {TOP}V{y}"/>')
        parts.append(_text(GUTTER + across - 1, y + 11, f"{data['end']} ", "last"))
    first = int(data["first"])
    last = first + int(data["records"]) - 1
    parts.append(_text(GUTTER, y + 11, str(first), "axis"))
    if last > first and not data["end"]:
        parts.append(_text(GUTTER + across, y + 11, str(last), "last"))
    width, height = _n(max(NARROWEST, GUTTER + across + RIGHT)), y + 18
    return (
        f'<svg class="timeline" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(_label(data))}">'
        + "".join(parts)
        + "</svg>"
    )


def strip(pages: int, parts: Runs) -> str:
    """A bar for an area of so many pages, with the parts filled that are there."""
    scale = STRIP / max(1, pages)
    d = "".join(
        f"M{_n(first * scale)} 1h{_n(max(1, count * scale))}v{BAND}"
        f"h-{_n(max(1, count * scale))}z"
        for first, count in parts
    )
    width, height = STRIP + 2, BAND + 2
    return (
        f'<svg class="strip" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" aria-hidden="true"><path class="rail" '
        f'd="M0 1h{STRIP + 1}v{BAND}h-{STRIP + 1}z"/>'
        f'<path class="ring3" d="{d}"/></svg>'
    )


def _label(data: Mapping[str, Any]) -> str:
    stacks = len(data["lanes"])
    text = f"Timeline of {data['records']} records on {stacks} stacks"
    return f"{text}, ending in a {data['end']}" if data["end"] else text


def _lane(lane: Mapping[str, Any], step: float, y: int, across: float) -> str:
    ring = int(lane["ring"])
    landed = lane["landed"].split(", ")[0] if lane["landed"] else ""
    under = f"ring {ring}" + (f" → {landed}" if landed else "")
    middle = y + ROW / 2
    parts = [
        _text(8, y + 11, f"{lane['stack']:#x}", "name"),
        _text(8, y + 23, under, "axis"),
        f'<path class="rail" d="M{GUTTER} {_n(middle)}h{_n(across)}"/>',
        _bars(lane["spans"], step, y + 5, ROW - 10, f"ring{ring}"),
    ]
    ticks = "".join(
        f"M{_n(GUTTER + (column + 0.5) * step)} {y + 2}v{ROW - 4}"
        for first, count in lane["ticks"]
        for column in range(first, first + count)
    )
    if ticks and step >= DENSE:
        parts.append(f'<path class="tick" d="{ticks}"/>')
    parts += [_mark(mark, step, y) for mark in lane["marks"]]
    return "".join(parts)


def _mark(mark: Mapping[str, Any], step: float, y: int) -> str:
    """A triangle for a fault, a diamond for a call; the words come on hovering."""
    x = GUTTER + (mark["column"] + 0.5) * step
    half = 4.5 if step >= 6 else 3
    middle = y + ROW / 2
    if mark["kind"] == "fault":
        d = f"M{_n(x)} {y + 4}l{half} {ROW - 8}h-{2 * half}z"
    else:
        d = f"M{_n(x)} {_n(middle - half)}l{half} {half}l-{half} {half}"
        d += f"l-{half} -{half}z"
    title = f"<title>{escape(mark['text'])}</title>" if mark["text"] else ""
    kind = "fault" if mark["kind"] == "fault" else "call"
    shape = f'<path class="{kind}" d="{d}">{title}</path>'
    if step >= LABELLED and mark["label"]:
        shape += _text(x, y + ROW + 5, mark["label"], "word")
    return shape


def _bars(runs: Runs, step: float, y: int, height: int, style: str) -> str:
    d = "".join(
        f"M{_n(GUTTER + first * step)} {y}h{_n(count * step)}v{height}"
        f"h-{_n(count * step)}z"
        for first, count in runs
    )
    return f'<path class="{style}" d="{d}"/>'


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" class="{style}">{escape(text)}</text>'


def _n(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
