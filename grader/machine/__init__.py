# SPDX-License-Identifier: MIT
"""One QEMU: boots an image, drives its console, watches limits, keeps what is left."""

from grader.machine.command import make_disc
from grader.machine.iso import IsoError, make_iso
from grader.machine.model import At, Boot, End, Limits, Module, Run, Step, Until, Via
from grader.machine.session import run

__all__ = [
    "At",
    "Boot",
    "End",
    "IsoError",
    "Limits",
    "Module",
    "Run",
    "Step",
    "Until",
    "Via",
    "make_disc",
    "make_iso",
    "run",
]
