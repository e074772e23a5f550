# SPDX-License-Identifier: MIT
"""A class of two tasks and workers that do as they are told, for tests of class runs.

As a program it is such a worker: a submission's name says what becomes of it.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from grader.cohort.engine import Lost
from grader.cohort.model import SPOOL, SUBMISSIONS, Carry, HandedIn, Item, Outcome
from grader.cohort.model import spool_file
from grader.cohort.plan import Planner
from grader.cohort.run import Run
from grader.cohort.store import Store
from grader.course import Course
from grader.verdict.write import write_json

STAGE, ARCH = "01-gdt", "i386"
SEED = 0xBEEF
CHECKS = {"gdt-code": 3, "gdt-limit": 2}


def verdict(**statuses: str) -> dict[str, Any]:
    """As in verdict.json, of both checks; those that are not named pass."""
    checks = []
    for check, points in CHECKS.items():
        status = statuses.get(check.replace("-", "_"), "pass")
        got = points if status == "pass" else 0
        told = {"title": f"{check} holds.", "status": status, "seen": "It is so."}
        one = {"id": check, "task": "1.1", "points": got, "max_points": points, **told}
        checks.append(one)
    found = {str(one["status"]) for one in checks}
    ranked = ("harness error", "build error", "fail")
    status = next((each for each in ranked if each in found), "pass")
    texts = {"title": "Descriptors", "seed": "1", "nonce": "2", "evidence_digest": "3"}
    return {
        "schema": "ringlab/verdict/1",
        **{"stage": STAGE, "arch": ARCH, "status": status, **texts},
        "points": sum(int(str(one["points"])) for one in checks),
        **{"max_points": 5, "sandbox": "A", "command": "make grade", "tools": {}},
        **{"logs": {}, "messages": [], "checks": checks},
    }


def item(name: str = "ada", key: str = "k" * 64, carry: Carry = Carry.OWN) -> Item:
    return Item(name, STAGE, ARCH, carry, key, "00000000000000ff", "src", "prior")


def outcome(of: Item, **statuses: str) -> Outcome:
    folder = f"{SUBMISSIONS}/{of.submission}/{secrets.token_hex(4)}"
    return Outcome(of, secrets.token_hex(8), verdict(**statuses), folder)


def spool(out: Path, made: Outcome) -> None:
    """What a worker does at the end."""
    (out / made.folder).mkdir(parents=True, exist_ok=True)
    write_json(spool_file(out, made.item), made.to_json())


class Inline:
    """An engine without processes: `work` makes of each item an outcome, or None if its
    worker is lost. graded: the names of all items that it was given a worker for."""

    def __init__(self, out: Path, work: Callable[[Item], Outcome | None]) -> None:
        self.out, self.work = out, work
        self.graded: list[str] = []
        self.waiting: list[Item] = []

    def recover(self) -> None:
        """Nothing runs."""

    def start(self, items: Sequence[Item]) -> None:
        self.waiting += items

    def wait(self, timeout_s: float) -> list[Lost]:
        if not self.waiting:
            return []
        item = self.waiting.pop(0)
        self.graded.append(item.submission)
        made = self.work(item)
        if made is None:
            return [Lost(item, "its worker is gone")]
        spool(self.out, made)
        return []

    def stop(self) -> None:
        """Nothing runs."""


def run_in(course: Course, out: Path, engine: Any) -> Run:
    for folder in (SPOOL, SUBMISSIONS):
        (out / folder).mkdir(parents=True, exist_ok=True)
    stage = course.stages[0]
    return Run(course, stage, (ARCH,), out, Store.open(out), engine)


def class_of(run: Run, *names: str, text: str = "int x;\n") -> list[HandedIn]:
    """Submissions that have been taken in."""
    every = []
    for name in names:
        src = Path(SUBMISSIONS, name, "src-1")
        file = run.out / src / STAGE / "gdt.c"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}// {name}\n")
        every.append(HandedIn(name, STAGE, name, str(src), "1"))
    run.store.hand_in(every)
    return every


def planner(run: Run, carry: Carry = Carry.REFERENCE, grader: str = "g") -> Planner:
    return Planner(run.course, run.out, SEED, carry, grader)


def main(out: Path) -> None:
    for line in iter(sys.stdin.readline, ""):
        item = Item.from_line(line)
        mark = out / f"{item.submission}.begun"
        first = not mark.exists()
        mark.touch()
        if item.submission.startswith("dies") or (
            item.submission.startswith("once") and first
        ):
            os.kill(os.getpid(), signal.SIGKILL)
        if item.submission.startswith("fills"):
            with (out / "filling").open("wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        if item.submission.startswith("waits") and first:
            signal.pause()
        if item.submission.startswith("refuses"):
            print("nobody can be graded here", file=sys.stderr)
            sys.exit(2)
        spool(out, outcome(item))
        print(item.id, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
