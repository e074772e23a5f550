# SPDX-License-Identifier: MIT
"""Words for the drawing of address spaces: what portrait.json holds, fit to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from grader.evidence.paging import PAGE_BYTES
from grader.reports import svg

TOUCHES = 16  # pages that are named
Data = Mapping[str, Any]
_KINDS = {"kernel": "ring 0 only", "open": "ring 3 may use", "user": ""}


def spaces(data: Data) -> dict[str, Any]:
    """What the template draws. data: an AddressMap of grader.evidence, as JSON."""
    rows = list(reversed(data["rows"]))
    shared = sum(any(cell["also"] for cell in row["cells"]) for row in rows)
    return {
        "caption": "Address spaces at the end of the boot, as the CPU would walk them: "
        "in each column the frame at that address, its rights, and how many pages",
        "trees": [tree | {"root": f"{tree['root']:#x}"} for tree in data["trees"]],
        "rows": [_row(row, above) for row, above in zip(rows, [None, *rows])],
        "notes": _notes(data, rows),
        "shared": f"In {shared} of these rows ring 3 sees a frame that another space "
        "shows it, too: what one writes there, the other reads."
        if shared
        else "",
    }


def _row(row: Data, above: Data | None) -> dict[str, Any]:
    watched = row["watched"]
    return {
        "place": f"{watched if watched is not None else row['start']:#x}",
        "what": "the address that each reads" if watched is not None else row["what"],
        "watched": watched is not None,
        "gap": above is not None and above["start"] != row["end"],
        "cells": [_cell(cell) for cell in row["cells"]],
    }


def _cell(cell: Data) -> dict[str, str]:
    if cell["kind"] == "absent":
        return {"style": "absent", "text": "–"}
    frames = ", ".join(f"{pa:#x}" for pa, _ in cell["frames"])
    if cell["pages"] * PAGE_BYTES > sum(size for _, size in cell["frames"]) > 0:
        frames += ", …"
    place = f"→ {frames}" if frames else ""
    parts = (place, _KINDS[cell["kind"]], cell["rights"], _pages(cell["pages"]))
    value = cell["value"]
    return {
        "style": "open" if cell["also"] else cell["kind"],
        "text": "  ".join(part for part in parts if part),
        "value": "" if value is None else f"holds {value:#x}",
        "also": f"same frame as {', '.join(cell['also'])}" if cell["also"] else "",
    }


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"


def _notes(data: Data, rows: list[Data]) -> list[str]:
    notes = []
    for row in rows:
        values = [c["value"] for c in row["cells"] if c["value"] is not None]
        if len(values) > 1:
            many = len(set(values))
            what = f"{many} values" if many > 1 else "one value only"
            notes.append(f"One address, {row['watched']:#x}: {what}.")
    if data["hidden"]:
        notes.append(f"{data['hidden']} more rows of ring 3 are not shown.")
    if data["more"]:
        notes.append(f"{data['more']} more trees are not shown.")
    cut = [tree["name"] for tree in data["trees"] if not tree["whole"]]
    if cut:
        names = " and ".join(cut)
        notes.append(f"The tree of {names} is too large to be shown as a whole.")
    return notes


def process(data: Data) -> dict[str, Any]:
    """What the template draws. data: a ProcessMap of grader.evidence, as JSON."""
    stray = data["stray"]
    first = f", the first at {stray[0][0]:#x}" if stray else ""
    pointer = data["pointer"]
    notes = (
        [] if pointer is None else [f"Ring 3's stack pointer stood at {pointer:#x}."]
    )
    if not data["whole"]:
        notes.append("The tree of page tables is too large to be shown as a whole.")
    return {
        "caption": f"The process “{data['name']}” in the middle of its life, CR3 "
        f"{data['root']:#x}: areas as the kernel noted them, pages as the CPU would "
        "find them",
        "rows": [_area(area) for area in reversed(data["held"])],
        "notes": notes,
        "stray": f"{len(stray)} ranges of ring 3's pages are in no area{first}."
        if stray
        else "",
    }


def _area(area: Data) -> dict[str, Any]:
    text = f"{area['there']} of {_pages(area['pages'])}"
    touched = [f"{area['start'] + page * PAGE_BYTES:#x}" for page in area["touches"]]
    if touched:
        more = ", …" if len(touched) > TOUCHES else ""
        text += f", in this order: {', '.join(touched[:TOUCHES])}{more}"
    return {
        "place": f"{area['start']:#x} to {area['end']:#x}",
        "what": area["what"],
        "rights": area["rights"],
        "style": "user",
        "strip": Markup(svg.strip(area["pages"], area["parts"])),
        "text": text,
    }
