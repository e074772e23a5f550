# SPDX-License-Identifier: MIT
"""One machine instruction in words, through capstone (loaded on first use)."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Optional

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


@lru_cache(maxsize=None)
def _engine(bits: int) -> Any:
    capstone = importlib.import_module("capstone")
    modes = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}
    return capstone.Cs(capstone.CS_ARCH_X86, modes[bits])


def one(code: bytes, address: int, bits: int) -> Optional[Instruction]:
    """The first instruction of `code`, or None if it is none.

    address: where it stands; bits: 16, 32 or 64, the mode of the code segment.
    """
    window = code[:MAX_INSTRUCTION_BYTES]
    for found in _engine(bits).disasm_lite(window, address, 1):
        _, size, mnemonic, operands = found
        return Instruction(address, window[:size], mnemonic, operands)
    return None
