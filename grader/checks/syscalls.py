# SPDX-License-Identifier: MIT
"""Probes of 06-syscalls: rows of registers for calls, and what came of each."""

from __future__ import annotations

import random
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.checks import support
from grader.checks.api import Case, CheckFailed, Plan
from grader.checks.arch import arch_of
from grader.checks.record import Evidence, unexpected_end
from grader.checks.threads import registers
from grader.evidence import explain, trace
from grader.evidence.trace import Block, Interrupt
from grader.machine import Boot, End, Module

HEADER = "kernel/include/course/06-syscalls.h"
GATE = 0x80
SERVED = "scenario_served_at"
AS_SILICON = 39  # calls of the grader's own: a fast call that QEMU has no part in,
FIRST_NOTE, LAST_NOTE = 40, 47  # and those that only note
STUB_NOTE, STUB_STORE, STUB_LOOK, STUB_AGAIN = 48, 49, 50, 51
HOW_DF, HOW_NULL, HOW_RAW = 1, 2, 4
READ_ONLY, SUPERVISOR = 1, 2
SECRET_BYTES = 32
PAGE = support.PAGE
APART = 8  # pages between two areas: each may grow, and has absent pages around it
ARGUMENTS = {
    "i386": ("bx", "cx", "dx", "si", "di"),
    "x86_64": ("di", "si", "dx", "r10", "r8"),
}
# Names of the words of a probe's row, in the order of calls.asm, and of all that is
# compared behind a call.
_EXTRA = tuple(f"r{n}" for n in range(8, 16))
ROW = {
    "i386": ("ax", "bx", "cx", "dx", "si", "di", "bp"),
    "x86_64": ("ax", "bx", "cx", "dx", "si", "di", "bp", *_EXTRA),
}
SEGMENTS = ("ds", "es", "fs", "gs")
NULLED = ("es", "gs")  # with HOW_NULL; the others differ, so an exchange shows
RESULT = {arch: (*SEGMENTS, *names, "sp", "flags") for arch, names in ROW.items()}
# Long mode ignores the data segments, so nobody keeps them for a thread that waits.
SHARED = {"i386": (), "x86_64": SEGMENTS}
LOST_FAST = {"i386": ("cx", "dx"), "x86_64": ("cx", "r11")}


@dataclass(frozen=True)
class Row:
    """One call of a probe: every register that it loads before, and how it calls."""

    registers: Mapping[str, int]
    how: int = 0

    @property
    def number(self) -> int:
        return self.registers["ax"]

    def segments(self, user: int) -> dict[str, int]:
        """The data segments that it has; user: the selector of ring 3's data."""
        nulled = NULLED if self.how & HOW_NULL else ()
        return {name: 0 if name in nulled else user for name in SEGMENTS}

    def arguments(self, arch: str) -> tuple[int, ...]:
        return tuple(self.registers[name] for name in ARGUMENTS[arch])


@dataclass
class Caller:
    """A ring-3 thread that makes the calls of its rows, one after the other."""

    name: str
    rows: list[Row]
    position: int = 0  # among the threads of the plan
    entry: int = 0
    int_at: int = 0
    back_at: int = 0
    done: int = 0
    fast: bool = False


@dataclass(frozen=True)
class Note:
    """One call that reached the grader's own functions in the kernel.

    stack, segments, flags: the CPU's, from the trace, and after: the number of the last
    `int 0x80` before; the rest is what they noted.
    """

    number: int
    thread: int
    ticks: int
    arguments: tuple[int, ...]
    word: int
    stack: int
    segments: tuple[int, ...]
    flags: int
    after: int


@dataclass
class Script:
    """A boot in the making: pages, their bytes, and the threads that start."""

    plan: Plan
    pages: list[tuple[int, int, int, int]] = field(default_factory=list)
    blob: bytes = b""
    starts: list[int] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free = support.user_pages(self.rng, self.plan, 40, apart=APART)

    @property
    def rng(self) -> random.Random:
        return self.plan.rng()

    @property
    def mask(self) -> int:
        return (1 << 8 * support.word_bytes(self.plan.arch)) - 1

    def row(
        self,
        rng: random.Random,
        number: int,
        arguments: Sequence[int] = (),
        how: int = 0,
    ) -> Row:
        """All registers random, but those that the call says."""
        arch = self.plan.arch
        registers = {name: rng.getrandbits(64) & self.mask for name in ROW[arch]}
        registers["ax"] = number & self.mask
        registers |= {
            name: value & self.mask for name, value in zip(ARGUMENTS[arch], arguments)
        }
        return Row(registers, how)

    def page(self, data: bytes = b"", flags: int = 0, va: int | None = None) -> int:
        """A user page with these bytes, or as many as they need; the first address."""
        at = self.free.pop() if va is None else va
        assert len(data) <= (APART - 1) * PAGE
        for start in range(0, len(data) or 1, PAGE):
            part = data[start : start + PAGE]
            self.pages.append((at + start, len(self.blob), len(part), flags))
            self.blob += part
        return at

    def probe(self, name: str, label: str, **defines: int | str) -> Mapping[str, int]:
        """A thread that starts at the probe's entry; addresses of its labels."""
        pad = random.Random(f"{self.plan.seed}{label}").randrange(1, 2500)
        made = self.plan.probe(name, PAD=pad, **defines)
        at = self.page(made.data)
        self.starts.append(at + made.labels["entry"])
        return {key: at + offset for key, offset in made.labels.items()}

    def caller(self, name: str, rows: Sequence[Row], *, fast: bool = False) -> Caller:
        """A thread that makes these calls."""
        arch = self.plan.arch
        layout = "<" + arch_of(self.plan).words(len(ROW[arch]) + 1)
        table = b"".join(
            struct.pack(
                layout,
                *(row.registers[name] for name in ROW[arch]),
                row.how,
            )
            for row in rows
        )
        at, work = self.page(table), self.page()
        defines = {"TABLE": at, "TABLE_END": at + len(table), "WORK": work}
        if fast:
            defines["FAST"] = 1
        labels = self.probe("calls", name, **defines)
        caller = Caller(
            name,
            list(rows),
            position=len(self.starts) - 1,
            entry=self.starts[-1],
            int_at=labels["int_at"],
            back_at=labels["back_at"],
            done=labels["done"],
            fast=fast,
        )
        self.callers.append(caller)
        return caller

    def boot(
        self,
        scenario: str,
        *words: str,
        modules: tuple[Module, ...] = (),
        trace_ranges: tuple[tuple[int, int], ...] = (),
        **fields: Any,
    ) -> Boot:
        """The boot; what the checks need of it goes into the notes.

        The trace shows all registers where a call came back, and where one is noted.
        """
        self.plan.note("callers", self.callers)
        pages = b"".join(struct.pack("<QIII", *page) for page in self.pages)
        starts = b"".join(struct.pack("<Q", at) for at in self.starts)
        mine = (
            Module("pages", pages or b"\0"),
            Module("blob", self.blob or b"\0"),
            Module("starts", starts or b"\0"),
            *common_modules(self.plan),
        )
        places = [caller.back_at for caller in self.callers]
        fields |= traced(self.plan, *((at, at) for at in places), *trace_ranges)
        return self.plan.boot(scenario, *words, modules=mine + modules, **fields)


def traced(plan: Plan, *ranges: tuple[int, int]) -> dict[str, Any]:
    """Fields of a boot whose trace shows all registers in these ranges of addresses,
    and where a noted call is served."""
    served = plan.symbols.find(SERVED) or 0
    return {
        "trace": ("int", "cpu_reset", "exec", "cpu"),
        "trace_ranges": ((served, served), *ranges),
    }


def common_modules(plan: Plan) -> tuple[Module, ...]:
    """What every scenario of the stage wants: results to give, and a secret."""
    rng = plan.rng("returns")
    mask = (1 << 8 * support.word_bytes(plan.arch)) - 1
    first, step = rng.getrandbits(64) & mask, (rng.getrandbits(64) & mask) | 1
    secret = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=SECRET_BYTES))
    plan.note("returns", (first, step))
    plan.note("secret", secret)
    packed = struct.pack("<QQ", first, step)
    return Module("returns", packed), Module("secret", secret.encode())


def returned(evidence: Evidence, nth: int) -> int:
    """What the nth noted call of a thread got as its result."""
    first, step = evidence.notes["returns"]
    mask = (1 << 8 * support.word_bytes(evidence.arch)) - 1
    return int(first + nth * step & mask)


def notes(evidence: Evidence) -> list[Note]:
    """All calls that reached the grader's functions, in order: those of which the trace
    says that they were served."""
    [(count,)] = support.array(evidence, "scenario_note_count", "I", 1)
    layout = f"IIQ{arch_of(evidence).words(6)}"
    rows = support.array(evidence, "scenario_notes", layout, min(count, 512))
    at, last = support.address_of(evidence, SERVED), -1
    served: dict[int, deque[tuple[int, Block]]] = {}
    for event in evidence.events:
        if isinstance(event, Interrupt) and event.v == GATE:
            last = event.number
        elif isinstance(event, Block) and event.pc == at and not event.stopped:
            thread = registers(event.dump)["ax"]
            if event.cpl == 0:
                served.setdefault(thread, deque()).append((last, event))
    found = []
    for number, thread, ticks, *words in rows:
        if served.get(thread):
            after, state = served[thread].popleft()
            cpu = registers(state.dump)
            selectors = (state.regs.segments[s.upper()].selector for s in SEGMENTS)
            found.append(
                Note(
                    number,
                    thread,
                    ticks,
                    arguments=tuple(words[:5]),
                    word=words[5],
                    stack=cpu["sp"],
                    segments=tuple(selectors),
                    flags=cpu["fl"],
                    after=after,
                )
            )
    return found


def ids(evidence: Evidence, count: int) -> list[int]:
    """The thread ids, by position in the plan."""
    return [row[0] for row in support.array(evidence, "scenario_ids", "I", count)]


def notes_of(evidence: Evidence, position: int) -> list[Note]:
    """The calls of one thread of the plan."""
    me = ids(evidence, position + 1)[position]
    return [note for note in notes(evidence) if note.thread == me]


def results(evidence: Evidence, caller: Caller) -> list[dict[str, int]]:
    """The registers of ring 3 right behind each call that came back, by the CPU's own
    record: nothing that lies in memory counts."""
    found = []
    for block in trace.blocks(evidence.events, caller.back_at, caller.back_at + 1):
        general = registers(block.dump)
        segments = block.regs.segments
        if block.cpl == 3 and "fl" in general and "GS" in segments:
            selectors = {name: segments[name.upper()].selector for name in SEGMENTS}
            found.append({**general, **selectors, "flags": general["fl"]})
    return found[: len(caller.rows)]


def came_back(
    case: Case, evidence: Evidence, caller: Caller, count: int
) -> list[dict[str, int]]:
    """The first `count` results; fails the check with the reason if there are fewer."""
    have = results(evidence, caller)
    if len(have) >= count:
        return have
    if evidence.run.end is not End.DONE:
        raise unexpected_end(evidence)
    row = caller.rows[len(have)]
    wrong = stray_fault(evidence, caller)
    if wrong is not None:
        why = explain.fault(evidence.scene, wrong)
        raise CheckFailed(
            expected=f"The call {row.number} of {caller.name} comes back.",
            seen=why.seen,
            cause=why.cause,
            hint=why.hint,
            read=why.read,
            source=why.source,
            exhibits=why.exhibits,
        )
    case.fail(
        expected=f"All {len(caller.rows)} calls of {caller.name} come back.",
        seen=f"{len(have)} came back; number {row.number} did not until the end.",
        cause="The call waits for something that does not come, or its thread is never "
        "chosen again.",
        hint="Look at what the call does while it waits.",
        read=HEADER,
    )


def stray_fault(evidence: Evidence, caller: Caller) -> Interrupt | None:
    """The first fault of this thread's code other than its end."""
    low, high = caller.entry & ~(PAGE - 1), (caller.entry & ~(PAGE - 1)) + PAGE
    for event in support.interrupts(evidence):
        if event.fault and event.cpl == 3 and event.pc != caller.done:
            others = (each.entry // PAGE for each in evidence.notes["callers"])
            mine = low <= event.pc < high
            if mine or caller.fast and event.pc // PAGE not in others:
                return event
    return None


def gates_taken(evidence: Evidence, low: int, high: int) -> list[Interrupt]:
    """Each `int 0x80` from CPL 3 in [low, high) that the CPU let through."""
    taken = []
    events = evidence.events
    for position, event in enumerate(events):
        if isinstance(event, Interrupt) and (event.v, event.i) == (GATE, 1):
            if event.cpl == 3 and low <= event.pc < high:
                if trace.refused(events, position) is None:
                    taken.append(event)
    return taken


def hexadecimal(values: Sequence[int]) -> str:
    return " ".join(f"{value:#x}" for value in values)
