# SPDX-License-Identifier: MIT
"""QEMU's `-d int,cpu_reset,exec,in_asm` log, as events in the order they happened.

A record is one header line (`v=0d e=0000 i=0 cpl=3 …`) and a register dump. The
line directly before it tells where it came from: `check_exception` for a fault
of an instruction, `Servicing hardware` for an external interrupt, neither for
`int n`. Three traps for the reader: a fault met while another is delivered is
never logged itself, only as `new` of the #DF's `check_exception`; the log says
`v=80` even when the gate refuses it; and a `Trace` line followed by `Stopped
execution` of the same block does not prove that the block ran.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Optional, Union

from grader.evidence.events import (
    Block,
    Code,
    DeviceTrace,
    Event,
    Interrupt,
    Reset,
    TripleFault,
)
from grader.evidence.sweep import Sweep, sweep

__all__ = [
    "Block",
    "Code",
    "DeviceTrace",
    "Event",
    "Interrupt",
    "NO_EXCEPTION",
    "Reset",
    "Sweep",
    "TripleFault",
    "blocks",
    "faults_at",
    "first_fault",
    "given",
    "guest_resets",
    "hardware_from_user",
    "interrupts",
    "is_genuine_fault",
    "parse",
    "refused",
    "sweep",
    "translated",
    "triple_fault_chain",
]

NO_EXCEPTION = 0xFFFFFFFF
PIC_VECTORS = range(8, 16)  # where a PIC that nobody remapped puts its interrupts
_DUMP_BYTES = 4096


@lru_cache(maxsize=None)
def _event_pattern() -> re.Pattern[bytes]:
    """Every line that matters; compiled late, start-up is paid on every run."""
    return re.compile(
        rb"\n(?:check_exception old: 0x([0-9a-f]+) new 0x([0-9a-f]+)(?=\n)"
        rb"|Servicing (hardware) INT=0x[0-9a-f]+(?=\n)"
        rb"|( *\d+): v=([0-9a-f]{2,}) e=([0-9a-f]+) i=([01]) cpl=([0-3])"
        rb" IP=([0-9a-f]+):([0-9a-f]+) pc=([0-9a-f]+) SP=([0-9a-f]+):([0-9a-f]+)"
        rb"[^\n]*(?=\n)"
        rb"|Trace \d+: (0x[0-9a-f]+)"
        rb" \[([0-9a-f]+)/([0-9a-f]+)/([0-9a-f]+)/([0-9a-f]+)\]"
        rb"[^\n]*(?=\n)"
        rb"|Stopped execution of TB chain before (0x[0-9a-f]+)[^\n]*"
        rb"|(IN): [^\n]*((?:\n0x[0-9a-f]+:  [^\n]*)+)(?=\n)"
        rb"|(Triple) fault(?=\n)"
        rb"|CPU (Reset) \(CPU \d+\)"
        rb"|(?:\d+@[\d.]+:)?([a-z][a-z0-9]*_[a-z0-9_]+) ([^\n]*)(?=\n))"
    )


_CODE_LINE = rb"\n0x([0-9a-f]+):  ([0-9a-f]{2}(?: [0-9a-f]{2})*)(?=  |\s|$)"


def _code(first: bytes) -> Optional[Code]:
    pc: Optional[int] = None
    code = bytearray()
    for digits, pairs in re.findall(_CODE_LINE, first):
        address = int(digits, 16)
        if pc is None:
            pc = address
        elif address != pc + len(code):
            break
        code += bytes.fromhex(pairs.decode())
    return None if pc is None else Code(pc, bytes(code))


def parse(source: Union[bytes, Path]) -> list[Event]:
    """Read a whole log; cut-off or foreign lines are passed over.

    source: the log's bytes, or its file (missing counts as empty).
    """
    if isinstance(source, Path):
        source = source.read_bytes() if source.is_file() else b""
    data = b"\n" + source
    events: list[Event] = []
    checked: Optional[tuple[int, int]] = None
    hardware = False
    before = -1
    host: Optional[bytes] = None
    for m in _event_pattern().finditer(data):
        adjacent = m.start() == before
        before = m.end()
        if not adjacent:
            checked, hardware = None, False
        kind = m.lastindex
        if kind == 2:
            checked, hardware = (int(m[1], 16), int(m[2], 16)), False
            continue
        if kind == 3:
            checked, hardware = None, True
            continue
        if kind == 13:
            old, new = checked or (None, None)
            events.append(
                Interrupt(
                    int(m[4]),
                    int(m[5], 16),
                    int(m[6], 16),
                    int(m[7]),
                    int(m[8]),
                    int(m[9], 16),
                    int(m[10], 16),
                    int(m[11], 16),
                    int(m[12], 16),
                    int(m[13], 16),
                    hardware,
                    checked is not None,
                    old,
                    new,
                    _dump(data, m.end()),
                )
            )
        elif kind == 18:
            host = m[14]
            dumped = data.startswith((b"EAX=", b"RAX="), m.end() + 1)
            events.append(
                Block(
                    int(m[16], 16),
                    int(m[17], 16),
                    int(m[15], 16),
                    int(m[18], 16),
                    dump=_dump(data, m.end()) if dumped else b"",
                )
            )
        elif kind == 19:
            last = events[-1] if events else None
            if isinstance(last, Block) and host == m[19]:
                events[-1] = replace(last, stopped=True)
        elif kind == 21:
            translated = _code(m[21])
            if translated is not None:
                events.append(translated)
        elif kind == 22:
            old, new = checked or (None, None)
            events.append(TripleFault(old, new))
        elif kind == 23:
            events.append(Reset())
        elif kind == 25:
            events.append(DeviceTrace(m[24].decode(), m[25].decode("latin-1")))
        checked, hardware = None, False
    return events


def _dump(data: bytes, start: int) -> bytes:
    """The dump behind a header: it ends with the EFER line, if nothing cuts it."""
    end = data.find(b"\nEFER=", start, start + _DUMP_BYTES)
    stop = data.find(b"\n", end + 1) + 1 if end >= 0 else 0
    if stop == 0:
        stop = min(len(data), start + _DUMP_BYTES)
    cut = data.find(b": v=", start, stop)
    return data[start : stop if cut < 0 else cut]


def interrupts(events: list[Event]) -> list[Interrupt]:
    """The deliveries alone, in order."""
    return [e for e in events if isinstance(e, Interrupt)]


def is_genuine_fault(
    event: Event,
    *,
    vector: int = 0x0D,
    error: Optional[int] = 0,
    pc: Optional[int] = None,
) -> bool:
    """Whether ring-3 code itself raised this fault: the minimal rules for a #GP.

    The instruction's own check_exception line stands directly before; no
    external interrupt, no `int n`; CPL 3 in flat user code; IOPL 0, not in
    virtual-8086 mode; nothing of the dump is cut off. error: the wanted error
    code (None: any); pc: the wanted address (None: any).
    """
    if not isinstance(event, Interrupt):
        return False
    if not (event.checked and event.old == NO_EXCEPTION and event.new == vector):
        return False
    if event.v != vector or event.i != 0 or event.hardware or event.cpl != 3:
        return False
    if error is not None and event.e != error:
        return False
    if event.cs & 3 != 3 or event.pc != event.ip:
        return False
    if pc is not None and event.pc != pc:
        return False
    regs = event.regs
    if not regs.complete or regs.cpl != 3 or regs.ip != event.ip:
        return False
    cs = regs.segments["CS"]
    return (
        cs.selector == event.cs
        and cs.code
        and cs.dpl == 3
        and cs.flat
        and regs.iopl == 0
        and not regs.vm
    )


def faults_at(
    events: list[Event],
    pc: int,
    *,
    vector: int = 0x0D,
    error: Optional[int] = 0,
) -> list[Interrupt]:
    """The genuine ring-3 faults of one vector at one linear address."""
    return [
        e
        for e in events
        if isinstance(e, Interrupt)
        and is_genuine_fault(e, vector=vector, error=error, pc=pc)
    ]


def hardware_from_user(
    events: list[Event], vector: Optional[int] = None
) -> list[Interrupt]:
    """External interrupts that arrived while CPL was 3."""
    return [
        e
        for e in events
        if isinstance(e, Interrupt)
        and e.hardware
        and e.cpl == 3
        and (vector is None or e.v == vector)
    ]


def refused(events: list[Event], position: int) -> Optional[Interrupt]:
    """The fault that the delivery at events[position] ran into, or None.

    `v=80 i=1` counts as a system call only if this is None.
    """
    first = events[position]
    if not isinstance(first, Interrupt):
        return None
    for event in events[position + 1 :]:
        if isinstance(event, Interrupt):
            return event if _met_while_delivering(first, event) else None
        if isinstance(event, (Block, TripleFault, Reset)):
            return None
    return None


def _met_while_delivering(first: Interrupt, second: Interrupt) -> bool:
    """Whether `second` arose while the CPU delivered `first`."""
    if second.hardware or second.i or not second.checked:
        return False
    if second.pc != first.pc or second.sp != first.sp or second.cs != first.cs:
        return False
    if second.old == first.v or second.v == 8 and second.old != NO_EXCEPTION:
        return True
    if second.old != NO_EXCEPTION:
        return False
    if first.v in (0, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 8) and first.fault:
        return False
    if first.i:
        return True
    if second.v == 0x0E:
        if second.cpl == 3:
            return not second.e & 4
        return 0 < first.sp - second.cr2 <= 64
    return second.v in (0x0A, 0x0B, 0x0C) or second.v == 0x0D and second.e & 2 != 0


def triple_fault_chain(events: list[Event]) -> list[Interrupt]:
    """The deliveries that ended in the last triple fault, the first fault first.

    Empty without a triple fault, or when the log holds nothing before it.
    """
    ends = [n for n, e in enumerate(events) if isinstance(e, TripleFault)]
    if not ends:
        return []
    chain: list[Interrupt] = []
    for event in reversed(events[: ends[-1]]):
        if isinstance(event, Interrupt):
            if chain and not _met_while_delivering(event, chain[0]):
                break
            chain.insert(0, event)
        elif chain and isinstance(event, (Block, Reset)):
            break
    return chain


def first_fault(events: list[Event]) -> Optional[Interrupt]:
    """The first delivery of the chain before the last triple fault, or None."""
    chain = triple_fault_chain(events)
    return chain[0] if chain else None


def guest_resets(events: list[Event]) -> int:
    """CPU resets beyond the two that QEMU prints at power-on."""
    return max(0, sum(isinstance(e, Reset) for e in events) - 2)


def blocks(events: list[Event], start: int, end: int) -> list[Block]:
    """Blocks that certainly ran and begin in [start, end)."""
    return [
        e
        for e in events
        if isinstance(e, Block) and not e.stopped and start <= e.pc < end
    ]


def translated(events: list[Event], start: int, end: int) -> dict[int, int]:
    """Bytes that the CPU was given in [start, end): address to the last value."""
    seen: dict[int, int] = {}
    for event in events:
        if isinstance(event, Code):
            for address, byte in enumerate(event.code, event.pc):
                if start <= address < end:
                    seen[address] = byte
    return seen


def given(path: Path) -> list[Code]:
    """All code that the CPU was given, in order; from a log too long for `parse`."""
    if not path.is_file() or path.stat().st_size == 0:
        return []
    found: list[Code] = []
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        start = data.find(b"\nIN: ")
        while start >= 0:
            end = data.find(b"\n\n", start)
            code = _code(data[start : end if end >= 0 else len(data)])
            found += [] if code is None else [code]
            start = data.find(b"\nIN: ", start + 1)
    return found
