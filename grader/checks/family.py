# SPDX-License-Identifier: MIT
"""Boots of 11: one process with a script, its children, and what they noted."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks import support
from grader.checks.api import Case, Plan
from grader.checks.record import Evidence
from grader.checks.spaces import frames_lost
from grader.machine import Boot, Limits, Module

HEADER = "kernel/include/course/11-shell.h"
PROBE, QUIET = "probes/family.c", "probes/quiet.c"
NOTES, IMAGES = 512, 32
SALT = struct.pack("<II", 0x51A7AB1E, 0xCA11AB1E)  # in quiet.c
LONG = Limits(cpu_s=8.0, log_bytes=24 << 20)
E_INVAL, E_NOENT, E_FAULT = -1, -3, -4
# What a right solution may keep: room that it has made for more, and will use again.
HEAP_KEPT_BYTES = 1024
KILLED = -1000


@dataclass(frozen=True)
class Note:
    """What a process said: a letter, a number, and what came of it; and whose child
    it was then."""

    pid: int
    parent: int
    what: str
    value: int
    result: int


def quiet_image(plan: Plan, salt: int = 0) -> bytes:
    """The program "quiet"; salt: changes the numbers that it ends with, by xor."""
    image = plan.program(QUIET, elf=True)
    if image.count(SALT) != 1:
        raise LookupError(f"{QUIET} has no place for its number")
    return image.replace(SALT, struct.pack("<II", salt, 0))


def family_boot(
    plan: Plan,
    words: Sequence[str],
    *others: Module,
    salt: int = 0,
    shift: int = 5,
    **numbers: int,
) -> Boot:
    """The script as the first process; "quiet" is there for its children. numbers: for
    the scenario."""
    plan.note("words", list(words))
    first = Module("first", plan.program(PROBE, elf=True), " ".join(words))
    quiet = Module("quiet", quiet_image(plan, salt))
    return plan.boot(
        "family-run",
        *support.hexadecimal(**{"most": 400, **numbers}),
        modules=(first, quiet, *others),
        icount_shift=shift,
        limits=LONG,
    )


def notes(evidence: Evidence) -> list[Note]:
    """All of them, in order, numbers with their sign."""
    word = 1 << 8 * support.word_bytes(evidence.arch)
    ((count,),) = support.array(evidence, "scenario_note_count", "I", 1)
    rows = support.array(evidence, "scenario_notes", "2i3Q", min(count, NOTES))

    def signed(value: int) -> int:
        return value - word if value >= word >> 1 else value

    return [
        Note(pid, parent, chr(what & 0x7F), signed(value), signed(result))
        for pid, parent, what, value, result in rows
    ]


def said(evidence: Evidence, letters: str) -> list[Note]:
    return [note for note in notes(evidence) if note.what in letters]


def children(evidence: Evidence) -> list[int]:
    """What each spawn gave, in order."""
    return [note.result for note in said(evidence, "s")]


def again(plan: Plan) -> Module:
    """The program of the first process, for its children."""
    return Module("again", plan.program(PROBE, elf=True))


def nth(found: Sequence[Note], number: int) -> Note | None:
    return found[number] if number < len(found) else None


def came(note: Note | None) -> str:
    """What the call returned, if it did."""
    return (
        f"It returned {support.named(note.result)}." if note else "It never came back."
    )


def expect_result(
    case: Case,
    note: Note | None,
    result: int,
    *,
    expected: str,
    cause: str,
    hint: str = "",
) -> None:
    """The call came back with that result."""
    case.expect(
        note is not None and note.result == result,
        expected=expected,
        seen=came(note),
        cause=cause,
        hint=hint,
        read=HEADER,
    )


def wrong(evidence: Evidence) -> dict[int, Note]:
    """What came of each wrong pointer, by its number."""
    return {note.value: note for note in said(evidence, "b")}


def expect_end(case: Case, evidence: Evidence) -> None:
    """The script came to its end: its status is the number of its words."""
    words = support.note(evidence, "words")
    ((status,),) = support.array(evidence, "scenario_statuses", "q", 1)
    case.expect(
        status == len(words) + 1,
        expected="The process that spawns and waits comes to its end.",
        seen=f"It ended with status {status} after {len(notes(evidence))} notes.",
        cause="A fault ended it."
        if -300 < status <= -256
        else "A call did not come back: it waits for something that does not come.",
        hint="Its last note was " + _last(evidence),
        read=HEADER,
    )


def _last(evidence: Evidence) -> str:
    found = notes(evidence)
    if not found:
        return "none at all."
    return f"“{found[-1].what}” {found[-1].value}: {found[-1].result}."


def expect_nothing_left(case: Case, evidence: Evidence) -> None:
    """No process, no frame and no piece of the kernel's heap is left."""
    left = [
        pid for (pid,) in support.array(evidence, "scenario_left", "i", IMAGES) if pid
    ]
    case.expect(
        not left,
        expected="When all have ended, no process is known any more.",
        seen=f"{len(left)} still are, with the pids {', '.join(map(str, left))}.",
        cause="Nobody will ask for their status: their parent has ended.",
        hint="At the end of a process its children get PARENT_NOBODY; who has ended "
        "and has nobody is forgotten at once, however many they are. process_forget "
        "frees the one it is given: ask for the next one before.",
        read=HEADER,
    )
    lost = frames_lost(evidence)
    case.expect(
        not lost,
        expected="As many frames are free as at the begin.",
        seen=f"{lost} are missing.",
        cause="A process that ended by another way than the usual one kept its space.",
        hint="Every end goes through user_exit, whose hooks give all of it back.",
        read=HEADER,
    )
    ((first, last),) = support.array(evidence, "scenario_used", "II", 1)
    case.expect(
        last - first <= HEAP_KEPT_BYTES,
        expected=f"Of the kernel's heap {first} bytes are in use, as at the begin.",
        seen=f"It is {last} bytes.",
        cause="Processes that are not forgotten, or threads that are not reaped.",
        read=HEADER,
    )
