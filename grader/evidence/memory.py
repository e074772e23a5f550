# SPDX-License-Identifier: MIT
"""Guest memory after a run: physical bytes, and virtual ones through the tables."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Protocol, Union

from grader.evidence import paging


class Physical(Protocol):
    """Anything that reads physical memory; short or empty where there is none."""

    def read(self, pa: int, size: int) -> bytes:
        """Up to `size` bytes from physical address `pa`."""


class Ram:
    """The guest's RAM: physical address equals offset.

    source: the bytes, or the file that backed the machine's memory (mapped, not
    read in; a missing or empty file is no memory).
    """

    def __init__(self, source: Union[bytes, Path]) -> None:
        self._data: Union[bytes, mmap.mmap] = b""
        if isinstance(source, bytes):
            self._data = source
        elif source.is_file() and source.stat().st_size:
            with source.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @property
    def size(self) -> int:
        """Bytes of RAM."""
        return len(self._data)

    def read(self, pa: int, size: int) -> bytes:
        """Up to `size` bytes; fewer at the end of RAM, none outside."""
        if pa < 0 or size <= 0:
            return b""
        return bytes(self._data[pa : pa + size])

    def find(self, data: bytes) -> Optional[int]:
        """The lowest physical address at which these bytes lie, or None."""
        at = self._data.find(data)
        return at if at >= 0 else None

    def number(self, pa: int, size: int) -> Optional[int]:
        """A little-endian number of `size` bytes, or None outside RAM."""
        raw = self.read(pa, size)
        return int.from_bytes(raw, "little") if len(raw) == size else None


@dataclass(frozen=True)
class Space:
    """One address space. cr3 None: paging is off, linear equals physical."""

    ram: Physical
    arch: str
    cr3: Optional[int] = None

    def read(self, va: int, size: int) -> bytes:
        """Bytes at a linear address; ends before the first page not present."""
        if self.cr3 is None:
            return self.ram.read(va, size)
        parts: list[bytes] = []
        left = size
        while left > 0:
            walk = paging.translate(self.ram, self.cr3, va, self.arch)
            if walk.pa is None:
                break
            wanted = min(left, paging.PAGE_BYTES - va % paging.PAGE_BYTES)
            piece = self.ram.read(walk.pa, wanted)
            parts.append(piece)
            if len(piece) < wanted:
                break
            va += wanted
            left -= wanted
        return b"".join(parts)

    def number(self, va: int, size: int) -> Optional[int]:
        """A little-endian number of `size` bytes, or None where unreadable."""
        raw = self.read(va, size)
        return int.from_bytes(raw, "little") if len(raw) == size else None

    def walk(self, va: int) -> Optional[paging.Walk]:
        """The page walk of an address, or None with paging off."""
        if self.cr3 is None:
            return None
        return paging.translate(self.ram, self.cr3, va, self.arch)
