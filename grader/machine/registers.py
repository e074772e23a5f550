# SPDX-License-Identifier: MIT
"""The few facts of HMP's `info registers` that decide whether a run is over."""

from __future__ import annotations

import re
from dataclasses import dataclass

IP = re.compile(r"\b[ER]IP=([0-9a-f]+)")
FLAGS = re.compile(r"\b[ER]FL=([0-9a-f]+)")
CPL = re.compile(r"\bCPL=(\d)")
HLT = re.compile(r"\bHLT=(\d)")
EFLAGS_IF = 1 << 9


@dataclass(frozen=True)
class State:
    """Instruction pointer, privilege level, HLT, and EFLAGS.IF."""

    ip: int
    cpl: int
    halted: bool
    interrupts: bool


def state(text: str) -> State:
    """Parse `info registers`; what is missing reads as 0 or, for interrupts, as on."""
    ip, flags = IP.search(text), FLAGS.search(text)
    cpl, hlt = CPL.search(text), HLT.search(text)
    return State(
        ip=int(ip[1], 16) if ip else 0,
        cpl=int(cpl[1]) if cpl else 0,
        halted=bool(hlt and hlt[1] == "1"),
        interrupts=bool(int(flags[1], 16) & EFLAGS_IF) if flags else True,
    )
