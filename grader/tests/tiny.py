# SPDX-License-Identifier: MIT
"""A kernel in a few lines of assembly, for tests of the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.machine import Boot, Run, run
from grader.sandbox import detect

# A Multiboot kernel: say(esi) prints a string, listen() returns a byte of COM1 in al.
KERNEL = """
bits 32
global start
section .text
    dd 0x1badb002, 0, -0x1badb002
start:
    mov esp, 0x90000
{body}
    cli
    hlt
say:
    lodsb
    test al, al
    jz .end
    mov ah, al
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    mov al, ah
    mov dx, 0x3f8
    out dx, al
    jmp say
.end:
    ret
listen:
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 1
    jz .wait
    mov dx, 0x3f8
    in al, dx
    ret
align 8
gdt:
    dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00cffa000000ffff, 0x00cff2000000ffff
gdtr: dw $ - gdt - 1
    dd gdt
idtr: dw 0x7ff
    dd 0x300000
nothing: dw 0
    dd 0
{data}
"""
END = 'text: db "[ringlab] end of test", 13, 10, 0'
SAY = "    mov esi, text\n    call say\n"
TRIPLE_FAULT = "    lidt [nothing]\n    ud2\n"
Make = Callable[..., Path]
Start = Callable[..., Run]


def assembler(folder: Path) -> Make:
    """make(body, data) writes the kernel into the folder."""

    def make(body: str, data: str = END) -> Path:
        source = folder / "kernel.asm"
        source.write_text(KERNEL.format(body=body, data=data))
        made, elf = folder / "kernel.o", folder / "kernel.elf"
        subprocess.run(["nasm", "-f", "elf32", source, "-o", made], check=True)
        link = ["ld", "-m", "elf_i386", "-Ttext", "0x100000", "-e", "start"]
        subprocess.run([*link, made, "-o", elf], check=True)
        return elf

    return make


def starter(folder: Path) -> Start:
    """start(body, data, name, **fields of Boot) boots the kernel in folder/name."""
    make = assembler(folder)

    def start(body: str, data: str = END, name: str = "run", **more: Any) -> Run:
        boot = replace(Boot("test", make(body, data)), **more)
        return run(boot, folder / name, detect())

    return start
