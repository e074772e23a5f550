# SPDX-License-Identifier: MIT
"""ci/slurm.toml: what a site says about its cluster (ci/slurm.md explains each key)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import OperatorError
from grader.tables import Table

FILE = Path("ci/slurm.toml")


@dataclass(frozen=True)
class Site:
    """sbatch: words of every array. chunk: items an element of it. patience_s: how
    long (wall) Slurm may do nothing at all for a class."""

    sbatch: tuple[str, ...]
    chunk: int
    patience_s: float

    @classmethod
    def load(cls, file: Path) -> Site:
        """Raises OperatorError with the place and the mend."""
        try:
            table = Table.read(file, file.parent)
        except FileNotFoundError:
            mend = "take ci/slurm.toml for a start"
            raise OperatorError(f"{file} is missing", mend) from None
        table.known("sbatch", "chunk", "patience_minutes")
        minutes = table.number("patience_minutes", 1)
        return cls(table.words("sbatch"), table.number("chunk", 1), 60.0 * minutes)
