# SPDX-License-Identifier: MIT
"""OUT/class.sqlite: the class as it stands. One writer, one transaction a verdict.

SQLite's rollback journal with synchronous=FULL: a transaction is on the disk when it
returns, kill -9 or a full disk undo one that has not, and readers need no shared
memory, so OUT may lie on a network's file system.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from grader.cohort.model import STORE, Attempt, Carry, HandedIn, Item, Outcome
from grader.errors import OperatorError, no_room

VERSION = 1
FULL = ("database or disk is full", "disk I/O error")
BUSY_S = 30.0
TABLES = """
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE handed_in (
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    title TEXT NOT NULL,
    src TEXT NOT NULL,
    digest TEXT NOT NULL,
    problem TEXT NOT NULL,
    fault TEXT NOT NULL,
    notes TEXT NOT NULL,
    people TEXT NOT NULL,
    late_days REAL NOT NULL,
    PRIMARY KEY (name, stage)
);
-- state: current (it counts), candidate (a regrade that nobody has accepted), past.
-- points: NULL if it is not scored.
CREATE TABLE result (
    token TEXT PRIMARY KEY,
    submission TEXT NOT NULL,
    stage TEXT NOT NULL,
    arch TEXT NOT NULL,
    carry TEXT NOT NULL,
    key TEXT NOT NULL,
    seed TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('current', 'candidate', 'past')),
    status TEXT NOT NULL,
    points INTEGER,
    max_points INTEGER,
    verdict TEXT,
    folder TEXT NOT NULL,
    cpu_s REAL NOT NULL,
    wall_s REAL NOT NULL,
    at TEXT NOT NULL
);
CREATE UNIQUE INDEX one_result ON result (submission, stage, arch, carry, state)
    WHERE state != 'past';
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    submission TEXT NOT NULL,
    stage TEXT NOT NULL,
    arch TEXT NOT NULL,
    carry TEXT NOT NULL,
    key TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TEXT NOT NULL
);
"""
CURRENT, CANDIDATE, PAST = "current", "candidate", "past"
SLOT = "submission = ? AND stage = ? AND arch = ? AND carry = ?"


@dataclass(frozen=True)
class Result:
    """A row of `result`. verdict: as in verdict.json; None if there is none."""

    token: str
    submission: str
    stage: str
    arch: str
    carry: Carry
    key: str
    seed: str
    state: str
    status: str
    points: int | None
    max_points: int | None
    verdict: Mapping[str, Any] | None
    folder: str
    cpu_s: float
    wall_s: float
    at: str

    @property
    def slot(self) -> tuple[str, str, str, str]:
        return self.submission, self.stage, self.arch, self.carry.value


class Store:
    """All of it by plain queries; each change is a transaction of its own."""

    def __init__(self, file: Path, connection: sqlite3.Connection) -> None:
        self.file = file
        self._db = connection

    @classmethod
    def open(cls, out: Path) -> Store:
        """The store of a class run's OUT, made if there is none."""
        file = out / STORE
        db = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
        db.row_factory = sqlite3.Row
        store = cls(file, db)
        try:
            db.execute("PRAGMA synchronous = FULL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                with store._change():
                    for statement in TABLES.split(";\n"):
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                what = f"{file} has format {version}, and this grader writes {VERSION}"
                raise OperatorError(what, "choose another folder with OUT=<folder>")
        except sqlite3.DatabaseError as error:
            raise store._fault(error) from None
        return store

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction: all of it is on the disk, or nothing."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError):
                raise self._fault(error) from None
            raise

    def _fault(self, error: sqlite3.Error) -> OperatorError:
        if str(error) in FULL:
            return no_room(str(self.file))
        mend = "mend that, or choose another folder with OUT=<folder>"
        return OperatorError(f"{self.file}: {error}", mend)

    # Settings of the run

    def setting(self, name: str, default: str = "") -> str:
        query = "SELECT value FROM setting WHERE name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        return str(row["value"]) if row else default

    def configure(self, **settings: str) -> None:
        with self._change():
            self._db.executemany(
                "INSERT OR REPLACE INTO setting VALUES (?, ?)", [*settings.items()]
            )

    # What was handed in

    def hand_in(self, every: Sequence[HandedIn]) -> None:
        """Add these, in place of earlier ones of that name and stage."""
        fields = [field.name for field in dataclasses.fields(HandedIn)]
        marks = ", ".join(f":{name}" for name in fields)
        query = (
            f"INSERT OR REPLACE INTO handed_in ({', '.join(fields)}) VALUES ({marks})"
        )
        rows = [dataclasses.asdict(each) for each in every]
        for row in rows:
            row["notes"], row["people"] = map(json.dumps, (row["notes"], row["people"]))
        with self._change():
            self._db.executemany(query, rows)

    def handed_in(self, stage: str) -> list[HandedIn]:
        """By name; numbers in it count as numbers."""
        query = "SELECT * FROM handed_in WHERE stage = ?"
        found = []
        for row in self._db.execute(query, (stage,)):
            data = dict(row)
            data["notes"] = tuple(json.loads(data["notes"]))
            data["people"] = tuple(json.loads(data["people"]))
            found.append(HandedIn(**data))
        return sorted(found, key=lambda one: (_natural(one.name), one.name))

    def stages(self) -> list[str]:
        """Those that somebody handed something in for."""
        query = "SELECT DISTINCT stage FROM handed_in ORDER BY stage"
        return [row[0] for row in self._db.execute(query)]

    # Results

    def results(self, stage: str, state: str = CURRENT) -> list[Result]:
        query = "SELECT * FROM result WHERE stage = ? AND state = ? ORDER BY"
        query += " submission, arch, carry"
        return [_result(row) for row in self._db.execute(query, (stage, state))]

    def folders(self) -> set[str]:
        """What of OUT is in use: frozen sources, and the runs of results; of past ones
        only the verdict is kept."""
        query = (
            "SELECT folder FROM result WHERE state != ? UNION SELECT src FROM handed_in"
        )
        return {row[0] for row in self._db.execute(query, (PAST,))}

    def keep(self, outcome: Outcome, state: str = CURRENT) -> None:
        """Take the outcome in, with its attempts, as what its slot has now; one that is
        known already changes nothing."""
        item = outcome.item
        values = (
            outcome.token,
            *item.slot,
            *(item.key, item.seed, state, outcome.status.value),
            *(outcome.points, outcome.max_points),
            None if outcome.verdict is None else json.dumps(outcome.verdict),
            *(outcome.folder, outcome.cpu_s, outcome.wall_s, _now()),
        )
        with self._change():
            known = "SELECT 1 FROM result WHERE token = ?"
            if self._db.execute(known, (outcome.token,)).fetchone():
                return
            for attempt in outcome.attempts:
                self._attempt(item, attempt)
            self._retire(item.slot, state)
            marks = ", ".join("?" * len(values))
            self._db.execute(f"INSERT INTO result VALUES ({marks})", values)

    def accept(self, results: Sequence[Result]) -> None:
        """Candidates, with the verdicts that are to count, take the place of what is
        current: all of them, or none."""
        with self._change():
            for each in results:
                self._retire(each.slot, CURRENT)
                self._db.execute(
                    "UPDATE result SET state = ?, verdict = ?, points = ?, status = ?"
                    " WHERE token = ?",
                    (
                        *(CURRENT, json.dumps(each.verdict)),
                        *(each.points, each.status, each.token),
                    ),
                )

    def drop(self, stage: str, state: str) -> None:
        """Results of that state are past from now on."""
        query = "UPDATE result SET state = ? WHERE stage = ? AND state = ?"
        with self._change():
            self._db.execute(query, (PAST, stage, state))

    def _retire(self, slot: Sequence[str], state: str) -> None:
        query = f"UPDATE result SET state = ? WHERE {SLOT} AND state = ?"
        self._db.execute(query, (PAST, *slot, state))

    # Attempts

    def attempted(self, item: Item, attempt: Attempt) -> None:
        with self._change():
            self._attempt(item, attempt)

    def _attempt(self, item: Item, attempt: Attempt) -> None:
        values = (*item.slot, item.key, attempt.what, attempt.detail, _now())
        columns = "submission, stage, arch, carry, key, what, detail, at"
        query = f"INSERT INTO attempt ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._db.execute(query, values)

    def attempts(self, stage: str) -> list[dict[str, Any]]:
        """The rows of `attempt`, oldest first."""
        query = "SELECT * FROM attempt WHERE stage = ? ORDER BY id"
        return [dict(row) for row in self._db.execute(query, (stage,))]


def _natural(name: str) -> list[str | int]:
    """A key by which x2 comes before x10: text and numbers in turn."""
    parts = re.split("([0-9]+)", name)
    return [int(p) if number % 2 else p for number, p in enumerate(parts)]


def _result(row: sqlite3.Row) -> Result:
    data = dict(row)
    data["carry"] = Carry(data["carry"])
    data["verdict"] = json.loads(data["verdict"]) if data["verdict"] else None
    return Result(**data)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
