# SPDX-License-Identifier: MIT
"""Peaks of resident memory of a grading run, its QEMUs among it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def resident(command: Sequence[str], root: Path) -> tuple[float, float]:
    """Peaks in KiB: the grader's Python, and the largest QEMU."""
    python = machine = 0
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            python = max(python, _peak(process.pid))
            for pid in _below(process.pid):
                if _status(pid, "Name").startswith("qemu"):
                    machine = max(machine, _peak(pid))
            time.sleep(0.01)
    return python, machine


def _status(pid: int, key: str) -> str:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2] for line in lines if line.startswith(f"{key}:"))
    return next(found, "").strip()


def _peak(pid: int) -> int:
    words = _status(pid, "VmHWM").split()
    return int(words[0]) if words else 0


def _below(pid: int) -> list[int]:
    """All descendants of a process."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for word in (task / "children").read_text("ascii").split():
                found += [int(word), *_below(int(word))]
    except OSError:
        pass  # it has just ended
    return found
