# SPDX-License-Identifier: MIT
"""What a finished run left in OUT, gathered for every report: verdicts and boots."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.errors import OperatorError
from grader.evidence import console
from grader.evidence.screen import SCREEN_BYTES
from grader.reports.keep import PORTRAIT
from grader.verdict.model import CheckResult, Status, Verdict
from grader.verdict.view import for_student
from grader.verdict.write import SUMMARY, read_verdict

CONSOLE_BYTES = 12 << 10
PORTRAIT_BYTES = 2 << 20
# A single line of the kernel's own, or nothing: no picture is needed to tell that.
DULL = re.compile(r"(\[ringlab\]( \S+)*)?")
LOST = (Status.FAIL, Status.BUILD_ERROR, Status.HARNESS_ERROR)


@dataclass(frozen=True)
class BootData:
    """One boot's folder.

    portrait: as grader.reports.keep wrote it, empty if it did not. checks: those that
    read the boot.
    """

    name: str
    folder: Path
    portrait: Mapping[str, Any]
    checks: tuple[CheckResult, ...]

    @cached_property
    def console(self) -> str:
        """What the kernel printed, fit to show; the middle of much output is cut."""
        raw = console.kernel(_read(self.folder / "console.log"))
        if len(raw) <= CONSOLE_BYTES:
            return console.sanitise(raw).strip("\n")
        half = CONSOLE_BYTES // 2
        first, last = console.sanitise(raw[:half]), console.sanitise(raw[-half:])
        left = len(raw) - CONSOLE_BYTES
        return f"{first}\n[… {left} bytes are not shown …]\n{last}".strip("\n")

    @cached_property
    def screen(self) -> bytes:
        """The VGA screen's cells; none if it shows no more than how the boot ended."""
        cells = _read(self.folder / "vga.bin", SCREEN_BYTES)
        text = cells[::2].replace(b"\0", b" ").decode("cp437").strip()
        return b"" if DULL.fullmatch(text) else cells

    @property
    def troubled(self) -> bool:
        """A check that reads it failed."""
        return any(check.status in LOST for check in self.checks)


@dataclass(frozen=True)
class StageData:
    """A verdict with its boots, those of failed checks first."""

    verdict: Verdict
    boots: tuple[BootData, ...]

    @property
    def key(self) -> str:
        """Names the stage on one architecture in a page: "i386-04-ring3"."""
        return f"{self.verdict.arch}-{self.verdict.stage}"


@dataclass(frozen=True)
class RunData:
    """A whole run. error: why it could not grade, or ""."""

    seed: str
    points: int
    max_points: int
    bonus: int
    error: str
    stages: tuple[StageData, ...]

    @property
    def counted(self) -> int:
        """The points without those of bonus checks: never more than max_points."""
        return self.points - self.bonus


def load(out: Path) -> RunData:
    """Read a run's folder; raises OperatorError if there is none."""
    try:
        summary = json.loads((out / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"OUT={out} holds no finished run: {error}", "grade first, or name its OUT"
        ) from None
    return RunData(
        seed=summary["seed"],
        points=summary["points"],
        max_points=summary["max_points"],
        bonus=summary["bonus"],
        error=summary["error"],
        stages=tuple(_stage(out / stage["verdict"]) for stage in summary["stages"]),
    )


def seen_by_student(run: RunData, today: date) -> RunData:
    """The run as its student may see it that day (see grader.verdict.view)."""
    stages = []
    for stage in run.stages:
        verdict = for_student(stage.verdict, today)
        boots = tuple(
            replace(boot, checks=_readers(verdict, boot.name))
            for boot in stage.boots
            if boot.name in verdict.logs
        )
        stages.append(StageData(verdict, boots))
    return replace(
        run,
        stages=tuple(stages),
        points=sum(stage.verdict.points for stage in stages),
        max_points=sum(stage.verdict.max_points for stage in stages),
        bonus=sum(stage.verdict.bonus for stage in stages),
    )


def _stage(path: Path) -> StageData:
    return stage_data(read_verdict(path), path.parent)


def stage_data(verdict: Verdict, folder: Path) -> StageData:
    """A verdict, and what its boots left in the folder that its logs are named from."""
    boots = [
        BootData(
            name=name,
            folder=folder / place,
            portrait=_portrait(folder / place / PORTRAIT),
            checks=_readers(verdict, name),
        )
        for name, place in verdict.logs.items()
    ]
    return StageData(verdict, tuple(sorted(boots, key=lambda b: not b.troubled)))


def _readers(verdict: Verdict, boot: str) -> tuple[CheckResult, ...]:
    return tuple(check for check in verdict.checks if boot in check.boots)


def _portrait(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(_read(path, PORTRAIT_BYTES))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _read(path: Path, most: int = 1 << 20) -> bytes:
    """The first bytes of a file; none if it is not there."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""
