# SPDX-License-Identifier: MIT
"""What there is to say about a run that nobody judges: its end, and its last fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Optional, Sequence

from grader.evidence import console, explain
from grader.evidence.exhibit import Exhibit, Row
from grader.evidence.scene import Diagnosis, Scene, vector_name
from grader.evidence.trace import Interrupt

LAST = 5  # exceptions that are listed
LINES = 6  # of the console
LIMITS = {
    "CPU_LIMIT": "its CPU time was used up",
    "WALL_LIMIT": "its time was up",
    "LOG_LIMIT": "the log of its exceptions and interrupts was full",
}
_ENDS = {
    "TRIPLE_FAULT": "The demo ended in a triple fault: the CPU gave up.",
    "RESET": "The demo ended because the machine was reset.",
    "SHUTDOWN": "The demo ended because the machine was switched off.",
    "HALTED": "The demo stopped halfway: the CPU is halted for good.",
    "CONSOLE_LIMIT": "The demo was stopped: it prints without end.",
    "QEMU_ABORT": "QEMU itself gave up on what the kernel did.",
    "PANIC": "The kernel panicked; what the demo printed before says if it meant to.",
}


@dataclass(frozen=True)
class Account:
    """told: texts with their names, in order; the first says how the run ended."""

    told: tuple[tuple[str, str], ...]
    exhibits: tuple[Exhibit, ...] = ()


def account(scene: Scene, *, alive: bool = False) -> Account:
    """What a run came to; a stub that was reached is the caller's to explain.

    alive: if a limit ended it, exceptions or interrupts kept coming until then.
    """
    faults = [event for event in scene.interrupts if event.fault]
    done = scene.end == "DONE"
    going = scene.end in LIMITS and alive and explain.looping(scene) is None
    if not (done or going):
        found = explain.diagnose(scene)
        return _account(scene, _headline(scene), found, _texts(found))
    headline = "The demo came to its end."
    if going:
        headline = f"The demo was still running when {LIMITS[scene.end]}. That may be"
        headline += " right: some demos run for ever, some wait for keys."
    wrong = explain.observe(scene)
    if wrong:
        found = wrong[0]
        headline += " No fault stopped it, but the CPU's records show a mistake."
        return _account(scene, headline, found, _texts(found))
    if not faults:
        headline += (
            " The CPU raised no exception. Whether all is right, `make grade` says."
        )
        return _account(scene, headline, None, [])
    count = len(faults)
    first = "one exception" if count == 1 else f"{count} exceptions"
    headline += f" The CPU raised {first} on the way, and the kernel got over"
    headline += " it." if count == 1 else " them all. This is the last one:"
    found = explain.fault(scene, faults[-1])
    return _account(scene, headline, found, _texts(found, mend="if not meant"))


def _headline(scene: Scene) -> str:
    if scene.end not in LIMITS:
        return _ENDS.get(scene.end, "The demo ended in an unforeseen way.")
    how = "does not get on" if explain.looping(scene) else "hangs"
    return f"The demo {how}: {LIMITS[scene.end]}, and it was stopped."


def _texts(found: Diagnosis, mend: str = "mend") -> list[tuple[str, str]]:
    return [
        ("seen", found.seen),
        ("at", found.source),
        ("cause", found.cause),
        (mend, found.hint),
        ("read", found.read),
    ]


def _account(
    scene: Scene,
    headline: str,
    found: Optional[Diagnosis],
    texts: Sequence[tuple[str, str]],
) -> Account:
    told = [("the demo", headline), *texts, *records(scene)]
    if scene.end in LIMITS and (
        found is None or explain.where(scene) not in found.seen
    ):
        told.append(("stands", explain.where(scene)))
    if found is None or "The console" not in found.seen:
        told += said(scene)
    exhibits = () if found is None else found.exhibits
    if all(exhibit.kind != "chain" for exhibit in exhibits):
        exhibits += _exceptions(scene)
    return Account(tuple(row for row in told if row[1]), exhibits)


def said(scene: Scene) -> list[tuple[str, str]]:
    """The last lines of the console, those of a panic apart."""
    printed = scene.console.partition(console.PANIC_BEGIN.encode())[0]
    last = console.tail(console.kernel(printed), LINES)
    return [("console", "\n".join(last) or "The kernel printed nothing.")]


def records(scene: Scene) -> list[tuple[str, str]]:
    """Which rings the CPU was in when it recorded something, and what that was."""
    every = scene.interrupts
    if not every:
        return [("rings", "No exception, no interrupt: the CPU recorded no ring.")]
    rings = Counter(event.cpl for event in every)
    kinds = Counter(_kind(event) for event in every)
    in_rings = (f"{count} in ring {ring}" for ring, count in sorted(rings.items()))
    of_kinds = (f"{count} of {kind}" for kind, count in kinds.most_common(LAST))
    rings_text = f"Of the CPU's records {', '.join(in_rings)}."
    return [("rings", rings_text), ("records", "; ".join(of_kinds))]


def _kind(event: Interrupt) -> str:
    if event.hardware:
        return f"hardware interrupt {event.v:#04x}"
    return f"`int {event.v:#x}`" if event.i else vector_name(event.v)


def _exceptions(scene: Scene) -> tuple[Exhibit, ...]:
    """The last exceptions, if there are several; one that repeats is one row."""
    faults = (event for event in scene.interrupts if event.fault)
    runs = [list(same) for _, same in groupby(faults, lambda e: (e.v, e.pc, e.cr2))]
    rows = [
        Row(
            (
                _kind(same[0]),
                str(same[0].cpl),
                scene.at(same[0].regs, same[0].pc),
                str(len(same)),
            )
        )
        for same in runs[-LAST:]
    ]
    columns = ("what", "CPL", "raised by", "times")
    listed = Exhibit("chain", "The last exceptions, in order", columns, tuple(rows))
    return (listed,) if len(rows) > 1 else ()
