# SPDX-License-Identifier: MIT
"""Keeps of a finished boot what a report shows, as OUT/…/runs/<boot>/portrait.json.

Guest memory goes when the run ends; a report made later reads this file instead.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.checks.maps import drawn, drawn_process
from grader.evidence import trace
from grader.evidence.events import Event
from grader.evidence.exhibit import Exhibit
from grader.evidence.portrait import Portrait
from grader.evidence.scene import Scene
from grader.evidence.timeline import timelines
from grader.verdict.model import plain

if TYPE_CHECKING:
    from grader.checks.record import Evidence

PORTRAIT = "portrait.json"
SCHEMA = "ringlab/portrait/1"
# Of a log that no check had to read record by record (a sweep of all ports).
LOG_BYTES = 256 << 10
NAME = 60  # characters of a symbol


def keep(evidence: Evidence) -> Path:
    """Write the boot's portrait; an odd state of the guest never raises."""
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "via": evidence.boot.via.value,
        "cmdline": plain(evidence.boot.cmdline),
        "end": evidence.run.end.value,
        "detail": plain(evidence.run.detail),
    }
    try:
        data |= _decoded(evidence)
    except Exception as error:  # the guest's tables are a student's work
        data["error"] = plain(f"{type(error).__name__}: {error}")
    path = evidence.run.folder / PORTRAIT
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def _decoded(evidence: Evidence) -> dict[str, Any]:
    events, read, size = _events(evidence)
    scene = Scene(
        arch=evidence.arch,
        events=events,
        registers=evidence.registers if evidence.run.registers else None,
        ram=evidence.ram,
    )

    def name(address: int) -> str:
        found = evidence.symbols.nearest(address)
        if found is None:
            return ""
        offset = address - found.address
        return plain(found.name, NAME) + (f"+{offset:#x}" if offset else "")

    tables = Portrait(scene, name).tables()
    spaces, process = drawn(evidence), drawn_process(evidence)
    return {
        "spaces": spaces.to_json() if spaces else None,
        "process": process.to_json() if process else None,
        "log_bytes": size,
        "log_read": read,
        "tables": [_table(table) for table in tables],
        "timelines": [timeline.to_json() for timeline in timelines(events)],
    }


def _table(table: Exhibit) -> dict[str, Any]:
    """An exhibit without its marks: nothing here says what should be."""
    rows = [row.cells for row in table.rows]
    return {"title": table.title, "columns": table.columns, "rows": rows} | (
        {"note": table.note} if table.note else {}
    )


def _events(evidence: Evidence) -> tuple[list[Event], int, int]:
    """The records, the bytes of the log that they come from, and the log's size."""
    log = evidence.run.trace
    size = log.stat().st_size if log.is_file() else 0
    if size <= LOG_BYTES or "events" in vars(evidence):
        return evidence.events, size, size
    with log.open("rb") as file:
        return trace.parse(file.read(LOG_BYTES)), LOG_BYTES, size
