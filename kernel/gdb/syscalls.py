# SPDX-License-Identifier: MIT
"""The command `syscalls`: every `int 0x80` with its arguments and its result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

import gdb

from grader.evidence.paging import PAGE_BYTES
from grader.evidence.registers import Registers
from kernel.gdb.machine import ROOT, Command, Now, look

GATE = 0x80
_CALLS = ROOT / "kernel/include/abi/calls.h"
_ARGUMENTS = {
    4: ("EBX", "ECX", "EDX", "ESI", "EDI"),
    8: ("RDI", "RSI", "RDX", "R10", "R8"),
}


@dataclass(frozen=True)
class Call:
    """A call of abi/calls.h: its name, and the names of its arguments."""

    name: str
    arguments: tuple[str, ...]


def _known() -> dict[int, Call]:
    """The calls by number, out of the header that kernel and programs share."""
    text = _CALLS.read_text(encoding="utf-8")
    found = re.findall(r"#define SYS_(\w+) (\d+)\s*/\* \(([^)]*)\)", text)
    return {
        int(number): Call(name.lower(), tuple(filter(None, words.split(", "))))
        for name, number, words in found
    }


class Trace:
    """One session of tracing: how many calls there were, and its breakpoints.

    points: by address. They stay until the end of the session, because a breakpoint
    that has been hit must not be deleted before gdb is done with it.
    """

    def __init__(self) -> None:
        self.known = _known()
        self.count = 0
        self.points: dict[int, Quiet] = {}

    def start(self, now: Now) -> str:
        """Break at the gate's handler; returns what to tell."""
        gate = now.scene.gate(now.regs, GATE) if now.protected else None
        name = "" if gate is None else now.name(gate.offset)
        if gate is not None and gate.dpl == 3:
            self.points[gate.offset] = Entered(self, gate.offset)
            return f"Tracing `int {GATE:#x}`, whose handler is {name or gate.offset}."
        setter = now.symbols.find("idt_set_gate")
        if setter is None:
            return f"Gate {GATE:#x} is not open for ring 3; try again when it is."
        self.points[setter] = GateSet(self, setter)
        return f"Gate {GATE:#x} is not open for ring 3 yet; tracing begins when it is."

    def stop(self) -> None:
        """Remove what is left of the breakpoints."""
        for point in self.points.values():
            point.delete()
        self.points.clear()

    def text(self, now: Now, number: int) -> str:
        """ "write(address=0x40101000, bytes=5)", as far as the call is known."""
        values = [now.regs.get(name, 0) for name in _ARGUMENTS[now.size]]
        call = self.known.get(number)
        if call is None:
            shown = ", ".join(f"{value:#x}" for value in values)
            return f"call {number:#x} ({shown}), which abi/calls.h does not know"
        pairs = zip(call.arguments, values)
        return (
            f"{call.name}({', '.join(f'{name}={value:#x}' for name, value in pairs)})"
        )


class Quiet(gdb.Breakpoint):  # type: ignore[misc]
    """A breakpoint that looks, says something, and goes on."""

    def __init__(self, trace: Trace, address: int) -> None:
        super().__init__(f"*{address:#x}", internal=True)
        self.silent = True
        self.trace = trace

    def stop(self) -> bool:
        """gdb asks whether to stop here: never."""
        self.seen(look())
        return False

    def seen(self, now: Now) -> None:
        """The CPU has come here."""
        raise NotImplementedError


class GateSet(Quiet):
    """At the core's idt_set_gate: waits for the gate of the calls."""

    def seen(self, now: Now) -> None:
        sp = now.regs.sp or 0
        if now.size == 8:
            vector, offset = now.regs["RDI"] & 0xFFFFFFFF, now.regs["RSI"]
        else:
            vector, offset = (now.number(sp + n) or 0 for n in (4, 8))
        if vector == GATE and offset not in self.trace.points:
            self.trace.points[offset] = Entered(self.trace, offset)


class Entered(Quiet):
    """At the handler's first instruction: the registers are still the caller's."""

    def seen(self, now: Now) -> None:
        ip, cs, _, sp, _ = (
            now.number((now.regs.sp or 0) + n * now.size) or 0 for n in range(5)
        )
        if cs & 3 != 3:
            return  # the kernel's own `int`
        trace, number = self.trace, now.regs.general("ax") or 0
        if ip not in trace.points:
            trace.points[ip] = Returned(trace, ip)
        behind = trace.points[ip]
        if not isinstance(behind, Returned) or sp in behind.awaited:
            return  # the same call: going on from a breakpoint may meet it again
        trace.count += 1
        label = f"[{trace.count}]"
        print(f"{label} {trace.text(now, number)} from {ip - 2:#x}")
        known = trace.known.get(number)
        behind.awaited[sp] = f"{label} {known.name if known else hex(number)}"


class Returned(Quiet):
    """Behind an `int` of ring 3. awaited: the calls that come back here, by stack."""

    def __init__(self, trace: Trace, address: int) -> None:
        super().__init__(trace, address)
        self.awaited: dict[int, str] = {}

    def seen(self, now: Now) -> None:
        label = self.awaited.pop(now.regs.sp or 0, "")
        if now.regs.cpl == 3 and label:
            print(f"{label} = {_result(now.regs, now.size)}")


def _result(regs: Registers, size: int) -> str:
    value = regs.general("ax") or 0
    if value >> (size * 8 - 1):
        value -= 1 << size * 8
    if value >= 0:
        return str(value) if value < PAGE_BYTES else f"{value:#x}"
    try:
        names = gdb.lookup_type("enum error").fields()
    except gdb.error:
        names = []
    told = [field.name for field in names if field.enumval == value]
    return f"{value} ({told[0]})" if told else str(value)


_trace: Optional[Trace] = None


class Syscalls(Command):
    """syscalls [off]: print each system call of ring 3 as it goes in and comes back.

    Traces `int 0x80`: number and arguments when the gate's handler is entered, and the
    result when ring 3 goes on behind the `int`, on the same stack. Calls of several
    threads overlap; the number in brackets tells them apart. A call that ends its
    thread never comes back. The handler's address is taken from the IDT."""

    name = "syscalls"

    def run(self, argument: str) -> None:
        global _trace
        if argument not in ("", "off"):
            raise gdb.GdbError("Say `syscalls`, or `syscalls off`.")
        if _trace is not None:
            _trace.stop()
            _trace = None
        if argument == "off":
            print("System calls are not traced.")
            return
        _trace = Trace()
        print(_trace.start(look()))


def load() -> None:
    Syscalls()
