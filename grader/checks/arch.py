# SPDX-License-Identifier: MIT
"""What differs between the architectures: registers, words, names of instructions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class HasArch(Protocol):
    """A case, a plan or the evidence of a boot."""

    @property
    def arch(self) -> str:
        ...


@dataclass(frozen=True)
class Arch:
    """Names as sources and manuals have them; registers of dumps in upper case.

    word: struct letter of a machine word. frame: struct trap_frame from its lowest
    address upwards. general: the registers in it that an entry stub pushes. segments:
    the data segments that mean something, so that a frame holds them and a handler
    loads them. preserved: what a C function keeps, besides the stack pointer. stack0:
    the stack pointer of ring 0 in the TSS. argument: where a C function finds its
    first.
    """

    word: str
    frame: tuple[str, ...]
    general: tuple[str, ...]
    segments: tuple[str, ...]
    preserved: tuple[str, ...]
    ip: str
    sp: str
    flags: str
    iret: str
    stack0: str
    argument: str

    def register(self, short: str) -> str:
        """The full name of a register that dumps and probes call ax, r8, ip or ds."""
        if short == "flags":
            return self.flags.lower()
        wide = short[1:] in ("x", "i", "p")
        return self.sp[0].lower() + short if wide else short

    def words(self, count: int) -> str:
        """The struct format of so many machine words, without padding."""
        return f"{count}{self.word}"


_PUSHED = ("vector", "error", "ip", "cs", "flags", "sp", "ss")
_ARCHES = {
    "i386": Arch(
        word="I",
        frame=(
            *("gs", "fs", "es", "ds", "edi", "esi", "ebp", "pusha_esp"),
            *("ebx", "edx", "ecx", "eax", *_PUSHED),
        ),
        general=("edi", "esi", "ebp", "ebx", "edx", "ecx", "eax"),
        segments=("ds", "es", "fs", "gs"),
        preserved=("ebx", "esi", "edi", "ebp"),
        ip="EIP",
        sp="ESP",
        flags="EFLAGS",
        iret="iretd",
        stack0="esp0",
        argument="on the stack, above the return address",
    ),
    "x86_64": Arch(
        word="Q",
        frame=(
            *("r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8"),
            *("rdi", "rsi", "rbp", "rbx", "rdx", "rcx", "rax", *_PUSHED),
        ),
        general=(
            *("r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8"),
            *("rdi", "rsi", "rbp", "rbx", "rdx", "rcx", "rax"),
        ),
        segments=(),
        preserved=("rbx", "rbp", "r12", "r13", "r14", "r15"),
        ip="RIP",
        sp="RSP",
        flags="RFLAGS",
        iret="iretq",
        stack0="rsp0",
        argument="in rdi",
    ),
}


def arch_of(place: HasArch) -> Arch:
    """The table of a case, a plan or a boot's evidence."""
    return _ARCHES[place.arch]
