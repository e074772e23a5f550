# SPDX-License-Identifier: MIT
"""Mistakes in calls of 11 are named where a panic or a standstill gives them away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Optional, cast

import pytest

from grader.evidence import mistakes
from grader.evidence.registers import Registers
from grader.evidence.scene import Diagnosis, Scene, signature
from grader.evidence.symbols import Place
from grader.evidence.trace import Interrupt

USER = 0xB1000000
IN_SPAWN = ["at 0x00108700 copy_string+0x1c", "at 0x001087fc sys_spawn+0x3c"]
IN_LOADER = ["at 0x00108000 put+0x1", "at 0x00108010 elf_load+0x9", *IN_SPAWN]
PLAIN = signature("panic", "It was seen.", "", reason="why")


class At:
    """Every address lies in one function; the image has sys_wait."""

    def __init__(self, function: str) -> None:
        self.function = function

    def at(self, address: int) -> Optional[Place]:
        return Place(address, self.function, 0)

    def find(self, name: str) -> Optional[int]:
        return 1 if name == "sys_wait" else None


def fault(cr2: int, cpl: int = 0, vector: int = 14) -> Interrupt:
    return cast(Interrupt, SimpleNamespace(v=vector, cpl=cpl, cr2=cr2))


def stand(function: str, flags: int, end: str = "CPU_LIMIT") -> Diagnosis:
    regs = Registers({"EIP": 0x106870, "EFL": flags})
    scene = Scene("i386", end, registers=regs, symbols=At(function))
    return mistakes.of_wait(scene, PLAIN)


def test_kernels_fault_in_a_call_asks_for_each_byte_of_ring_3() -> None:
    found = mistakes.of_fault(PLAIN, fault(USER), IN_SPAWN)
    assert "sys_spawn" in found.cause and "not the first alone" in found.hint


@pytest.mark.parametrize(
    "event, calls",
    [
        (fault(USER), IN_LOADER),
        (fault(0x3C), IN_SPAWN),
        (fault(USER, cpl=3), IN_SPAWN),
        (fault(USER, vector=13), IN_SPAWN),
    ],
)
def test_other_faults_of_the_kernel_say_nothing_of_ring_3(
    event: Interrupt, calls: list[str]
) -> None:
    assert mistakes.of_fault(PLAIN, event, calls) == PLAIN


def test_wait_that_stands_with_interrupts_off_is_told_to_let_them_in() -> None:
    found = stand("thread_yield", 0x2)
    assert "interrupts off" in found.cause and "cpu_sti" in found.hint


@pytest.mark.parametrize(
    "function, flags, end",
    [
        ("thread_yield", 0x202, "CPU_LIMIT"),
        ("memset", 0x2, "CPU_LIMIT"),
        ("sys_wait", 0x2, "LOG_LIMIT"),
    ],
)
def test_who_lets_interrupts_in_or_does_not_wait_is_told_nothing_of_it(
    function: str, flags: int, end: str
) -> None:
    assert stand(function, flags, end) == PLAIN
