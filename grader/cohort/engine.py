# SPDX-License-Identifier: MIT
"""Who runs the workers: the seam between a class run and its machines.

A worker is the same command everywhere, `python3 -m grader.cohort.worker OUT`, which
reads items, one a line, and leaves OUT/spool/<item>.json for each, written whole. An
engine brings items to workers and notices workers that died; it never reads a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.cohort.model import Item


@dataclass(frozen=True)
class Lost:
    """An item that nobody will spool any more, and what happened to its worker.

    operator: the worker says (by status 2) that nobody can be graded where it ran.
    """

    item: Item
    why: str
    operator: bool = False


class Engine(Protocol):
    """All calls come from one thread, in this order: start, then wait and start as
    often as need be, then stop; and recover before all of them."""

    def recover(self) -> None:
        """End what an earlier run of this OUT may have left running."""

    def start(self, items: Sequence[Item]) -> None:
        """Have these graded, in any order, besides those that were given before."""

    def wait(self, timeout_s: float) -> list[Lost]:
        """Return when something may have been spooled, or a worker was lost, or the
        time (wall) is up. A lost item is told of once; who wants it graded starts it
        again. One that was spooled before its worker died may be told of as well."""

    def stop(self) -> None:
        """End all workers; what they have begun is not spooled."""
