# SPDX-License-Identifier: MIT
"""The machine behind gdb, as the grader's evidence: registers, memory, symbols.

Registers come from QEMU's monitor, which knows CPL, GDTR, IDTR and TR; the debugger's
protocol leaves these out. Memory is physical, so that what the guest's page tables say
is read here and not guessed. Neither needs anything of the kernel to be right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import gdb

from grader.evidence import registers
from grader.evidence.exhibit import Exhibit
from grader.evidence.paging import PAGE_BYTES
from grader.evidence.registers import Registers
from grader.evidence.scene import Scene
from grader.evidence.symbols import Place, shown

ROOT = Path(__file__).resolve().parents[2]
CR0_PE = 1


class Command(gdb.Command):  # type: ignore[misc]
    """A command of the course; its docstring is what `help` prints."""

    name = ""

    def __init__(self) -> None:
        super().__init__(self.name, gdb.COMMAND_STATUS)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run it; gdb shows a GdbError as one line."""
        del from_tty
        self.run(argument.strip())

    def run(self, argument: str) -> None:
        """What the command does; argument: the words behind it, or ""."""
        raise NotImplementedError


class Memory:
    """Physical memory as it is while the machine stands still; short where it ends.

    What fits in a page is read by pages, and each only once.
    """

    def __init__(self) -> None:
        self._pages: dict[int, bytes] = {}

    def read(self, pa: int, size: int) -> bytes:
        """Up to `size` bytes from physical address `pa`."""
        if size > PAGE_BYTES:
            return _physical(pa, size)
        first = pa & -PAGE_BYTES
        pages = b"".join(self._page(at) for at in range(first, pa + size, PAGE_BYTES))
        return pages[pa - first :][:size]

    def _page(self, at: int) -> bytes:
        if at not in self._pages:
            self._pages[at] = _physical(at, PAGE_BYTES)
        return self._pages[at]


def _physical(pa: int, size: int) -> bytes:
    """Memory with QEMU's end of the protocol taking addresses for physical ones."""
    mode = "maintenance packet Qqemu.PhyMemMode:"
    gdb.execute(f"{mode}1", to_string=True)
    try:
        return bytes(gdb.selected_inferior().read_memory(pa, size))
    except gdb.MemoryError:
        return b""
    finally:
        gdb.execute(f"{mode}0", to_string=True)


class Symbols:
    """The names and lines that gdb knows, in the shape that explaining wants."""

    def at(self, address: int) -> Optional[Place]:
        """The function and line of an address, or None outside the image."""
        told = gdb.execute(f"info symbol {address:#x}", to_string=True)
        found = re.match(r"(\S+)(?: \+ (\d+))? in section", told)
        if found is None:
            return None
        line = gdb.find_pc_line(address)
        file = "" if line.symtab is None else shown(line.symtab.filename)
        return Place(address, found[1], int(found[2] or 0), file, line.line)

    def find(self, name: str) -> Optional[int]:
        """The address of a symbol, or None."""
        try:
            return int(gdb.parse_and_eval(f"(unsigned long) &'{name}'"))
        except gdb.error:
            return None


@dataclass(frozen=True)
class Now:
    """The machine as it stands: its CPU's registers, and a scene to look things up."""

    regs: Registers
    scene: Scene
    memory: Memory
    symbols: Symbols

    @property
    def size(self) -> int:
        """Bytes of a machine word of the kernel."""
        return 8 if self.scene.arch == "x86_64" else 4

    @property
    def protected(self) -> bool:
        """CR0.PE: the CPU has left real mode, so there are rings and a GDT."""
        return bool(self.regs.get("CR0", 0) & CR0_PE)

    def name(self, address: int) -> str:
        """ "gdt_set+0x12 (gdt.c:42)", or ""."""
        return self.scene.source(address)

    def number(self, address: int) -> Optional[int]:
        """The machine word at a linear address, or None where nothing is mapped."""
        words = self.scene.words(self.regs, address, 1, self.size)
        return words[0] if words else None


def monitor(command: str) -> str:
    """What QEMU's monitor answers; GdbError without a machine."""
    try:
        return str(gdb.execute(f"monitor {command}", to_string=True))
    except gdb.error as error:
        raise gdb.GdbError(f"There is no machine to ask: {error}") from error


def look() -> Now:
    """The machine now; GdbError if there is none, or it is no QEMU."""
    regs = registers.parse(monitor("info registers"))
    if not regs.complete:
        raise gdb.GdbError("The monitor shows no whole set of registers: no QEMU?")
    wide = "64" in gdb.selected_inferior().architecture().name()
    arch = "x86_64" if wide else "i386"
    memory, symbols = Memory(), Symbols()
    scene = Scene(arch, registers=regs, ram=memory, symbols=symbols)
    return Now(regs, scene, memory, symbols)


def address(text: str) -> int:
    """The value of an expression of gdb's (`$sp`, `&gdt`, `entry`, 0x40001000)."""
    try:
        return int(gdb.parse_and_eval(f"(unsigned long) ({text})"))
    except gdb.error as error:
        raise gdb.GdbError(f"{text} is no number: {error}") from error


def constants(header: str) -> dict[str, int]:
    """The `#define NAME number` of a header below kernel/include."""
    text = (ROOT / "kernel/include" / header).read_text(encoding="utf-8")
    found = re.findall(r"(?m)^#define (\w+) (0x[0-9a-fA-F]+|\d+)u?\b", text)
    return {name: int(value, 0) for name, value in found}


def show(exhibit: Exhibit) -> None:
    """Print a table in columns, a wrong row with a mark in front; no empty columns."""
    lines = [exhibit.columns, *(row.cells for row in exhibit.rows)]
    used = [n for n, cells in enumerate(zip(*lines)) if any(cells[1:])]
    widths = {n: max(len(cells[n]) for cells in lines) for n in used}
    marks = ["  ", *("! " if row.differs else "  " for row in exhibit.rows)]
    print(exhibit.title)
    for mark, cells in zip(marks, lines):
        padded = (cells[n].ljust(widths[n]) for n in used)
        print((mark + "  ".join(padded)).rstrip())
    if exhibit.note:
        print(exhibit.note)
