# SPDX-License-Identifier: MIT
"""Boots of 05-threads and what the CPU's record says about each thread."""

from __future__ import annotations

import functools
import re
import struct
from dataclasses import dataclass, field

from grader.checks import support
from grader.checks.api import Plan, boot
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence.events import Block, Interrupt
from grader.machine import Boot, End, Limits, Module, Via

USER_KIND = 0x100
TIMER = 0x20
TICKS = 2400
FLAGS, FLAGS_IF, FLAGS_DF = 0x3600, 0x200, 0x400  # IOPL, DF and IF; IF; DF
LONG = Limits(cpu_s=3.0, log_bytes=16 << 20)
# What the loops keep in their registers, the first mark first; cx counts.
_COMMON = ("ax", "bx", "dx", "si", "di", "bp")
MARKED = {
    "i386": _COMMON,
    "x86_64": (*_COMMON, *(f"r{number}" for number in range(8, 16))),
}
# Segment registers that ring 3 keeps; long mode ignores them.
SEGMENTS = {"i386": (b"DS", b"ES", b"FS", b"GS"), "x86_64": ()}
ROW = 16  # marks of a kernel loop, in scenario_marks
DUMP_BYTES = 640  # of a register dump, up to the flags
MANY = 32  # slices


@dataclass
class Tick:
    """The timer interrupted a thread. position: among all ticks of the run, from 0.

    registers: by the names of MARKED, and cx, ip, fl; sp: the thread's. landed: the
    kernel stack before the CPU pushed its frame, None if the entry left no record.
    lost: the first of SEGMENTS that is not the selector of the thread's SS, or "".
    """

    position: int
    cpl: int
    sp: int
    registers: dict[str, int]
    landed: int | None
    lost: str

    @property
    def turns(self) -> int:
        """How often the thread's loop has run."""
        return self.registers.get("cx", 0)


@dataclass
class Thread:
    """One thread of the plan, and each time the timer found it running.

    low, high: addresses of its loop; marks: what its registers hold; flags: those of
    FLAGS that are set in it.
    """

    name: str
    user: bool
    low: int
    high: int
    marks: tuple[int, ...]
    flags: int
    kernel_top: int = 0
    ticks: list[Tick] = field(default_factory=list)


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
            down = rng.getrandbits(1) if number else 1
            pad = rng.randrange(1, 3000)
            probe = plan.probe("thread", PAD=pad, MARK=first, DF=down)
            page = pages[number]
            rows.append(
                (page, USER_KIND, len(blob), len(probe.data), probe.labels["entry"])
            )
            blob += probe.data
            low, high = page + probe.labels["turn"], page + probe.labels["end"]
            name = f"user thread {number + 1}"
        else:
            down = 0
            first = mark + ROW * number
            rows.append((0, number, 0, 0, 0))
            low = plan.symbols.find(f"scenario_kernel_turn_{number}") or 0
            high = plan.symbols.find(f"scenario_kernel_end_{number}") or 0
            name = f"kernel thread {number + 1}"
        marks = tuple(first + n for n in range(len(MARKED[plan.arch])))
        flags = FLAGS_IF | (FLAGS_DF if down else 0)
        threads.append(Thread(name, is_user, low, high, marks, flags))
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
        icount_shift=7,
        trace=("int", "cpu_reset", "exec", "cpu") if direct else ("int", "cpu_reset"),
        trace_ranges=((entry, entry),) if direct else (),
        limits=LONG,
    )


@boot("mixed")
def mixed(plan: Plan) -> Boot:
    return preempted(plan, kernel=2, user=3)


@boot("grub", disc=True)
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
    bits = support.word_bytes(evidence.arch)
    word = arch_of(evidence).word
    tops = support.array(evidence, "scenario_kernel_tops", word, len(threads))
    for thread, (top,) in zip(threads, tops):
        thread.kernel_top = top
    events = evidence.events
    position = -1
    for number, event in enumerate(events):
        if not (isinstance(event, Interrupt) and event.hardware and event.v == TIMER):
            continue
        position += 1
        owner = next((t for t in threads if t.low <= event.pc < t.high), None)
        if owner is None:
            continue
        follower = events[number + 1] if number + 1 < len(events) else None
        landed = None
        if isinstance(follower, Block):
            # Five words, or on i386 three when the ring does not change.
            words = 5 if event.cpl == 3 or bits == 8 else 3
            landed = registers(follower.dump).get("sp", 0) + words * bits
        lost = ""
        for name in SEGMENTS[evidence.arch]:
            if b"\n%s =%04x " % (name, event.ss) not in event.dump:
                lost = name.decode()
                break
        owner.ticks.append(
            Tick(position, event.cpl, event.sp, registers(event.dump), landed, lost)
        )
    return threads


def strayed(threads: list[Thread]) -> list[tuple[Thread, Tick]]:
    """Interruptions of user threads that did not land on their kernel stack."""
    found = [
        (thread, tick)
        for thread in threads
        if thread.user
        for tick in thread.ticks
        if tick.cpl == 3 and tick.landed not in (None, thread.kernel_top)
    ]
    return sorted(found, key=lambda pair: pair[1].position)


def begins_again(thread: Thread, arch: str) -> bool:
    """Whether many slices bring the thread's counter no further than the first one,
    while its other registers hold what they should."""
    turns = [tick.turns for tick in thread.ticks]
    if len(turns) < MANY or max(turns) > 2 * turns[0]:
        return False
    names = MARKED[arch]
    have = {tuple(tick.registers.get(n, 0) for n in names) for tick in thread.ticks}
    return have == {thread.marks}


def landing(threads: list[Thread], thread: Thread, tick: Tick) -> str:
    """Where an interruption of the thread landed, in words."""
    owner = next((t.name for t in threads if t.kernel_top == tick.landed), "no thread")
    whose = "its own" if owner == thread.name else f"that of {owner}"
    return f"landed on the kernel stack {tick.landed or 0:#x}, {whose}"


def stopped(evidence: Evidence, threads: list[Thread], thread: Thread) -> str:
    """When the thread was found last, where that landed, and who landed there next."""
    if not thread.ticks:
        return "It was never found."
    last = thread.ticks[-1]
    text = f"The last tick that found it was {last.position + 1}"
    if last.landed is not None:
        text += f"; it {landing(threads, thread, last)}"
    later = [
        (tick.position, other.name)
        for other in threads
        for tick in other.ticks
        if other is not thread
        and tick.landed == last.landed
        and tick.position > last.position
    ]
    if later:
        position, name = min(later)
        text += f". Tick {position + 1}, of {name}, landed there too"
    if evidence.run.end is not End.DONE:
        text += f". Then: {evidence.diagnosis.seen}"
    return text + "."


def ticks(evidence: Evidence) -> list[Interrupt]:
    """Every timer interrupt that the CPU took."""
    return [
        event
        for event in support.interrupts(evidence)
        if event.hardware and event.v == TIMER
    ]


@functools.lru_cache(maxsize=None)
def _register() -> re.Pattern[bytes]:
    return re.compile(rb"\b(?:[ER]([A-Z]{2})|(R[0-9]+)) ?=([0-9a-f]+)")


def registers(dump: bytes) -> dict[str, int]:
    """General registers, ip and flags of a dump: thousands are read, so only these."""
    found = _register().findall(dump, 0, DUMP_BYTES)
    return {_name(a or b): int(digits, 16) for a, b, digits in found}


@functools.lru_cache(maxsize=None)
def _name(register: bytes) -> str:
    return register.decode().lower()
