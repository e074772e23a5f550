# SPDX-License-Identifier: MIT
"""Console, screen, symbols and disassembly must show what is there, and no more."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.evidence import console, disasm, registers
from grader.evidence.memory import Ram
from grader.evidence.screen import SCREEN_BYTES, Screen
from grader.evidence.symbols import Symbols, shown
from grader.settings import ROOT

ASM = """bits 32
section .text
global entry:function (entry.end - entry)
entry:
    cli
.loop:
    jmp .loop
.end:
global first_end
first_end:
global second
second:
    hlt
global data_word
section .data
data_word: dd 1
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    (folder / "a.asm").write_text(ASM)
    nasm = ["nasm", "-f", "elf32", "-g", "-F", "dwarf", "a.asm", "-o", "a.o"]
    subprocess.run(nasm, cwd=folder, check=True)
    link = "ld -m elf_i386 -Ttext=0x100000 -e entry a.o -o a.elf".split()
    subprocess.run(link, cwd=folder, check=True)
    return folder / "a.elf"


def test_symbols_find_function_and_line(image: Path) -> None:
    symbols = Symbols(image, rename=lambda path: Path(path).name)
    assert symbols.find("entry") == 0x100000 and symbols.find("nothing") is None
    place = symbols.at(0x100000)
    assert place is not None and place.function == "entry"
    assert place.source == "a.asm:5" and str(place) == "entry (a.asm:5)"
    loop = symbols.at(0x100001)
    assert loop is not None and loop.source == "a.asm:7"
    assert symbols.at(0x10) is None
    both = symbols.at(0x100003)
    assert both is not None and both.function == "second"  # not where another ends
    word = symbols.get("data_word")
    assert word is not None and not word.function


def test_no_path_of_this_machine_is_shown(image: Path) -> None:
    place = Symbols(image).at(0x100000)
    assert place is not None and place.file == "a.asm"  # outside the repository
    inside = str(ROOT / "grader" / "scenarios" / "i386" / ".." / "common.c")
    assert shown(inside) == "grader/scenarios/common.c"
    assert shown("01-gdt/./gdt.c") == "01-gdt/gdt.c"


def test_a_missing_addr2line_costs_only_the_line(image: Path) -> None:
    place = Symbols(image, addr2line="/nonexistent").at(0x100000)
    assert place is not None and place.source == "" and str(place) == "entry"


def test_one_instruction_is_shown_as_nasm_writes_it() -> None:
    found = disasm.one(bytes.fromhex("ec90"), 0x1000, 32)
    assert found is not None and str(found) == "in al, dx" and found.size == 1
    long = disasm.one(bytes.fromhex("48cf"), 0, 64)
    assert long is not None and long.mnemonic == "iretq"
    assert disasm.one(b"", 0, 32) is None


@given(st.binary(max_size=400))
def test_sanitised_text_holds_no_control_characters(raw: bytes) -> None:
    text = console.sanitise(raw)
    assert all(c in "\n\t" or c.isprintable() for c in text)
    console.tail(raw)
    console.panic(raw)


def test_escape_sequences_vanish_and_others_show() -> None:
    raw = b"\x1b[31mred\x1b[0m\r\n\x1b]0;title\x07ok\x00\xff"
    assert console.lines(raw) == ["red", "ok\\x00\ufffd"]


def test_the_last_panic_is_found() -> None:
    raw = b"x\r\n[ringlab] panic: #GP\r\nEIP=1\r\n[ringlab] panic end\r\n"
    assert console.panic(raw) == ["#GP", "EIP=1"]
    assert console.panic(b"nothing") is None


def test_screen_cells() -> None:
    raw = bytearray(b" \x07" * 2000)
    raw[160:164] = b"K\x1eU\x1e"
    screen = Screen(bytes(raw))
    assert screen.line(1) == "KU" and screen.count("K") == 1
    assert screen.cell(1, 0).foreground == 14 and screen.cell(1, 0).background == 1
    assert len(raw) == SCREEN_BYTES and Screen(b"").lines() == [""] * 25
    with pytest.raises(IndexError):
        screen.cell(25, 0)


def test_ram_reads_no_further_than_it_goes(tmp_path: Path) -> None:
    (tmp_path / "ram").write_bytes(b"abcd")
    ram = Ram(tmp_path / "ram")
    assert ram.read(2, 9) == b"cd" and ram.read(9, 1) == b"" == ram.read(-1, 4)
    assert ram.number(0, 4) == 0x64636261 and ram.number(2, 4) is None
    assert Ram(tmp_path / "none").size == 0


def test_only_the_first_cpu_of_a_dump_counts() -> None:
    regs = registers.parse("CPU#0\nEIP=00000001 EFL=00000002\nCPU#1\nEIP=00000005")
    assert regs.ip == 1 and not regs.complete
