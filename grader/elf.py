# SPDX-License-Identifier: MIT
"""The symbol table of an ELF file as rows of plain numbers.

pyelftools makes several objects of each symbol: a third of a second for a kernel's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

# Elf32_Sym and Elf64_Sym of the ELF specification.
SYM32, SYM64 = struct.Struct("<IIIBBH"), struct.Struct("<IBBHQQ")
SHN_UNDEF, SHN_ABS = 0, 0xFFF1
STB_LOCAL = 0
STT_NOTYPE, STT_OBJECT, STT_FUNC = 0, 1, 2


class Row(NamedTuple):
    """name: b"" if it has none; section: its number, or SHN_…; size: in bytes."""

    name: bytes
    binding: int
    kind: int
    section: int
    value: int
    size: int


def symbols(elf: ELFFile) -> Iterator[Row]:
    """Every symbol of .symtab, in its order; none if there is no such section."""
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return
    names, data = table.stringtable.data(), table.data()
    if elf.elfclass == 64:
        rows = ((n, i, s, v, b) for n, i, _, s, v, b in SYM64.iter_unpack(data))
    else:
        rows = ((n, i, s, v, b) for n, v, b, i, _, s in SYM32.iter_unpack(data))
    for at, info, section, value, size in rows:
        name = names[at : names.index(b"\0", at)] if at else b""
        yield Row(name, info >> 4, info & 0xF, section, value, size)
