# SPDX-License-Identifier: MIT
"""What QEMU's log can tell, one frozen class a kind of record."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Optional, Union

from grader.evidence import registers
from grader.evidence.registers import Registers


@dataclass(frozen=True)
class Interrupt:
    """One delivery of an exception or interrupt, with the state just before it.

    Fields bear QEMU's names: v vector, e error code, i 1 for `int n`, ip the
    offset and pc the linear address of the instruction (CS base added).
    hardware: a `Servicing hardware` line stood directly before; checked: a
    `check_exception` line did, and old and new are its numbers.
    """

    number: int
    v: int
    e: int
    i: int
    cpl: int
    cs: int
    ip: int
    pc: int
    ss: int
    sp: int
    hardware: bool = False
    checked: bool = False
    old: Optional[int] = None
    new: Optional[int] = None
    dump: bytes = field(default=b"", repr=False, compare=False)

    @cached_property
    def regs(self) -> Registers:
        """The register dump, read when first asked for."""
        return registers.parse(self.dump)

    @property
    def cr2(self) -> int:
        """CR2 of the dump (for a #PF the address accessed); 0 if cut off."""
        return self.regs.get("CR2", 0)

    @property
    def fault(self) -> bool:
        """An exception that an instruction or a delivery raised."""
        return self.checked and not self.hardware and self.i == 0


@dataclass(frozen=True)
class TripleFault:
    """The `Triple fault` line; old and new are those of the line before it."""

    old: Optional[int] = None
    new: Optional[int] = None


@dataclass(frozen=True)
class Reset:
    """A CPU reset; QEMU prints two of them as the machine is switched on."""


@dataclass(frozen=True)
class Block:
    """A `Trace` line: a translated block that was entered.

    pc: linear address. flags: QEMU's, the low two bits are the CPL. stopped: a
    `Stopped execution` line for this block follows, so it may not have run. dump:
    the registers on entry, where `-d cpu` was asked for.
    """

    pc: int
    flags: int
    cs_base: int = 0
    cflags: int = 0
    stopped: bool = False
    dump: bytes = field(default=b"", repr=False, compare=False)

    @cached_property
    def regs(self) -> Registers:
        """The registers on entry, read when first asked for."""
        return registers.parse(self.dump)

    @property
    def cpl(self) -> int:
        """The privilege level at which the block was entered."""
        return self.flags & 3


@dataclass(frozen=True)
class Code:
    """An `in_asm` entry. pc: linear address; code: the bytes translated."""

    pc: int
    code: bytes


@dataclass(frozen=True)
class DeviceTrace:
    """A line of `-d trace:NAME`, such as pckbd_kbd_read_status."""

    name: str
    text: str


Event = Union[Interrupt, TripleFault, Reset, Block, Code, DeviceTrace]
