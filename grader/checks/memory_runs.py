# SPDX-License-Identifier: MIT
"""Programs of 10: what they touch, what they noted, and how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grader.checks import support
from grader.checks.api import Case, Plan
from grader.checks.arch import arch_of
from grader.checks.program_runs import exits
from grader.checks.record import Evidence
from grader.checks.spaces import frames_lost
from grader.checks.threads import registers
from grader.evidence.events import Interrupt
from grader.evidence.instruction import PF
from grader.evidence.scene import MNEMONICS
from grader.machine import Boot, Limits, Module, Via

HEADER = "kernel/include/course/10-memory.h"
PAGE = support.PAGE
GATE, MASK = 0x80, 0xFFFFFFFF
FAULT = -256 - PF
NOTES, NOTE_CALL = 256, 40
HEAP_SLACK = 4096  # a thread that is still to be reaped, and room in pieces
LONG = Limits(cpu_s=5.0, log_bytes=16 << 20)


@dataclass(frozen=True)
class Program:
    """A process of the plan: its words, and the status that it must end with."""

    name: str
    words: tuple[str, ...]
    status: int
    what: str = ""

    def module(self, image: bytes) -> Module:
        return Module(self.name, image, " ".join(self.words))


class Ended(NamedTuple):
    """A program, its pid (or why it has none), its tree, and how it ended."""

    program: Program
    pid: int
    root: int
    status: int


@dataclass(frozen=True)
class Note:
    """What a program said, and what it had then."""

    pid: int
    frames: int
    what: str
    value: int
    result: int
    heap_start: int
    heap_end: int
    area_end: int


def said(evidence: Evidence, root: int) -> list[tuple[int, ...]]:
    """What ring 3 gave to the call NOTE_CALL, as the CPU recorded it."""
    names = ("bx", "cx", "dx") if evidence.arch == "i386" else ("di", "si", "dx")
    found = []
    for event in support.interrupts(evidence):
        if event.v == GATE and event.cpl == 3 and event.regs.get("CR3", 0) == root:
            held = registers(event.dump)
            if held.get("ax") == NOTE_CALL:
                found.append(tuple(held.get(name, 0) for name in names))
    return found


def notes_of(case: Case, evidence: Evidence, one: Ended) -> list[Note]:
    """The notes of a process; what it said itself is taken from the CPU's record."""
    ((count,),) = support.array(evidence, "scenario_note_count", "I", 1)
    rows = support.array(evidence, "scenario_notes", "iI3QQQQ", min(count, NOTES))
    word = 1 << 8 * support.word_bytes(evidence.arch)
    words = said(evidence, one.root)
    mine = [row for row in rows if row[0] == one.pid]
    case.expect(
        [row[2:5] for row in mine] == words,
        expected=f"The kernel has noted the {len(words)} calls that ring 3 made of the "
        "grader's own call, with their arguments.",
        seen=f"It has noted {len(mine)}, or others.",
        cause="A system call did not come through as stage 06 has it, or something "
        "wrote to memory that is the grader's.",
        read=HEADER,
    )
    found = []
    for of, frames, what, value, result, start, end, area in mine:
        signed = result - word if result >= word - 4096 else result
        back = value - word if value >= word >> 1 else value
        shown = chr(what & 0x7F)
        found.append(Note(of, frames, shown, back, signed, start, end, area))
    return found


def programs_boot(
    plan: Plan,
    made: Sequence[Program],
    image: bytes,
    via: Via = Via.DIRECT,
    scenario: str = "memory-run",
    icount_shift: int = 5,
    **words: int,
) -> Boot:
    plan.note("programs", list(made))
    return plan.boot(
        scenario,
        *support.hexadecimal(**words),
        modules=tuple(one.module(image) for one in made),
        icount_shift=icount_shift,
        limits=LONG,
        via=via,
    )


def ended(evidence: Evidence) -> list[Ended]:
    """Each program, in the plan's order."""
    made: list[Program] = support.note(evidence, "programs")
    word = arch_of(evidence).word
    pids = support.array(evidence, "scenario_started", "i", len(made))
    roots = support.array(evidence, "scenario_roots", word, len(made))
    statuses = support.array(evidence, "scenario_statuses", "q", len(made))
    return [
        Ended(one, pid, root, status)
        for one, (pid,), (root,), (status,) in zip(made, pids, roots, statuses)
    ]


def page_faults(evidence: Evidence, root: int) -> list[Interrupt]:
    """Those of ring 3 under one tree, in order."""
    return [
        e
        for e in support.interrupts(evidence)
        if e.v == PF and e.fault and e.cpl == 3 and e.regs.get("CR3", 0) == root
    ]


def expect_status(case: Case, evidence: Evidence, one: Ended, cause: str) -> None:
    """It ended as it must, and that by what the CPU recorded of it."""
    program, pid, root, status = one
    case.expect(
        pid > 0 and status == program.status,
        expected=f"The program “{program.name} {' '.join(program.words)}” "
        + (
            f"ends by {MNEMONICS[-256 - program.status].split()[0]}, {program.status}."
            if program.status < 0
            else f"ends with status {program.status}."
        ),
        seen=f"process_start returned {pid}."
        if pid <= 0
        else f"Its status is {status}{', #PF' if status == FAULT else ''}.",
        cause=cause
        if pid > 0
        else "memory_start or area_add refused an area that every program has: stack, "
        "arguments, segments, of which some adjoin.",
        read=HEADER,
    )
    if program.status >= 0:
        given = exits(evidence).get(root)
        case.expect(
            given is not None and given & MASK == status,
            expected=f"The program gives {status} to exit.",
            seen="It never called exit."
            if given is None
            else f"It gave {given & MASK:#x}.",
            cause="Its status was not its own doing.",
            read=HEADER,
        )


def expect_all_free(case: Case, evidence: Evidence) -> None:
    lost = frames_lost(evidence)
    case.expect(
        not lost,
        expected="As many frames are free at the end as at the begin.",
        seen=f"{lost} are missing.",
        cause="A frame was taken, and is in no tree that ends with its process.",
        hint="When space_map has no frame left for a table, the frame that was to be "
        "mapped goes back by frame_free.",
        read=HEADER,
    )


def expect_heap_kept(case: Case, evidence: Evidence) -> None:
    """No more of the kernel's heap is in use than before the processes."""
    ((before, after),) = support.array(evidence, "scenario_used", "II", 1)
    case.expect(
        after - before < HEAP_SLACK,
        expected=f"Of the kernel's heap {before} bytes are in use, before the process "
        "and behind its end.",
        seen=f"Afterwards it is {after}: {after - before} bytes are lost.",
        cause="The heap's area was taken out of the list when the heap became empty, "
        "and not freed.",
        hint="kfree what area_add has taken with kmalloc.",
        read=HEADER,
    )
