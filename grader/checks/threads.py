# SPDX-License-Identifier: MIT
"""Boots of 05-threads and what the CPU's record says about each thread."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from grader.checks import support
from grader.checks.api import Plan, boot
from grader.checks.record import Evidence
from grader.evidence.events import Block, Interrupt
from grader.machine import Boot, Limits, Module, Via

USER_KIND = 0x100
TIMER = 0x20
TICKS = 2400
LONG = Limits(cpu_s=12.0, log_bytes=32 << 20)
# What the loops keep in their registers, the first mark first; cx counts.
MARKED = ("ax", "bx", "dx", "si", "di", "bp")
ROW = 8  # marks of a kernel loop, in scenario_marks


@dataclass
class Thread:
    """One thread of the plan, and each time the timer found it running.

    low, high: addresses of its loop; marks: what its registers hold; ticks: the
    interruptions, each with the block of the timer's entry that followed, if any.
    """

    name: str
    user: bool
    low: int
    high: int
    marks: tuple[int, ...]
    kernel_top: int = 0
    ticks: list[tuple[Interrupt, Block | None]] = field(default_factory=list)


def preempted(plan: Plan, kernel: int, user: int, via: Via = Via.DIRECT) -> Boot:
    """Kernel and user threads in seeded order, interrupted TICKS times."""
    rng = plan.rng()
    word = 8 * support.word_bytes(plan.arch)
    mark = rng.getrandbits(word - 8)
    pages = support.user_pages(rng, plan, user)
    kinds = [(False, n) for n in range(kernel)] + [(True, n) for n in range(user)]
    rng.shuffle(kinds)
    rows, blob, threads = [], b"", []
    for is_user, number in kinds:
        if is_user:
            first = rng.getrandbits(word - 8)
            probe = plan.probe("thread", PAD=rng.randrange(1, 3000), MARK=first)
            page = pages[number]
            rows.append(
                (page, USER_KIND, len(blob), len(probe.data), probe.labels["entry"])
            )
            blob += probe.data
            low, high = page + probe.labels["turn"], page + probe.labels["end"]
            name = f"user thread {number + 1}"
        else:
            first = mark + ROW * number
            rows.append((0, number, 0, 0, 0))
            low = plan.symbols.find(f"scenario_kernel_turn_{number}") or 0
            high = plan.symbols.find(f"scenario_kernel_end_{number}") or 0
            name = f"kernel thread {number + 1}"
        marks = tuple(first + n for n in range(len(MARKED)))
        threads.append(Thread(name, is_user, low, high, marks))
    plan.note("threads", threads)
    entry = plan.symbols.find("timer_entry") or 0
    direct = via is Via.DIRECT
    return plan.boot(
        "threads-preempt",
        *support.hexadecimal(mark=mark, ticks=TICKS if direct else 60),
        modules=(
            Module("threads", b"".join(struct.pack("<QIIII", *row) for row in rows)),
            Module("probe", blob or b"\0"),
        ),
        via=via,
        icount_shift=6,
        trace=("int", "cpu_reset", "exec", "cpu") if direct else ("int", "cpu_reset"),
        trace_ranges=((entry, entry),) if direct else (),
        limits=LONG,
    )


@boot("mixed")
def mixed(plan: Plan) -> Boot:
    return preempted(plan, kernel=2, user=3)


@boot("grub")
def grub(plan: Plan) -> Boot:
    return preempted(plan, kernel=1, user=1, via=Via.GRUB)


def observed(evidence: Evidence) -> list[Thread]:
    """The plan's threads with their interruptions, from the trace."""
    if "observed" not in evidence.notes:
        evidence.notes["observed"] = _observe(evidence)
    found: list[Thread] = evidence.notes["observed"]
    return found


def _observe(evidence: Evidence) -> list[Thread]:
    threads: list[Thread] = evidence.notes["threads"]
    word = "I" if support.word_bytes(evidence.arch) == 4 else "Q"
    tops = support.array(evidence, "scenario_kernel_tops", word, len(threads))
    for thread, (top,) in zip(threads, tops):
        thread.kernel_top = top
    events = evidence.events
    for number, event in enumerate(events):
        if not (isinstance(event, Interrupt) and event.hardware and event.v == TIMER):
            continue
        follower = events[number + 1] if number + 1 < len(events) else None
        for thread in threads:
            if thread.low <= event.pc < thread.high:
                block = follower if isinstance(follower, Block) else None
                thread.ticks.append((event, block))
    return threads


def ticks(evidence: Evidence) -> list[Interrupt]:
    """Every timer interrupt that the CPU took."""
    return [
        event
        for event in support.interrupts(evidence)
        if event.hardware and event.v == TIMER
    ]


def landing(evidence: Evidence, thread: Thread, block: Block) -> int:
    """The kernel stack that an interruption landed on: the stack pointer before the CPU
    pushed its frame of five words (three on i386 without a change of ring)."""
    word = support.word_bytes(evidence.arch)
    words = 5 if thread.user or word == 8 else 3
    return (block.regs.sp or 0) + words * word


def turns(thread: Thread, event: Interrupt) -> int:
    """How often the thread's loop has run when this tick came."""
    return event.regs.general("cx") or 0
