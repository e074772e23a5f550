# SPDX-License-Identifier: MIT
"""Runs every known input through the tools of this machine."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.doctor.compilers import objects
from grader.doctor.facts import Known
from grader.doctor.machines import images
from grader.sandbox import detect

# A branch that was published for one architecture has no other.
KERNELS = Path(__file__).parents[2] / "kernel/arch"
ARCHES = sorted(flags.parent.name for flags in KERNELS.glob("*/flags.mk"))


def observe() -> list[Known]:
    """What the tools do here, always in the same order."""
    sandbox = detect()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        folder = Path(scratch)
        folder.chmod(0o755)

        def both(arch: str) -> list[Known]:
            made = [*objects(arch, sandbox, folder)]
            return made + [*images(arch, sandbox, folder)]

        return [known for found in pool.map(both, ARCHES) for known in found]
