# SPDX-License-Identifier: MIT
"""One machine instruction in words, through capstone (loaded on first use)."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Mapping, Optional

MAX_INSTRUCTION_BYTES = 15


@dataclass(frozen=True)
class Instruction:
    """A decoded instruction, in Intel syntax as NASM writes it."""

    address: int
    code: bytes
    mnemonic: str
    operands: str

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.code)

    def __str__(self) -> str:
        return f"{self.mnemonic} {self.operands}".strip()


@dataclass(frozen=True)
class Place:
    """What an operand in memory is made of; names of registers in lower case."""

    base: str
    index: str
    scale: int
    displacement: int
    bits: int

    def address(self, registers: Mapping[str, int]) -> int:
        """The address with these registers; one that is not known counts as 0."""
        base = registers.get(self.base, 0)
        scaled = registers.get(self.index, 0) * self.scale
        return base + scaled + self.displacement & (1 << self.bits) - 1


@lru_cache(maxsize=None)
def _engine(bits: int, detail: bool = False) -> Any:
    capstone = importlib.import_module("capstone")
    modes = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}
    engine = capstone.Cs(capstone.CS_ARCH_X86, modes[bits])
    engine.detail = detail
    return engine


_ON_STACK = ("push", "pop", "call", "ret", "leave")


def memory(code: bytes, address: int, bits: int) -> list[Place]:
    """What the first instruction of `code` reads or writes; the stack too."""
    found: list[Place] = []
    window = code[:MAX_INSTRUCTION_BYTES]
    for item in _engine(bits, detail=True).disasm(window, address, 1):
        for operand in item.operands:
            if operand.type == importlib.import_module("capstone.x86").X86_OP_MEM:
                part = operand.mem
                base, index = map(item.reg_name, (part.base, part.index))
                found.append(
                    Place(base or "", index or "", part.scale, part.disp, bits)
                )
        if item.mnemonic.startswith(_ON_STACK):
            found.append(Place("rsp" if bits == 64 else "esp", "", 0, 0, bits))
    return found


def one(code: bytes, address: int, bits: int) -> Optional[Instruction]:
    """The first instruction of `code`, or None if it is none.

    address: where it stands; bits: 16, 32 or 64, the mode of the code segment.
    """
    found = many(code[:MAX_INSTRUCTION_BYTES], address, bits, 1)
    return found[0] if found else None


def many(code: bytes, address: int, bits: int, count: int = 0) -> list[Instruction]:
    """The instructions of `code` up to the first that is none; count 0: all."""
    found: list[Instruction] = []
    for at, size, mnemonic, operands in _engine(bits).disasm_lite(code, address, count):
        raw = code[at - address :][:size]
        found.append(Instruction(at, raw, mnemonic, operands))
    return found
