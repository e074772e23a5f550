# SPDX-License-Identifier: MIT
"""What a boot left, decoded into tables: registers, GDT, IDT, TSS, page walks, records.

These say what is; what it should be is said by the exhibits of a failed check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Optional

from grader.evidence import paging, tss
from grader.evidence.descriptors import GateDescriptor, SegmentDescriptor, selector
from grader.evidence.exhibit import Exhibit, Row
from grader.evidence.registers import Registers
from grader.evidence.scene import Scene, vector_name
from grader.evidence.timeline import describe
from grader.evidence.trace import Interrupt

RECORDS = 16  # of the log's end, one by one
SLOTS = 32  # of a GDT
# Gates that this course is about; of the others only what sets them apart is told.
GATES = (0x00, 0x06, 0x08, 0x0D, 0x0E, 0x20, 0x80)
VGA_TEXT = 0xB8000
TASK_GATE, TSS_TYPES = 0x5, (0x9, 0xB)
_BITS = ((0, "PE"), (16, "WP"), (31, "PG"))
_FLAGS = (
    (0, "CF"),
    (6, "ZF"),
    (7, "SF"),
    (9, "IF"),
    (10, "DF"),
    (14, "NT"),
    (17, "VM"),
)


@dataclass(frozen=True)
class Portrait:
    """A scene with a way to name addresses; `name` gives "" where there is none."""

    scene: Scene
    name: Callable[[int], str]

    def tables(self) -> list[Exhibit]:
        """All that can be decoded, in reading order; empty if nothing can."""
        made = [self.records()] if self.scene.interrupts else []
        regs = self.final()
        if regs is None or regs.gdt is None or regs.idt is None:
            return made
        made += [self.registers(regs), self.gdt(regs), self.idt(regs)]
        state = self.tss(regs)
        made += [state] if state else []
        walks = self.walks(regs)
        return made + ([walks] if walks.rows else [])

    def final(self) -> Optional[Registers]:
        """The registers at the end, or else those of the last whole record."""
        if self.scene.registers is not None:
            return self.scene.registers
        whole = (e.regs for e in reversed(self.scene.interrupts) if e.regs.complete)
        return next(whole, None)

    def records(self) -> Exhibit:
        """The last records of the CPU's log."""
        every = self.scene.interrupts
        shown = every[-RECORDS:]
        rows = tuple(Row(self._record(event)) for event in shown)
        left = len(every) - len(shown)
        note = f"{left} records stand before these." if left else ""
        names = ("record", "what", "error", "ring", "CS:IP", "in", "SS:SP", "CR2")
        return Exhibit("chain", "The CPU's last records", names, rows, note)

    def _record(self, event: Interrupt) -> tuple[str, ...]:
        what = describe(event)[1] if event.hardware or event.i else vector_name(event.v)
        fault = event.fault and event.v == 0x0E
        return (
            str(event.number),
            what,
            f"{event.e:#x}" if event.fault else "",
            str(event.cpl),
            f"{event.cs:04x}:{event.ip:08x}",
            self.name(event.pc) if event.cpl < 3 else "",
            f"{event.ss:04x}:{event.sp:08x}",
            f"{event.cr2:#x}" if fault else "",
        )

    def registers(self, regs: Registers) -> Exhibit:
        """Where the CPU stands, in which mode, and where its tables lie."""
        wide = "R" if "RIP" in regs else "E"
        at, sp, flags = regs.ip or 0, regs.sp or 0, regs.flags or 0
        code, stack = regs.segments.get("CS"), regs.segments.get("SS")
        task = regs.segments.get("TR")
        rows = [(f"{wide}IP", f"{at:#x}", self.name(at))]
        if code and stack:
            rows.append(("CS", f"{code.selector:#06x}", selector(code.selector)))
            rows.append(("SS", f"{stack.selector:#06x}", selector(stack.selector)))
        rows.append((f"{wide}SP", f"{sp:#x}", ""))
        iopl = f"IOPL={regs.iopl or 0}"
        rows.append((f"{wide}FLAGS", f"{flags:#x}", _named(flags, _FLAGS) + iopl))
        cr0 = regs.get("CR0", 0)
        rows.append(("CR0", f"{cr0:#x}", _named(cr0, _BITS)))
        rows += [(n, f"{regs[n]:#x}", "") for n in ("CR2", "CR3", "CR4") if n in regs]
        if "EFER" in regs and self.scene.arch == "x86_64":
            rows.append(("EFER", f"{regs['EFER']:#x}", "LMA " * regs.long_mode))
        for name, table in (("GDTR", regs.gdt), ("IDTR", regs.idt)):
            if table:
                where = f"limit {table.limit:#x}"
                rows.append((name, f"{table.base:#x}", where))
        if task:
            where = f"base {task.base:#x}, limit {task.limit:#x}"
            rows.append(("TR", f"{task.selector:#06x}", where))
        shown = tuple(Row((name, value, text.strip())) for name, value, text in rows)
        return Exhibit(
            "registers", "Registers at the end", ("register", "value", ""), shown
        )

    def gdt(self, regs: Registers) -> Exhibit:
        """Every slot within the limit; a wide one's upper half is no descriptor."""
        assert regs.gdt is not None
        wide, space = self.scene.wide(regs), self.scene.space(regs)
        slots = min((regs.gdt.limit + 1) // 8, SLOTS)
        raw = space.read(regs.gdt.base, slots * 8) if space else b""
        rows, upper = [], False
        for index in range(len(raw) // 8):
            part = raw[index * 8 : index * 8 + 8]
            slot = (f"{index * 8:#04x}", part.hex(" "))
            if upper:
                rows.append(Row((*slot, "upper half of the TSS descriptor", *[""] * 6)))
                upper = False
                continue
            seen = SegmentDescriptor.decode(part)
            upper = wide and seen.p == 1 and seen.s == 0 and seen.type in TSS_TYPES
            rows.append(Row((*slot, *_descriptor(seen, part))))
        names = ("selector", "bytes", "what", "DPL", "P", "base", "last offset")
        title = f"GDT at {regs.gdt.base:#x}, limit {regs.gdt.limit:#x}"
        return Exhibit("descriptor", title, (*names, "L", "D/B"), tuple(rows))

    def idt(self, regs: Registers) -> Exhibit:
        """The gates that matter one by one, the others as runs of equal ones."""
        assert regs.idt is not None
        wide, space = self.scene.wide(regs), self.scene.space(regs)
        size = 16 if wide else 8
        count = min((regs.idt.limit + 1) // size, 256)
        raw = space.read(regs.idt.base, count * size) if space else b""
        single = {*GATES, *(e.v for e in self.scene.interrupts[-RECORDS:])}
        rows = []
        keys = ((_alike(raw, n, size, single), n) for n in range(len(raw) // size))
        for _, run in groupby(keys, key=lambda pair: pair[0]):
            numbers = [number for _, number in run]
            at = numbers[0] * size
            gate = GateDescriptor.decode(raw[at : at + size], wide=wide)
            rows.append(Row(self._gate(numbers, gate)))
        names = ("vector", "what", "DPL", "P", "selector", "IST", "handler")
        title = f"IDT at {regs.idt.base:#x}, limit {regs.idt.limit:#x}"
        return Exhibit("gate", title, names, tuple(rows))

    def _gate(self, numbers: list[int], gate: GateDescriptor) -> tuple[str, ...]:
        first, last = numbers[0], numbers[-1]
        if first == last:
            vector = vector_name(first).removeprefix("vector ")
            where = "" if gate.type == TASK_GATE else self._place(gate.offset)
        else:
            vector, where = f"{first:#04x} to {last:#04x}", ""
        if gate.empty:
            return vector, "never set: all bytes zero", *[""] * 5
        ist = f"IST{gate.ist}" if gate.ist else ""
        bits = (str(gate.dpl), str(gate.p), f"{gate.selector:#06x}", ist)
        return vector, gate.kind, *bits, where

    def _place(self, address: int) -> str:
        return f"{address:#x} {self.name(address)}".strip()

    def tss(self, regs: Registers) -> Optional[Exhibit]:
        """The TSS behind TR, and what it lets ring 3 do; None if there is none."""
        task, state = regs.segments["TR"], self.scene.tss(regs)
        space = self.scene.space(regs)
        if state is None or space is None:
            return None
        short = "rsp0" if state.wide else "esp0"
        rows = [(short, f"{state.stack0:#x}", "the stack on entry from ring 3")]
        if not state.wide:
            rows.append(("ss0", f"{state.ss0:#06x}", selector(state.ss0)))
        rows += [(f"IST{n}", f"{t:#x}", "") for n, t in enumerate(state.ist, 1) if t]
        base = state.iomap_base
        memory = b""
        if base <= task.limit:
            memory = space.read(task.base, min(task.limit + 1, tss.PORTS // 8 + base))
        ports = tss.open_ports(task.limit, base, memory, regs.iopl or 0)
        rows.append(("I/O map base", f"{base:#x}", f"ring 3 may use {ports}"))
        title = f"TSS at {task.base:#x}, limit {task.limit:#x}"
        return Exhibit("tss", title, ("field", "value", ""), tuple(map(Row, rows)))

    def walks(self, regs: Registers) -> Exhibit:
        """The page walks of the addresses that this course is about."""
        rows: list[Row] = []
        for what, address, seen_by in self._addresses(regs):
            walk = self.scene.walk(seen_by, address)
            if walk is None:
                continue
            lines: list[Optional[paging.Entry]] = [*walk.entries] or [None]
            for number, entry in enumerate(lines):
                last = number == len(lines) - 1
                rows.append(
                    Row(
                        (
                            what if number == 0 else "",
                            f"{address:#x}" if number == 0 else "",
                            *_level(entry),
                            _rights(walk) if last else "",
                        )
                    )
                )
        names = ("what", "address", "level", "entry", "P", "R/W", "U/S", "XD")
        title = f"Page walks, from CR3 {regs.get('CR3', 0):#x}"
        return Exhibit("walk", title, (*names, "so"), tuple(rows))

    def _addresses(self, regs: Registers) -> list[tuple[str, int, Registers]]:
        user = next((e for e in self.scene.interrupts if e.cpl == 3), None)
        found = [("page 0", 0, regs)]
        if regs.cpl != 3:
            found.append(("kernel code", regs.ip or 0, regs))
        state = self.scene.tss(regs)
        if state is not None and state.stack0:
            found.append(("kernel stack", state.stack0 - 1, regs))
        if user is not None:
            found.append(("code of ring 3", user.pc, user.regs))
            found.append(("stack of ring 3", max(0, user.sp - 1), user.regs))
        elif regs.cpl == 3:
            found.append(("code of ring 3", regs.ip or 0, regs))
        found.append(("VGA text", VGA_TEXT, regs))
        faults = [e for e in self.scene.interrupts if e.v == 0x0E and e.fault]
        if faults:
            found.append(("last #PF: CR2", faults[-1].cr2, faults[-1].regs))
        return found


def _named(value: int, bits: tuple[tuple[int, str], ...]) -> str:
    return "".join(f"{name} " for bit, name in bits if value >> bit & 1)


def _descriptor(seen: SegmentDescriptor, raw: bytes) -> tuple[str, ...]:
    if not any(raw):
        return "null", *[""] * 6
    bits = (str(seen.dpl), str(seen.p), f"{seen.base:#x}", f"{seen.last_offset:#x}")
    return seen.kind, *bits, str(seen.long), str(seen.db)


def _alike(raw: bytes, number: int, size: int, single: set[int]) -> tuple[object, ...]:
    """Equal for neighbours that differ in their handler alone."""
    at = number * size
    part = raw[at + 2 : at + 6]
    return (number,) if number in single else (part, any(raw[at : at + size]))


def _level(entry: Optional[paging.Entry]) -> tuple[str, ...]:
    if entry is None:
        return "", "", "", "", "", ""
    bits = (entry.present, entry.writable, entry.user, entry.nx)
    name = f"{entry.name}[{entry.index}]" + (" (large)" if entry.large else "")
    return name, f"{entry.value:#x}", *(f"{bit:d}" for bit in bits)


def _rights(walk: paging.Walk) -> str:
    if not walk.canonical:
        return "not canonical"
    if not walk.present:
        return "not mapped"
    who = "ring 3 and 0" if walk.user else "ring 0 only"
    return who + (", read and write" if walk.writable else ", read only")
