# SPDX-License-Identifier: MIT
"""Where a kernel ends, gdb stops and says why: open task, panic, triple fault."""

from __future__ import annotations

import gdb

from kernel.gdb.machine import Symbols, look, monitor

# The core's places to halt for good (kernel/arch/*/halt.asm).
_HALTS = {
    "task_open_halt": "An open task was reached; its id is on the console.",
    "panic_halt": "The kernel has panicked; why is on the console.",
    "scenario_done": "The demo is over.",
}
_TRIPLE_FAULT = """\
The machine has shut down: a triple fault. An exception could not be delivered, nor the
double fault after it. The CPU stands as it did then, at
  {at:#x} {name}
Look with `x/i $pc`, `gdt`, `idt`, `tss`, `pagewalk $sp`; `make explain` tells the chain
of faults. This machine cannot go on: leave with `quit`."""


class _End(gdb.Breakpoint):  # type: ignore[misc]
    """Stops at one of the places, and says what it means."""

    def __init__(self, name: str) -> None:
        super().__init__(f"*&{name}", internal=True)
        self.silent = True  # where it halts says nothing
        self.text = _HALTS[name]

    def stop(self) -> bool:
        print(self.text)
        return True


def _stopped(event: gdb.StopEvent) -> None:
    if getattr(event, "stop_signal", "") != "SIGQUIT":
        return
    if "(shutdown)" in monitor("info status"):
        now = look()
        at = now.regs.ip or 0
        print(_TRIPLE_FAULT.format(at=at, name=now.name(at) or "outside of the kernel"))


def load() -> None:
    gdb.events.stop.connect(_stopped)
    for name in filter(Symbols().find, _HALTS):
        _End(name)
