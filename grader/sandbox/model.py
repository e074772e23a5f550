# SPDX-License-Identifier: MIT
"""What a sandbox is asked for and what comes back: tiers, limits, results."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Tier(enum.Enum):
    """How well a command is confined; the verdict names it."""

    A = "A"  # bubblewrap and limits
    B = "B"  # a user id of its own, and limits
    C = "C"  # limits alone


class Stop(enum.Enum):
    """The limit at which a command was ended."""

    CPU = "CPU time"
    WALL = "wall-clock guard"
    IDLE = "idle"
    OUTPUT = "output"
    MEMORY = "memory"
    DISK = "disk"
    PROCESSES = "processes"
    FILES = "open files"


class Stopped(Exception):
    """The grading run was interrupted: stop_all() was called."""


@dataclass(frozen=True)
class Limits:
    """CPU in seconds, sizes in bytes; wall_s is only the guard behind cpu_s.

    memory_bytes bounds the addresses of each process; resident_bytes, like cpu_s, what
    all of a command's processes use together.
    """

    cpu_s: int = 20
    wall_s: float = 120.0
    memory_bytes: int = 1 << 30
    resident_bytes: int = 2 << 30
    file_bytes: int = 16 << 20
    processes: int = 64
    files: int = 256
    output_bytes: int = 1 << 20


@dataclass(frozen=True)
class Result:
    """How a command ended; a status of 128 + n means signal n."""

    status: int
    stdout: bytes
    stderr: bytes
    stop: Stop | None
    cpu_s: float
    wall_s: float
    limits: Limits = Limits()
