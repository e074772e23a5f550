# SPDX-License-Identifier: MIT
"""Measures the grader: a table, and build/bench.json."""
from pathlib import Path


def bench(root: Path) -> int:
    return 0
