# SPDX-License-Identifier: MIT
"""The cheap reader of register dumps agrees with the full one, on recorded logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks.threads import MARKED, registers
from grader.evidence import trace

DATA = Path(__file__).with_name("data") / "evidence"


@pytest.mark.parametrize("name", ["timer.log", "x64-gp.log"])
def test_general_registers_and_flags_are_those_of_the_full_parser(name: str) -> None:
    events = trace.interrupts(trace.parse(DATA / name))
    assert events
    for event in events:
        cheap, full = registers(event.dump), event.regs
        assert cheap["fl"] == full.flags
        assert cheap["ip"] == full.ip
        assert cheap["sp"] == full.sp
        arch = "x86_64" if "RIP" in full else "i386"
        for register in (*MARKED[arch], "cx"):
            want = full.get(register.upper(), None)
            if want is None:
                want = full.general(register)
            assert cheap[register] == want, register
