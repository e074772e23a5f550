# SPDX-License-Identifier: MIT
"""The command `ring` for gdb: in which ring is the CPU, and by which selector."""

from __future__ import annotations

import re

import gdb  # type: ignore[import]


class Ring(gdb.Command):  # type: ignore[misc]
    """ring: print CS with its RPL, the CPL, and where the CPU is.

    RPL is what the low two bits of the selector say; CPL is what the CPU acts on.
    QEMU's monitor is asked for CPL, because the debugger's protocol leaves it out."""

    def __init__(self) -> None:
        super().__init__("ring", gdb.COMMAND_STATUS)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Print one line of state and one of place; gdb.GdbError without a machine."""
        del argument, from_tty
        try:
            text = gdb.execute("monitor info registers", to_string=True)
        except gdb.error as error:
            raise gdb.GdbError(f"no machine to ask: {error}") from error
        cpl = re.search(r"\bCPL=(\d)", text)
        segment = re.search(r"^CS\s*=\s*([0-9a-f]{4})", text, re.MULTILINE)
        cr0 = re.search(r"\bCR0=([0-9a-f]+)", text)
        if cpl is None or segment is None or cr0 is None:
            raise gdb.GdbError("QEMU's monitor shows no registers; is this QEMU?")
        cs = int(segment[1], 16)
        if int(cr0[1], 16) & 1:
            print(f"CS = {cs:#06x} (index {cs >> 3}), RPL = {cs & 3}, CPL = {cpl[1]}")
        else:
            print(f"CS = {cs:#06x}, real mode: no rings yet (CPL = {cpl[1]})")
        gdb.execute("info symbol $pc")


Ring()
