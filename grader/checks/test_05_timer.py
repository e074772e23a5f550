# SPDX-License-Identifier: MIT
"""05-threads under the timer: rings, stacks, progress and registers over many slices."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.record import Evidence
from grader.checks.threads import (
    MARKED,
    TICKS,
    Thread,
    grub,
    mixed,
    observed,
    ticks,
)
from grader.evidence.explain import signature
from grader.machine import End

READ_STACK = 'SDM 3A "Stack Switching" (5.8.5)'
READ_PIC = "The data sheet of the 8259A, “End of Interrupt (EOI)”"
FLAGS, FLAGS_IF = 0x3600, 0x200  # IOPL, DF and IF
HEADER = "kernel/include/course/05-threads.h"


def slices(case: Case) -> tuple[Evidence, list[Thread]]:
    """The threads as the timer found them, however the boot ended."""
    evidence = case.run(mixed, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(mixed)
    return evidence, observed(evidence)


@check("thread-ticks", boots=(mixed,))
def test_ticks(case: Case) -> None:
    """The timer interrupts again and again: each interrupt is acknowledged."""
    evidence, _ = slices(case)
    count = len(ticks(evidence))
    if count == 1 and evidence.run.end is not End.TASK_OPEN:
        why = signature("eoi-missing", "The CPU took one timer interrupt and no other.")
        case.fail(
            expected=f"{TICKS} timer interrupts (vector 0x20).",
            seen=why.seen,
            cause=why.cause,
            hint=why.hint,
            read=why.read,
        )
    if count < TICKS:
        case.run(mixed)
    case.expect(
        count >= TICKS,
        expected=f"{TICKS} timer interrupts (vector 0x20).",
        seen=f"There were {count}.",
        cause="Interrupts stayed off, or one was not acknowledged: a thread's first run "
        "does not return through the interrupt that brought it.",
        hint="pic_eoi(0) before the switch; interrupts on in every new thread.",
        read=READ_PIC,
    )
    case.fact("ticks", count)


@check("thread-rings", boots=(mixed,), needs=("thread-ticks",))
def test_rings(case: Case) -> None:
    """Kernel threads are only ever interrupted at CPL 0, user threads only at CPL 3."""
    _, threads = slices(case)
    for thread in threads:
        want = 3 if thread.user else 0
        seen = sorted({tick.cpl for tick in thread.ticks})
        case.expect(
            seen == [want],
            expected=f"Whenever the timer finds {thread.name}, the CPL is {want}.",
            seen=f"The CPL was {', '.join(map(str, seen))} in {len(thread.ticks)} "
            "interruptions."
            if seen
            else "It was never found running.",
            cause="The thread runs in the wrong ring."
            if seen
            else "The thread never ran, or had no share of the time.",
            hint="A user thread enters ring 3 by ring3_enter, on its user stack.",
            read=HEADER,
        )
    case.fact("rings", [[t.user, sorted({e.cpl for e in t.ticks})] for t in threads])


@check("thread-progress", boots=(mixed,), needs=("thread-ticks",))
def test_progress(case: Case) -> None:
    """Every thread goes on to the end, with a fair share of the slices."""
    evidence, threads = slices(case)
    count = len(ticks(evidence))
    share = count // len(threads)
    for thread in threads:
        found = [tick.position for tick in thread.ticks]
        stopped = not found or found[-1] < count - 4 * len(threads)
        case.expect(
            not stopped,
            expected=f"{thread.name} runs until the end, tick {count}.",
            seen=f"The last tick that found it was {found[-1] + 1 if found else 'none'}; "
            f"the switch after it {last_stack(evidence, thread)}.",
            cause="The thread silently stopped. Without a fault this is nearly always a "
            "kernel stack used by two threads: the next interruption overwrites the "
            "frame with which this one would have come back.",
            hint="At each switch the CPU must learn the kernel stack of the thread that "
            "is about to run: tss_set_kernel_stack(next->kernel_top).",
            read=READ_STACK,
        )
        case.expect(
            len(found) >= share // 2,
            expected=f"{thread.name} has a fair share: about {share} slices.",
            seen=f"It had {len(found)}.",
            cause="The queue prefers others: a thread starves.",
            hint="Round robin: who was running goes to the end of the queue.",
            read=HEADER,
        )
        counted = [tick.turns for tick in thread.ticks[:: max(1, share // 16)]]
        case.expect(
            all(a < b for a, b in zip(counted, counted[1:])),
            expected=f"The counter of {thread.name} only grows.",
            seen=f"It read {counted[:6]} …",
            cause="The thread starts again and again: EIP or its registers are those of "
            "its beginning.",
            hint="A thread that was interrupted goes on through its own kernel stack.",
            read=HEADER,
        )
    case.fact("threads", len(threads))


def last_stack(evidence: Evidence, thread: Thread) -> str:
    """Where the last interruption of the thread landed, in words."""
    landed = [tick.landed for tick in thread.ticks if tick.landed is not None]
    if not landed:
        return "left no record"
    at = landed[-1]
    owners = [t.name for t in observed(evidence) if t.kernel_top == at]
    whose = f"that of {owners[0]}" if owners else "no thread's own"
    return f"landed on the kernel stack {at:#x}, {whose}"


@check("thread-kernel-stack", boots=(mixed,), needs=("thread-ticks",))
def test_kernel_stack(case: Case) -> None:
    """Each interruption of a user thread lands at the top of that thread's own kernel
    stack."""
    evidence, threads = slices(case)
    for thread in (t for t in threads if t.user):
        landed = {tick.landed for tick in thread.ticks if tick.landed is not None}
        wrong = sorted(landed - {thread.kernel_top})
        case.expect(
            landed and not wrong,
            expected=f"Every interruption of {thread.name} lands on {thread.kernel_top:#x}, "
            "its kernel_top.",
            seen=f"Of {len(thread.ticks)}, some landed on {wrong[0]:#x}."
            if wrong
            else "None was recorded.",
            cause="The stack pointer in the TSS was not switched with the thread (esp0, "
            "rsp0): two threads share a kernel stack, and one will vanish.",
            hint="tss_set_kernel_stack(next->kernel_top) in thread_switch.",
            read=READ_STACK,
        )
    tops = {thread.kernel_top for thread in threads}
    case.expect(
        len(tops) == len(threads),
        expected=f"{len(threads)} threads have {len(threads)} kernel stacks.",
        seen=f"They have {len(tops)}.",
        cause="Threads share a kernel stack.",
        read=HEADER,
    )
    case.fact("stacks", len(tops))


@check("thread-registers", boots=(mixed,), needs=("thread-progress",))
def test_registers(case: Case) -> None:
    """Every register of a thread survives every interruption, in both rings."""
    _, threads = slices(case)
    marked = MARKED[case.arch]
    for thread in threads:
        for number, tick in enumerate(thread.ticks):
            have = tuple(tick.registers.get(name, 0) for name in marked)
            flags = tick.registers.get("fl", 0)
            if have == thread.marks and flags & FLAGS == FLAGS_IF:
                continue
            wrong = [
                n
                for n, pair in enumerate(zip(have, thread.marks))
                if pair[0] != pair[1]
            ]
            case.expect(
                not wrong,
                expected=f"At its interruption {number + 1} {thread.name} has "
                f"{thread.marks[wrong[0]]:#x} in *{marked[wrong[0]]}."
                if wrong
                else "",
                seen=f"It has {have[wrong[0]]:#x}." if wrong else "",
                cause="The timer's entry does not keep this register, or restores it in "
                "another order.",
                hint="All general registers, not only those that C preserves: the "
                "thread did not ask to be interrupted.",
                read=HEADER,
            )
            case.expect(
                flags & FLAGS == FLAGS_IF,
                expected="IF is set, DF and IOPL are clear in every thread.",
                seen=f"EFLAGS of {thread.name} is {flags:#x}.",
                cause="EFLAGS is not restored as the CPU pushed it.",
                read=HEADER,
            )
    case.fact("marks", [len(marked), len(threads)])


@check("thread-drift", boots=(mixed,), needs=("thread-progress",))
def test_drift(case: Case) -> None:
    """After thousands of switches every stack stands where it stood at the first."""
    _, threads = slices(case)
    for thread in threads:
        stacks = [tick.sp for tick in thread.ticks]
        case.expect(
            len(set(stacks)) == 1,
            expected=f"The stack pointer of {thread.name} is the same at every tick.",
            seen=f"It was {stacks[0]:#x} first and {stacks[-1]:#x} last.",
            cause="Something stays on the stack at each interruption.",
            hint="What the entry pushes, it must pop.",
            read=HEADER,
        )
    case.fact("drift", 0)


@check("thread-grub", boots=(grub,), needs=("thread-rings",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, a kernel and a user thread take turns as well."""
    for thread in observed(case.run(grub)):
        want = 3 if thread.user else 0
        case.expect(
            {tick.cpl for tick in thread.ticks} == {want},
            expected=f"{thread.name} is interrupted at CPL {want}.",
            seen=f"The timer found it {len(thread.ticks)} times.",
            cause="Something that GRUB leaves otherwise than QEMU's loader matters.",
            hint="Do not rely on registers, segments or memory that you did not set.",
        )
