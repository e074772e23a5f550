# SPDX-License-Identifier: MIT
"""What gdb reads at its start: the course's commands, all of them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kernel.gdb import (  # noqa: E402
    ends,
    pagewalk,
    ring,
    stack,
    syscalls,
    tables,
    task,
    threads,
)

for module in (ring, tables, pagewalk, stack, threads, syscalls, task, ends):
    module.load()
