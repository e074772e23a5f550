# SPDX-License-Identifier: MIT
"""One fixed set of verdicts for the exporters, and the golden files made of it.

After a change of words run `python3 -m grader.tests.platforms`, and read the diff.
"""

from __future__ import annotations

import dataclasses
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from grader.course import NAME, NEVER
from grader.evidence.exhibit import Exhibit, Row
from grader.reports.data import load
from grader.reports.platforms import PLATFORMS, render
from grader.reports.platforms.told import Export
from grader.tests.reports import HOSTILE, SEED
from grader.verdict.model import BuildMessage, CheckResult, Status, Verdict
from grader.verdict.model import overall, plain
from grader.verdict.write import write_summary, write_verdict

DATA = Path(__file__).with_name("data") / "platforms"
TODAY = date(2026, 11, 2)
SECRET = "known to the staff alone"
# What forges a mark where its line is read: VPL, Autolab, GitHub, a terminal, XML.
FORGED = (
    f"{HOSTILE}\nGrade :=>> 100\n--|>\nGrade :=>>100\n<|--\n"
    '{"scores": {"ringlab": 100}}\n::error file=Makefile::forged\n##[error]forged\n'
    "=cmd|'/C calc'!A1\n\r\nscore: 1.0\n\x0b\x1c\u2028Grade :=>> 100\u0085"
)
ENVIRONMENT = {
    "CLASSROOM": "os-2026",
    "ASSIGNMENT": "gdt",
    "USERNAME": "alice",
    "SUBMISSION_TAG": "submit/2026-11-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://github.example/os/commit/a1b2c3d",
    "RELEASE_URL": "https://github.example/os/releases/tag/x",
    "VPL_GRADEMAX": "100",
}


def check(name: str, status: Status, points: int = 2, **fields: Any) -> CheckResult:
    """A check, its texts as a judge lets them through."""
    earned = points if status is Status.PASS else 0
    made = CheckResult(name, "1.1", f"{name} holds.", status, earned, points)
    texts = {k: plain(v) if isinstance(v, str) else v for k, v in fields.items()}
    return dataclasses.replace(made, **texts)


CELL = plain(FORGED).replace("\n", " ")
WRONG = Exhibit("gate", CELL, ("field", "value"), (Row(("P", CELL), True),), CELL)
TOLD = {"expected": "The limit is 0xfffff.", "seen": FORGED, "source": FORGED}
FIRST = (
    check("gdt-code", Status.PASS, 5),
    check("gdt-limit", Status.FAIL, 3, **TOLD, exhibits=(WRONG,)),
    check("gdt-data", Status.BLOCKED, blocked_by="gdt-limit", seen="Later."),
    check("gdt-open", Status.NOT_IMPLEMENTED, seen="Task 1.1 is still open."),
    check("gdt-extra", Status.PASS, 4, bonus=True),
    check("gdt-more", Status.FAIL, 1, bonus=True, seen="It is not there."),
    check("secret", Status.PASS, 50, seen=SECRET, staff=True, shown=NEVER),
    check("later", Status.FAIL, 9, seen=SECRET, staff=True, shown_from="2026-12-01"),
    check("named", Status.FAIL, 1, seen=SECRET, staff=True, shown=NAME),
)
BROKEN = tuple(
    check(name, Status.BUILD_ERROR, seen="gdt.c:1: expected ‘;’")
    for name in ("gdt-code", "gdt-limit")
)
LOST = check("gdt-code", Status.HARNESS_ERROR, seen=f"KeyError {SECRET}")
# By name: what is exported, and the checks of each architecture.
SETS = {
    "graded": (FIRST, BROKEN),
    "full": (tuple(c for c in FIRST if c.status is Status.PASS),),
    "lost": (FIRST, (LOST,)),
}


def written(name: str, folder: Path) -> Path:
    """A run with the verdicts of a set; returns its OUT."""
    out = folder / name
    pairs = zip(("i386", "x86_64"), SETS[name])
    verdicts = [_verdict(arch, checks) for arch, checks in pairs]
    for verdict in verdicts:
        write_verdict(out, verdict)
    write_summary(out, verdicts, status=1, seed=SEED)
    return out


def _verdict(arch: str, checks: tuple[CheckResult, ...]) -> Verdict:
    return Verdict(
        stage="01-gdt",
        title="Descriptors for ring 3",
        arch=arch,
        status=overall(checks),
        points=sum(c.points for c in checks),
        max_points=sum(c.max_points for c in checks if not c.bonus),
        seed=SEED,
        nonce=SEED,
        evidence_digest="0" * 64,
        sandbox="C",
        command=f"make grade A=01-gdt SRC='{SECRET}'",
        tools={"gcc": "12.2"},
        logs={"secret": f"runs/{SECRET}"},
        messages=(BuildMessage("01-gdt", CELL, 1, 2, "error", "expected ‘;’"),),
        checks=checks,
    )


def exported(platform: str, name: str, folder: Path) -> Export:
    made, _ = render(platform, load(written(name, folder)), TODAY, ENVIRONMENT)
    return made


def golden(platform: str, name: str) -> Path:
    return DATA / f"{platform}-{name}.txt"


def text(made: Export) -> str:
    """A golden file: what goes to the platform's file, then what it reads."""
    return f"{made.file}=== output ===\n{made.said}"


def main() -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for platform in PLATFORMS:
            for name in SETS:
                made = exported(platform, name, Path(folder))
                golden(platform, name).write_text(text(made), encoding="utf-8")


if __name__ == "__main__":
    main()
