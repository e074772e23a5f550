# SPDX-License-Identifier: MIT
"""Symbols of an unstripped image: names to addresses, addresses to source lines.

The image that boots is stripped; these come from the copy that is not.
"""

from __future__ import annotations

import bisect
import importlib
import os.path
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Callable, Mapping, Optional, Protocol

from grader import elf

_ADDR2LINE_SECONDS = 10.0
_ROOT = Path(__file__).resolve().parents[2]


def shown(path: str) -> str:
    """A path of the debug information without this machine's folders in it.

    Relative to the repository; what lies outside of it is shown by its name alone.
    """
    plain = os.path.normpath(path)
    if not os.path.isabs(plain):
        return plain
    for folder in (plain, os.path.realpath(plain)):
        if folder.startswith(f"{_ROOT}/"):
            return folder[len(f"{_ROOT}/") :]
    return os.path.basename(plain)


@dataclass(frozen=True)
class Symbol:
    """One symbol. size: bytes, 0 if the assembler gave none."""

    name: str
    address: int
    size: int
    function: bool


@dataclass(frozen=True)
class Place:
    """Where an address lies, in the student's terms."""

    address: int
    function: str
    offset: int
    file: str = ""
    line: int = 0

    @property
    def source(self) -> str:
        """ "gdt.c:42", or "" when unknown."""
        return f"{self.file}:{self.line}" if self.file and self.line else ""

    def __str__(self) -> str:
        name = self.function + (f"+{self.offset:#x}" if self.offset else "")
        return f"{name} ({self.source})" if self.source else name


class Lookup(Protocol):
    """What explain needs: an address to its place, a name to its address."""

    def at(self, address: int) -> Optional[Place]:
        """The function and line of an address, or None outside the image."""

    def find(self, name: str) -> Optional[int]:
        """The address of a symbol, or None."""


_UNSIZED_BYTES = 1 << 16  # how far a symbol without a size can reach


class Symbols:
    """The symbol table of one ELF file, read on first use.

    rename: turns a path of the debug information into what the student knows.
    """

    def __init__(
        self,
        elf: Path,
        addr2line: str = "addr2line",
        rename: Callable[[str], str] = shown,
    ) -> None:
        self.elf = elf
        self._rename = rename
        self._addr2line = addr2line
        self._lines: dict[int, tuple[str, int]] = {}

    @cached_property
    def _table(self) -> list[Symbol]:
        module = importlib.import_module("elftools.elf.elffile")
        found: list[Symbol] = []
        with self.elf.open("rb") as file:
            for row in elf.symbols(module.ELFFile(file)):
                if not row.name or row.section in (elf.SHN_UNDEF, elf.SHN_ABS):
                    continue  # an absolute symbol is a constant, not an address
                if row.kind in (elf.STT_NOTYPE, elf.STT_OBJECT, elf.STT_FUNC):
                    name = row.name.decode("utf-8", "replace")
                    function = row.kind == elf.STT_FUNC
                    found.append(Symbol(name, row.value, row.size, function))
        return found

    @cached_property
    def _end(self) -> int:
        """One past the last byte of the image: what lies behind is not its own."""
        module = importlib.import_module("elftools.elf.elffile")
        with self.elf.open("rb") as file:
            parts = module.ELFFile(file).iter_sections()
            ends = [p["sh_addr"] + p["sh_size"] for p in parts if p["sh_flags"] & 2]
        return max(ends, default=0)

    @cached_property
    def _by_name(self) -> Mapping[str, Symbol]:
        return {symbol.name: symbol for symbol in reversed(self._table)}

    @cached_property
    def _by_address(self) -> tuple[list[int], list[Symbol]]:
        # Of several names at one address, a function's is the most telling, then what
        # begins there and does not end; a local label of NASM (with a dot) the least.
        chosen: dict[int, Symbol] = {}
        for symbol in self._table:
            other = chosen.get(symbol.address)
            if other is None or _rank(symbol) > _rank(other):
                chosen[symbol.address] = symbol
        ordered = sorted(chosen.values(), key=lambda s: s.address)
        return [s.address for s in ordered], ordered

    def get(self, name: str) -> Optional[Symbol]:
        """A symbol by name, or None."""
        return self._by_name.get(name)

    def find(self, name: str) -> Optional[int]:
        """The address of a symbol, or None."""
        symbol = self.get(name)
        return None if symbol is None else symbol.address

    def all(self) -> list[Symbol]:
        """Every named, defined symbol."""
        return list(self._table)

    def nearest(self, address: int) -> Optional[Symbol]:
        """The symbol that an address lies in: the last one not above it.

        A symbol with a size that ends before the address does not count.
        """
        if address >= self._end:
            return None
        addresses, ordered = self._by_address
        at = bisect.bisect_right(addresses, address) - 1
        while at >= 0:
            symbol = ordered[at]
            size = symbol.size or _UNSIZED_BYTES
            if address < symbol.address + size:
                return symbol
            if symbol.function:
                return None
            at -= 1
        return None

    def line(self, address: int) -> tuple[str, int]:
        """File and line of an address by DWARF; ("", 0) when unknown."""
        if address not in self._lines:
            self._lines[address] = self._ask(address)
        return self._lines[address]

    def _ask(self, address: int) -> tuple[str, int]:
        command = [self._addr2line, "-e", str(self.elf), f"{address:#x}"]
        try:
            answer = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_ADDR2LINE_SECONDS,
                check=False,
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return "", 0
        file, _, rest = answer.strip().rpartition(":")
        digits = rest.split(" ")[0]
        if not file or file == "??" or not digits.isdigit():
            return "", 0
        return self._rename(file), int(digits)

    def at(self, address: int) -> Optional[Place]:
        """The function and line of an address, or None outside the image."""
        symbol = self.nearest(address)
        if symbol is None:
            return None
        file, line = self.line(address)
        return Place(address, symbol.name, address - symbol.address, file, line)


def _rank(symbol: Symbol) -> tuple[bool, ...]:
    begins = not symbol.name.endswith("_end")
    return symbol.function, "." not in symbol.name, begins, symbol.size > 0
