# SPDX-License-Identifier: MIT
"""The border between a student's objects and the grader's image, checked before ld."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.build.model import Message, SubmissionError, escape
from grader.sandbox import Sandbox

# gcc may call these without being asked to, and the core has them.
COMPILER_CALLS = frozenset(
    "memcpy memmove memset memcmp __udivdi3 __umoddi3 __udivmoddi4"
    " __divdi3 __moddi3 __divmoddi4".split()
)
# What the stub of an open task calls, in every stage.
STUB_CALLS = frozenset({"task_open"})

SHT_PROGBITS, SHT_NOBITS = "SHT_PROGBITS", "SHT_NOBITS"
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS = 1, 2, 4, 0x10, 0x20
SHF_INFO_LINK = 0x40
UNLOADED_FLAGS = SHF_MERGE | SHF_STRINGS | SHF_INFO_LINK
LOADED = (
    (re.compile(r"\.text(\..*)?"), SHF_ALLOC | SHF_EXECINSTR),
    (re.compile(r"\.rodata(\..*)?"), SHF_ALLOC | SHF_MERGE | SHF_STRINGS),
    (re.compile(r"\.data(\..*)?"), SHF_ALLOC | SHF_WRITE),
    (re.compile(r"\.bss(\..*)?"), SHF_ALLOC | SHF_WRITE),
)
# Not loaded: symbols, relocations, the compiler's marks, and the debug information that
# kernel.ld has a place for.
UNLOADED = re.compile(
    r"|\.symtab|\.strtab|\.shstrtab|\.rela?\..*|\.comment|\.note\.GNU-stack"
    r"|\.debug_(info|abbrev|line|line_str|str|aranges|pubnames|ranges|rnglists|loc"
    r"|loclists|frame)"
)
GAP_IMAGE_BYTES = 512 << 10
ALIGN_BYTES = 4096
# Section -> what it means, and the words by which the source asks for it.
WHAT = {
    ".init_array": ("a constructor", "constructor"),
    ".ctors": ("a constructor", "constructor"),
    ".preinit_array": ("a constructor", "constructor"),
    ".fini_array": ("a destructor", "destructor"),
    ".dtors": ("a destructor", "destructor"),
    ".group": ("a COMDAT group", "comdat"),
    ".tdata": ("thread-local data", "__thread _Thread_local"),
    ".tbss": ("thread-local data", "__thread _Thread_local"),
    ".table": ("an entry in a table of the kernel", ""),
}


@dataclass
class Gap:
    """A compiled gap file: its name for the student, its object, and its source."""

    name: str
    object: Path
    source: str
    defined: set[str] = field(default_factory=set)
    undefined: set[str] = field(default_factory=set)
    bytes: int = 0


@dataclass(frozen=True)
class Border:
    """The contract of one stage, and how to find lines in objects."""

    stage: str
    provides: Collection[str]
    uses: Collection[str]
    addr2line: str
    sandbox: Sandbox

    def check(self, gaps: list[Gap]) -> None:
        """Raises SubmissionError with every crossing of the border that was found."""
        messages: list[Message] = []
        for gap in gaps:
            try:
                messages += self._object(gap)
            except Exception as error:  # a crafted object can break any parser
                text = f"the object file cannot be read ({type(error).__name__})"
                messages.append(self._message(gap, text, 0))
        messages += self._imports(gaps)
        defined = {symbol for gap in gaps for symbol in gap.defined}
        for symbol in self.provides:
            if symbol not in defined:
                text = f"task: function {symbol} is missing"
                first = _likely_home(gaps, symbol)
                messages.append(self._message(first, text, 0))
        if sum(gap.bytes for gap in gaps) > GAP_IMAGE_BYTES:
            text = f"code and data are larger than {GAP_IMAGE_BYTES >> 10} KiB"
            largest = max(gaps, key=lambda gap: gap.bytes)
            messages.append(self._message(largest, text, 0))
        if messages:
            raise SubmissionError(messages)

    def _message(self, gap: Gap, text: str, line: int) -> Message:
        return Message(gap.name, line, 0, "error", escape(text), self.stage)

    def _object(self, gap: Gap) -> Iterator[Message]:
        from elftools.elf.elffile import ELFFile

        with open(gap.object, "rb") as stream:
            elf = ELFFile(stream)
            for section in elf.iter_sections():
                why = _section_fault(section)
                if why is not None:
                    yield self._message(gap, why, _line_of_section(gap, section.name))
                elif section["sh_flags"] & SHF_ALLOC:
                    gap.bytes += section["sh_size"]
            table = elf.get_section_by_name(".symtab")
            for symbol in table.iter_symbols() if table is not None else ():
                yield from self._symbol(gap, symbol)

    def _symbol(self, gap: Gap, symbol: Any) -> Iterator[Message]:
        name = symbol.name
        bind, kind = symbol["st_info"]["bind"], symbol["st_info"]["type"]
        home = symbol["st_shndx"]
        why = None
        if bind == "STB_LOCAL":
            if kind not in ("STT_LOOS", "STT_GNU_IFUNC", "STT_TLS"):
                return
        if not name and home == "SHN_UNDEF":
            return
        if kind in ("STT_LOOS", "STT_GNU_IFUNC"):
            why = f"{name} is an indirect function (ifunc)"
        elif kind == "STT_TLS":
            why = f"{name} is thread-local"
        elif home == "SHN_COMMON":
            why = f"{name} is a common symbol; give it a value, or make it static"
        elif home == "SHN_ABS" and bind != "STB_LOCAL":
            why = f"{name} is an absolute symbol; define it in a section"
        elif home == "SHN_UNDEF":
            gap.undefined.add(name)
        elif bind == "STB_WEAK" and name in self.provides:
            why = f"{name} is weak; a function of the contract may not be"
        elif bind not in ("STB_GLOBAL", "STB_WEAK"):
            why = f"{name} has an unusual binding ({bind})"
        elif kind == "STT_OBJECT" and name in self.uses:
            why = f"{name} belongs to the kernel: use it, and define no other"
        else:
            gap.defined.add(name)
        if why is not None:
            yield self._message(gap, why, line_of_word(gap.source, name))

    def _imports(self, gaps: list[Gap]) -> Iterator[Message]:
        own = {symbol for gap in gaps for symbol in gap.defined}
        allowed = own | set(self.uses) | COMPILER_CALLS | STUB_CALLS
        for gap in gaps:
            for symbol in sorted(gap.undefined - allowed):
                line = self._first_use(gap, symbol) or line_of_word(gap.source, symbol)
                text = (
                    f"{symbol} is used, but is not among what this stage may use; the "
                    f"list is in assignments/{self.stage}/assignment.toml, under uses"
                )
                yield self._message(gap, text, line)

    def _first_use(self, gap: Gap, symbol: str) -> int:
        """The source line of the first relocation against symbol, 0 if unknown."""
        from elftools.elf.elffile import ELFFile
        from elftools.elf.relocation import RelocationSection

        with open(gap.object, "rb") as stream:
            elf = ELFFile(stream)
            for section in elf.iter_sections():
                if not isinstance(section, RelocationSection):
                    continue
                target = elf.get_section(section["sh_info"])
                if not target["sh_flags"] & SHF_EXECINSTR:
                    continue
                names = elf.get_section(section["sh_link"])
                for entry in section.iter_relocations():
                    if names.get_symbol(entry["r_info_sym"]).name == symbol:
                        return self._line(gap, target.name, entry["r_offset"])
        return 0

    def _line(self, gap: Gap, section: str, offset: int) -> int:
        home = gap.object.parent
        argv = [self.addr2line, "-e", str(gap.object), hex(offset)]
        if not self.addr2line.startswith("llvm-"):
            argv += ["-j", section]
        elif section != ".text":
            return 0  # LLVM's takes the first section that reaches so far
        try:
            result = self.sandbox.run(argv, cwd=home, ro=[home])
        except (OSError, subprocess.SubprocessError):
            return 0
        found = re.search(rb":(\d+)", result.stdout)
        return int(found[1]) if found else 0


def _section_fault(section: Any) -> str | None:
    """Why this section may not be there, or None."""
    name, flags, kind = section.name, section["sh_flags"], section["sh_type"]
    for prefix, (what, _) in WHAT.items():
        if name == prefix or name.startswith(prefix + "."):
            return f"section {name} is not allowed: {what}"
    if not flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR):
        if UNLOADED.fullmatch(name) and not flags & ~UNLOADED_FLAGS:
            return None
        return f"section {name} is not allowed; use .text, .rodata, .data or .bss"
    for pattern, most in LOADED:
        if pattern.fullmatch(name):
            if flags & ~most or kind not in (SHT_PROGBITS, SHT_NOBITS):
                return f"section {name} has attributes that it may not have"
            if section["sh_addralign"] > ALIGN_BYTES:
                return f"section {name} is aligned to more than {ALIGN_BYTES} bytes"
            return None
    return f"section {name} is not allowed; use .text, .rodata, .data or .bss"


def _line_of_section(gap: Gap, name: str) -> int:
    """The line that names the section, or asks for it in other words."""
    words = [name]
    for prefix, (_, more) in WHAT.items():
        if name == prefix or name.startswith(prefix + "."):
            words += more.split()
    lines = (line_of_word(gap.source, word) for word in words)
    return next((line for line in lines if line), 0)


def _likely_home(gaps: list[Gap], symbol: str) -> Gap:
    """The gap file that mentions the symbol, else the first one."""
    return next((gap for gap in gaps if line_of_word(gap.source, symbol)), gaps[0])


def line_of_word(source: str, word: str) -> int:
    """The first line on which word stands alone, 0 if on none."""
    if not word:
        return 0
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")
    for number, line in enumerate(source.split("\n"), 1):
        if pattern.search(line):
            return number
    return 0
