# SPDX-License-Identifier: MIT
"""Verdicts and the summary on disk: written whole, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.verdict.model import Status, Verdict

VERDICT = "verdict.json"
SUMMARY = "summary.json"
SUMMARY_SCHEMA = "ringlab/summary/1"
RUNS = "runs"


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write to a temporary file, then rename: a reader sees all or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def stage_folder(out: Path, arch: str, stage: str) -> Path:
    return out / arch / stage


def write_verdict(out: Path, verdict: Verdict) -> Path:
    path = stage_folder(out, verdict.arch, verdict.stage) / VERDICT
    write_json(path, verdict.to_json())
    return path


def read_verdict(path: Path) -> Verdict:
    return Verdict.from_json(json.loads(path.read_text(encoding="utf-8")))


def clear(out: Path, arches: Sequence[str], stages: Sequence[str]) -> None:
    """Remove what an earlier run left in `out`: summary, verdicts, run folders."""
    (out / SUMMARY).unlink(missing_ok=True)
    for arch in arches:
        for stage in stages:
            folder = stage_folder(out, arch, stage)
            (folder / VERDICT).unlink(missing_ok=True)
            for name in (RUNS, "reference"):
                shutil.rmtree(folder / name, ignore_errors=True)


def exit_status(verdicts: Sequence[Verdict]) -> int:
    """0: full points everywhere; 1: not; 2: nothing, or not all, was graded."""
    if any(v.status is Status.HARNESS_ERROR for v in verdicts):
        return 2
    if not verdicts:
        return 2
    return 0 if all(v.status is Status.PASS for v in verdicts) else 1


def write_summary(
    out: Path,
    verdicts: Sequence[Verdict],
    *,
    status: int,
    seed: str,
    error: str = "",
) -> None:
    """OUT/summary.json: the grader's own exit status, and the points by stage."""
    stages = [
        {
            "stage": v.stage,
            "arch": v.arch,
            "status": v.status.value,
            "points": v.points,
            "max_points": v.max_points,
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
        "stages": stages,
        "error": error,
    }
    write_json(out / SUMMARY, data)
