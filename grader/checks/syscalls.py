# SPDX-License-Identifier: MIT
"""Probes of 06-syscalls: rows of registers for calls, and what came of each."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.checks import support
from grader.checks.api import Case, CheckFailed, Plan
from grader.checks.record import Evidence, unexpected_end
from grader.evidence import explain, trace
from grader.evidence.trace import Interrupt
from grader.machine import Boot, End, Module

HEADER = "kernel/include/course/06-syscalls.h"
GATE = 0x80
FIRST_NOTE, LAST_NOTE = 40, 47  # calls of the grader's own
STUB_NOTE, STUB_STORE, STUB_LOOK = 48, 49, 50
HOW_DF, HOW_NULL, HOW_RAW = 1, 2, 4
READ_ONLY, SUPERVISOR = 1, 2
SECRET_BYTES = 32
PAGE = support.PAGE
APART = 8  # pages between two areas: each may grow, and has absent pages around it
HEAD_WORDS = 4  # in front of the results
ARGUMENTS = {
    "i386": ("bx", "cx", "dx", "si", "di"),
    "x86_64": ("di", "si", "dx", "r10", "r8"),
}
# Names of the words of a probe's row, and of a result, in the order of calls.asm.
_EXTRA = tuple(f"r{n}" for n in range(8, 16))
ROW = {
    "i386": ("ax", "bx", "cx", "dx", "si", "di", "bp"),
    "x86_64": ("ax", "bx", "cx", "dx", "si", "di", "bp", *_EXTRA),
}
SEGMENTS = ("ds", "es", "fs", "gs")
RESULT = {
    "i386": (*SEGMENTS, "di", "si", "bp", "sp", "bx", "dx", "cx", "ax", "flags"),
    "x86_64": (
        *SEGMENTS,
        *reversed(_EXTRA),
        *("di", "si", "bp", "sp", "bx", "dx", "cx", "ax", "flags"),
    ),
}
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

    def arguments(self, arch: str) -> tuple[int, ...]:
        return tuple(self.registers[name] for name in ARGUMENTS[arch])


@dataclass
class Caller:
    """A ring-3 thread that makes the calls of its rows, one after the other."""

    name: str
    rows: list[Row]
    entry: int = 0
    int_at: int = 0
    done: int = 0
    raw_at: int = 0
    results: int = 0  # address of the page
    fast: bool = False


@dataclass(frozen=True)
class Note:
    """One call that reached the grader's own functions in the kernel."""

    number: int
    thread: int
    ticks: int
    arguments: tuple[int, ...]
    stack: int
    word: int
    segments: tuple[int, ...]
    flags: int


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
        word = "I" if support.word_bytes(arch) == 4 else "Q"
        table = b"".join(
            struct.pack(
                f"<{len(ROW[arch]) + 1}{word}",
                *(row.registers[name] for name in ROW[arch]),
                row.how,
            )
            for row in rows
        )
        size = support.word_bytes(arch)
        results = self.page(bytes(size * (HEAD_WORDS + len(rows) * len(RESULT[arch]))))
        at = self.page(table)
        defines = {"TABLE": at, "TABLE_END": at + len(table), "RESULTS": results}
        if fast:
            defines["FAST"] = 1
        labels = self.probe("calls", name, **defines)
        caller = Caller(
            name,
            list(rows),
            entry=self.starts[-1],
            int_at=labels["int_at"],
            done=labels["done"],
            raw_at=labels["raw_at"],
            results=results,
            fast=fast,
        )
        self.callers.append(caller)
        return caller

    def boot(
        self,
        scenario: str,
        *words: str,
        modules: tuple[Module, ...] = (),
        **fields: Any,
    ) -> Boot:
        """The boot; what the checks need of it goes into the notes."""
        self.plan.note("callers", self.callers)
        pages = b"".join(struct.pack("<QIII", *page) for page in self.pages)
        starts = b"".join(struct.pack("<Q", at) for at in self.starts)
        mine = (
            Module("pages", pages or b"\0"),
            Module("blob", self.blob or b"\0"),
            Module("starts", starts or b"\0"),
            *common_modules(self.plan),
        )
        return self.plan.boot(scenario, *words, modules=mine + modules, **fields)


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
    """All calls that reached the grader's functions, in order."""
    wide = support.word_bytes(evidence.arch) == 8
    word = "Q" if wide else "I"
    # On i386 a 64-bit number is aligned to 4 bytes in a struct.
    layout = f"IIQ5{word}{word}{word}4H{word}"
    [(count,)] = support.array(evidence, "scenario_note_count", "I", 1)
    rows = support.array(evidence, "scenario_notes", layout, min(count, 512))
    return [Note(r[0], r[1], r[2], r[3:8], r[8], r[9], r[10:14], r[14]) for r in rows]


def ids(evidence: Evidence, count: int) -> list[int]:
    """The thread ids, by position in the plan."""
    return [row[0] for row in support.array(evidence, "scenario_ids", "I", count)]


def notes_of(evidence: Evidence, position: int) -> list[Note]:
    """The calls of one thread of the plan."""
    me = ids(evidence, position + 1)[position]
    return [note for note in notes(evidence) if note.thread == me]


def results(evidence: Evidence, caller: Caller) -> list[dict[str, int]]:
    """What came back from each call that came back, by register."""
    size = support.word_bytes(evidence.arch)
    word = "I" if size == 4 else "Q"
    names = RESULT[evidence.arch]
    read = support.space(evidence).read
    head = read(caller.results, HEAD_WORDS * size)
    if len(head) < HEAD_WORDS * size:
        return []
    count = min(struct.unpack(f"<4{word}", head)[2], len(caller.rows))
    raw = read(caller.results + HEAD_WORDS * size, count * len(names) * size)
    return [
        dict(zip(names, values))
        for values in struct.iter_unpack(f"<{len(names)}{word}", raw)
    ]


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
            if low <= event.pc < high or caller.fast:
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
