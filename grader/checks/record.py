# SPDX-License-Identifier: MIT
"""What one boot left behind, each part parsed when it is first asked for."""

from __future__ import annotations

import functools
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.checks.api import CheckFailed, TaskOpen

if TYPE_CHECKING:
    from grader.build import Image
    from grader.evidence.scene import Diagnosis, Scene
    from grader.evidence.memory import Ram
    from grader.evidence.registers import Registers
    from grader.evidence.symbols import Symbols
    from grader.evidence.trace import Event
    from grader.machine import Boot, Run

OPEN_TASK = re.compile(r"task (\d+\.\d+) is open")


@functools.lru_cache(maxsize=None)
def symbols_of(elf: Path) -> Symbols:
    """The symbols of an image, parsed once for all its boots."""
    from grader.evidence.symbols import Symbols

    return Symbols(elf)


class Evidence:
    """A finished boot: `run` as the machine left it, `notes` as the plan chose them."""

    def __init__(self, run: Run, boot: Boot, image: Image, notes: dict[str, Any]):
        self.run = run
        self.boot = boot
        self.image = image
        self.notes = notes

    def forget(self) -> None:
        """Give back what was parsed: no check will ask for it any more."""
        for name in [n for n in vars(self) if n not in ("run", "boot", "image")]:
            del vars(self)[name]

    @property
    def arch(self) -> str:
        return str(self.boot.arch)

    @property
    def console(self) -> str:
        """What the guest wrote to its serial port; never proof by itself."""
        return self.run.console.decode("utf-8", "replace").replace("\r\n", "\n")

    @cached_property
    def events(self) -> list[Event]:
        """The CPU's own record, in order."""
        from grader.evidence import trace

        return trace.parse(self.run.trace)

    @cached_property
    def registers(self) -> Registers:
        """The registers at the end of the run."""
        from grader.evidence import registers

        return registers.parse(self.run.registers)

    @cached_property
    def ram(self) -> Ram:
        """Guest memory at the end of the run, read from outside."""
        from grader.evidence.memory import Ram

        return Ram(self.run.ram)

    @property
    def symbols(self) -> Symbols:
        return symbols_of(self.image.symbols)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Why the boot ended as it did, in the student's terms."""
        from grader.evidence.explain import diagnose

        return diagnose(self.scene)

    @cached_property
    def scene(self) -> Scene:
        """The run as the explanations of grader.evidence want it."""
        from grader.evidence.scene import Scene

        return Scene(
            arch=self.arch,
            end=self.run.end.name,
            events=self.events,
            registers=self.registers if self.run.registers else None,
            ram=self.ram,
            symbols=self.symbols,
            console=self.run.console,
            stderr=self.run.stderr,
            detail=self.run.detail,
            truncated=self.run.trace_truncated,
        )

    def source_of(self, address: int) -> str:
        """The instruction at `address`, its function and file:line; for `source=`."""
        if not self.run.registers:
            return self.scene.source(address)
        return self.scene.at(self.registers, address)


def unexpected_end(evidence: Evidence) -> Exception:
    """The outcome of a check whose boot did not come to its end."""
    run = evidence.run
    if run.end.name == "TASK_OPEN":
        found = OPEN_TASK.search(run.detail) or OPEN_TASK.search(evidence.console)
        return TaskOpen(found[1] if found else run.detail)
    why = evidence.diagnosis
    return CheckFailed(
        expected=f"The kernel comes to the end of the boot “{evidence.boot.name}”.",
        seen=why.seen,
        cause=why.cause,
        hint=why.hint,
        read=why.read,
        source=why.source,
        exhibits=why.exhibits,
    )
