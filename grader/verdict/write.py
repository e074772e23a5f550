# SPDX-License-Identifier: MIT
"""Verdicts and the summary on disk: written whole, or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.files import write_bytes
from grader.verdict.model import Status, Verdict

VERDICT = "verdict.json"
SUMMARY = "summary.json"
SUMMARY_SCHEMA = "ringlab/summary/1"
EARLIER = ".earlier"
RUNS = "runs"
HTML, MARKDOWN, JUNIT = REPORTS = ("report.html", "report.md", "junit.xml")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """As UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def stage_folder(out: Path, arch: str, stage: str) -> Path:
    return out / arch / stage


def write_verdict(out: Path, verdict: Verdict) -> Path:
    path = stage_folder(out, verdict.arch, verdict.stage) / VERDICT
    write_json(path, verdict.to_json())
    return path


def read_verdict(path: Path) -> Verdict:
    return Verdict.from_json(json.loads(path.read_text(encoding="utf-8")))


def clear(out: Path, arches: Sequence[str], stages: Sequence[str]) -> None:
    """Take away what an earlier run left in `out`: summary, verdicts, reports, runs.

    The runs are gone with sweep(): where many files have just been removed, ext4 is
    slow to make new ones.
    """
    sweep(out)
    for name in (SUMMARY, *REPORTS):
        (out / name).unlink(missing_ok=True)
    for arch in arches:
        for stage in stages:
            folder = stage_folder(out, arch, stage)
            (folder / VERDICT).unlink(missing_ok=True)
            for name in (RUNS, "reference"):
                if (folder / name).exists():
                    (out / EARLIER).mkdir(exist_ok=True)
                    (folder / name).rename(out / EARLIER / f"{arch}.{stage}.{name}")


def sweep(out: Path) -> None:
    """Remove what clear() took away, also when it was a run that was killed."""
    shutil.rmtree(out / EARLIER, ignore_errors=True)


def exit_status(verdicts: Sequence[Verdict], bonus: bool = False) -> int:
    """0: full points everywhere; 1: not; 2: nothing, or not all, was graded.

    bonus: full points do not do, every bonus check must pass too.
    """
    if any(v.status is Status.HARNESS_ERROR for v in verdicts):
        return 2
    if not verdicts:
        return 2
    good = all(v.status is Status.PASS for v in verdicts)
    if bonus:
        good = good and all(c.status is Status.PASS for v in verdicts for c in v.checks)
    return 0 if good else 1


def write_summary(
    out: Path,
    verdicts: Sequence[Verdict],
    *,
    status: int,
    seed: str,
    error: str = "",
) -> None:
    """OUT/summary.json: the grader's own exit status, and the points by stage.

    bonus: how many of the points came on top, from bonus checks.
    """
    stages = [
        {
            "stage": v.stage,
            "arch": v.arch,
            "status": v.status.value,
            "points": v.points,
            "max_points": v.max_points,
            "bonus": v.bonus,
            "verdict": f"{v.arch}/{v.stage}/{VERDICT}",
        }
        for v in verdicts
    ]
    data = {
        "schema": SUMMARY_SCHEMA,
        "exit_status": status,
        "seed": seed,
        "points": sum(v.points for v in verdicts),
        "max_points": sum(v.max_points for v in verdicts),
        "bonus": sum(v.bonus for v in verdicts),
        "stages": stages,
        "error": error,
    }
    write_json(out / SUMMARY, data)
