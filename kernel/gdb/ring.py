# SPDX-License-Identifier: MIT
"""The command `ring`: in which ring is the CPU, and by which selector."""

from __future__ import annotations

from kernel.gdb.machine import Command, look


class Ring(Command):
    """ring: print CS with its RPL, the CPL, and where the CPU is.

    RPL is what the low two bits of the selector say; CPL is what the CPU acts on.
    QEMU's monitor is asked for CPL, because the debugger's protocol leaves it out."""

    name = "ring"

    def run(self, argument: str) -> None:
        now = look()
        cs, cpl = now.regs.segments["CS"].selector, now.regs.cpl
        if now.protected:
            print(f"CS = {cs:#06x} (index {cs >> 3}), RPL = {cs & 3}, CPL = {cpl}")
        else:
            print(f"CS = {cs:#06x}, real mode: no rings yet (CPL = {cpl})")
        at = now.regs.ip or 0
        print(f"{now.name(at) or f'{at:#x}, outside of the kernel'}")


def load() -> None:
    Ring()
