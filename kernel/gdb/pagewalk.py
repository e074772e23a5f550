# SPDX-License-Identifier: MIT
"""The command `pagewalk`: how the CPU translates one address, level by level."""

from __future__ import annotations

import gdb

from grader.evidence import paging
from kernel.gdb.machine import Command, address, look


class Pagewalk(Command):
    """pagewalk ADDR: the entry of each page table on the way to ADDR, and its rights.

    The walk begins at CR3, in physical memory. ADDR is an expression: `pagewalk $sp`,
    `pagewalk 0x40001000`. A page is the user's only if every level says U/S=1, and
    writable only if every level says R/W=1."""

    name = "pagewalk"

    def run(self, argument: str) -> None:
        if not argument:
            raise gdb.GdbError("Which address? For instance: pagewalk $pc")
        now = look()
        wanted = address(argument)
        walk = now.scene.walk(now.regs, wanted)
        if walk is None:
            print(f"Paging is off (CR0.PG=0): {wanted:#x} is a physical address.")
            return
        print(f"The walk of {wanted:#x}, from CR3 {walk.cr3:#x}")
        for line in paging.explain(walk):
            print(f"  {line}")
        if walk.present and not walk.user:
            first = next(entry for entry in walk.entries if not entry.user)
            print(f"  Ring 3 is kept out by {first.name}[{first.index}]: U/S=0.")


def load() -> None:
    Pagewalk()
