# SPDX-License-Identifier: MIT
"""What a boot asks of the machine, and what it leaves behind."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20
MARK = "[ringlab]"
TASK_OPEN = r"\[ringlab\] task (\d+\.\d+) is open\r?\n"
PANIC = r"\[ringlab\] panic:[^\n]*\n"
PANIC_END = r"\[ringlab\] panic end\r?\n"


class Via(enum.Enum):
    """How the kernel is loaded."""

    DIRECT = "direct"  # QEMU's own Multiboot loader
    GRUB = "grub"  # from a CD, see iso.py and grub.py


class End(enum.Enum):
    """Why a run ended."""

    DONE = "done"  # the awaited end came
    TRIPLE_FAULT = "triple fault"
    RESET = "reset"
    SHUTDOWN = "shutdown"
    HALTED = "halted"  # HLT with interrupts off, where nobody waited for it
    CPU_LIMIT = "cpu limit"
    WALL_LIMIT = "wall limit"
    CONSOLE_LIMIT = "console limit"
    LOG_LIMIT = "log limit"
    QEMU_ABORT = "qemu abort"
    PANIC = "panic"
    TASK_OPEN = "task open"


@dataclass(frozen=True)
class Module:
    """A Multiboot module: its string is `name args`, and argv[0] is the name."""

    name: str
    data: bytes
    args: str = ""


@dataclass(frozen=True)
class Step:
    """Wait for `expect` (a regular expression) on the console, then type `send`."""

    expect: str
    send: str = ""


@dataclass(frozen=True)
class Limits:
    """CPU seconds of QEMU and bytes; wall_s is only a guard behind cpu_s.

    Idle guests with a real clock burn no CPU time: there wall_s is what ends them.
    """

    cpu_s: float = 4.0
    wall_s: float = 60.0
    console_bytes: int = 64 << 10  # a quarter is too much when cpu_s is used up
    log_bytes: int = 8 * MIB
    memory_bytes: int = 1 << 30


@dataclass(frozen=True)
class At:
    """Register predicate: the CPU is at privilege `cpl`, with low <= IP <= high."""

    cpl: int
    low: int
    high: int

    def __call__(self, registers: str) -> bool:
        from grader.machine.registers import state

        now = state(registers)
        return now.cpl == self.cpl and self.low <= now.ip <= self.high


@dataclass(frozen=True)
class Until:
    """The end that a boot waits for.

    line: a console line (regular expression without its line end), after which the
    guest must halt with interrupts off; `halt`, if given, is the range (first, last) of
    the instruction pointer in that halt, and a halt elsewhere is End.HALTED. With no
    line and a range, the halt alone will do.
    registers: a predicate over HMP's `info registers`, asked with the guest stopped,
    every 25 ms; for guests that spin in ring 3. If both are given, either will do.
    """

    line: str | None = r"\[ringlab\] end of [^\r\n]*"
    halt: tuple[int, int] | None = None
    registers: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Boot:
    """One boot of an image.

    elf: the stripped image. cmdline: the words after the kernel's name. trace: items of
    QEMU's -d. trace_ranges: (first, last) addresses for -dfilter. icount_shift: 2**n ns
    of virtual time an instruction, None for a real clock (and always by GRUB). screen:
    set the VGA's text mode up and take its cells in the end, as GRUB boots do.
    """

    name: str
    elf: Path
    cmdline: str = ""
    modules: tuple[Module, ...] = ()
    via: Via = Via.DIRECT
    trace: tuple[str, ...] = ("int", "cpu_reset")
    trace_ranges: tuple[tuple[int, int], ...] = ()
    script: tuple[Step, ...] = ()
    until: Until = field(default_factory=Until)
    icount_shift: int | None = 2
    ram_mib: int = 32
    arch: str = "i386"
    limits: Limits = field(default_factory=Limits)
    screen: bool = False


@dataclass(frozen=True)
class Run:
    """What a boot left in `folder`.

    console: all bytes of the serial line, up to the limit. registers: HMP's `info
    registers` at the end, "" if QEMU died. ram: guest memory by physical address.
    exit_status: QEMU's own, None if it ran until the grader ended it; 128 + n is signal
    n. stderr: QEMU's messages, at most 16 KiB. steps: how many script steps were done.
    rss_kib: QEMU's peak. first_byte_s: wall time to the first byte on the console.
    screen: the 4000 bytes of VGA text at 0xb8000, None if not asked or QEMU died.
    """

    folder: Path
    end: End
    detail: str
    exit_status: int | None
    console: bytes
    trace: Path
    trace_truncated: bool
    registers: str
    ram: Path
    cpu_s: float
    wall_s: float
    stderr: str = ""
    steps: int = 0
    rss_kib: int = 0
    tier: str = ""
    first_byte_s: float = 0.0
    screen: Path | None = None
