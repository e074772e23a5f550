# SPDX-License-Identifier: MIT
"""05-threads under the timer: rings, stacks, progress and registers in all slices."""

from __future__ import annotations

from typing import NoReturn

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.thread_ends import finished
from grader.checks.threads import (
    FLAGS,
    FLAGS_IF,
    MARKED,
    TICKS,
    Thread,
    begins_again,
    grub,
    landing,
    mixed,
    observed,
    stopped,
    strayed,
    ticks,
)
from grader.machine import End

READ_STACK = 'SDM 3A "Stack Switching" (5.8.5)'
READ_IF = 'SDM 3A "Masking Maskable Hardware Interrupts" (6.8.1)'
READ_IRET = 'SDM 2A "IRET/IRETD/IRETQ—Interrupt Return"'
READ_PIC = "The data sheet of the 8259A, “End of Interrupt (EOI)”"
HEADER = "kernel/include/course/05-threads.h"


def slices(case: Case) -> tuple[Evidence, list[Thread]]:
    """The threads as the timer found them, however the boot ended."""
    evidence = case.run(mixed, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(mixed)
    return evidence, observed(evidence)


@check("thread-ticks", boots=(mixed,), needs=("thread-switch",))
def test_ticks(case: Case) -> None:
    """The timer interrupts again and again: each interrupt is acknowledged."""
    evidence, threads = slices(case)
    count = len(ticks(evidence))
    if count < TICKS and evidence.run.end in (End.CPU_LIMIT, End.WALL_LIMIT):
        times = "one timer interrupt" if count == 1 else f"{count} timer interrupts"
        at = evidence.registers.ip or 0
        off = not (evidence.registers.flags or 0) & FLAGS_IF
        if off and evidence.registers.cpl == 0 and at >= support.of(case)["USER_BASE"]:
            called(case, f"The CPU took {times} and no other; it runs at {at:#x}.")
        case.fail(
            expected=f"{TICKS} timer interrupts (vector 0x20).",
            seen=f"The CPU took {times} and no other"
            + (f"; it runs at {at:#x} with interrupts off." if off else "."),
            cause="A thread runs with interrupts off: a new kernel thread comes out of "
            "its first switch with IF clear."
            if off
            else "The interrupt controller waits for the end of interrupt (EOI). It "
            "was never sent, or it is sent behind the switch: a new thread's first run "
            "does not return through the interrupt that brought it.",
            hint="Switch interrupts on before the thread's function is called."
            if off
            else "pic_eoi(0) comes before the switch.",
            read=READ_IF if off else READ_PIC,
            source=support.place(evidence, at),
        )
    case.expect(
        count == TICKS or count < TICKS and evidence.run.end is not End.DONE,
        expected="tick_dispatch() runs once at each tick: core and hooks count time.",
        seen=f"The CPU took {count} timer interrupts, and the kernel "
        + (f"counted {TICKS}." if evidence.run.end is End.DONE else "counted fewer."),
        cause="timer_interrupt does not call it, calls it twice, or calls it behind "
        "the switch, where a new thread's first run does not come by.",
        hint="pic_eoi(0), tick_dispatch(), then the next thread.",
        read=HEADER,
    )
    lost = bool(strayed(threads))  # for other checks to tell: the timer did go on
    if count < TICKS and not lost:
        finished(case, mixed, "Kernel and user threads were taking turns.")
    case.expect(
        count >= TICKS or lost,
        expected=f"{TICKS} timer interrupts (vector 0x20).",
        seen=f"There were {count}.",
        cause="Interrupts stayed off, or one was not acknowledged.",
        hint="pic_eoi(0) before the switch; interrupts on in every new thread.",
        read=READ_PIC,
    )
    case.fact("ticks", count)


def called(case: Case, seen: str) -> NoReturn:
    """Code of ring 3 runs in ring 0."""
    case.fail(
        expected="Wherever a user thread runs, the CPL is 3.",
        seen=f"{seen} That is a user thread's code, at CPL 0.",
        cause="It was called, or jumped to, and not entered: a call leaves the ring as "
        "it is.",
        hint="The way there is ring3_enter(user_entry, user_stack).",
        read=READ_IRET,
    )


@check("thread-turns", boots=(mixed,), needs=("thread-kernel-stack",))
def test_turns(case: Case) -> None:
    """The timer takes the turn away: every thread has its share of the slices, and the
    idle thread has none."""
    evidence, threads = slices(case)
    count = len(ticks(evidence))
    share = count // len(threads)
    running = [thread for thread in threads if thread.ticks]
    case.expect(
        len(running) > 1,
        expected=f"The timer finds {len(threads)} threads in turn.",
        seen=f"It found {running[0].name} alone." if running else "It found none.",
        cause="Each interruption returns to the thread that it interrupted: the turn "
        "never changes, or the queue gives it back at once.",
        hint="timer_interrupt lets the next thread run (thread_yield), and who was "
        "running goes to the end of the queue.",
        read=HEADER,
    )
    alike = [(thread.name, _living(thread)) for thread in threads]
    most = max(len(thread.ticks) for thread in threads)
    for thread, (name, living) in zip(threads, alike):
        have = len(thread.ticks)
        case.expect(
            not living or have >= share // 2,
            expected=f"{name} has a fair share: about {share} slices.",
            seen=f"It had {have}; another one had {most}.",
            cause="The queue prefers others: a thread starves.",
            hint="Round robin: who was running goes to the end of the queue.",
            read=HEADER,
        )
    others = count - sum(len(thread.ticks) for thread in threads)
    case.expect(
        others <= 2 * len(threads),
        expected="As long as threads are ready the idle thread does not run.",
        seen=f"{others} of {count} ticks found other code than the threads'.",
        cause="The idle thread stands in the queue, and has turns of its own.",
        hint="thread_yield puts the caller into the queue unless it is the idle "
        "thread.",
        read=HEADER,
    )
    case.fact("threads", len(threads))


@check("thread-rings", boots=(mixed,), needs=("thread-ticks",))
def test_rings(case: Case) -> None:
    """Kernel threads are only ever interrupted at CPL 0, user threads only at CPL 3 and
    on a stack of ring 3."""
    _, threads = slices(case)
    base = support.of(case)["USER_BASE"]
    for want, user in ((0, False), (3, True)):
        kind = [thread for thread in threads if thread.user is user]
        case.expect(
            any(thread.ticks for thread in kind) or strayed(threads),
            expected=f"The timer finds {kind[0].name} at CPL {want}.",
            seen="It found no thread of this kind.",
            cause="They never ran: each interruption returns to the thread that it "
            "interrupted, or the queue gives the turn back to it at once.",
            hint="timer_interrupt lets the next thread run (thread_yield), and who was "
            "running goes to the end of the queue.",
            read=HEADER,
        )
        for thread in kind:
            wrong = next((t for t in thread.ticks if t.cpl != want), None)
            if wrong and user:
                called(case, f"Tick {wrong.position + 1} found {thread.name}.")
            case.expect(
                wrong is None,
                expected=f"Whenever the timer finds {thread.name}, the CPL is {want}.",
                seen=f"The CPL was {wrong.cpl} at tick {wrong.position + 1}."
                if wrong
                else "",
                cause="The thread runs in the wrong ring.",
                hint="Only user threads go through ring3_enter.",
                read=HEADER,
            )
            wrong = next((t for t in thread.ticks if user and t.sp < base), None)
            case.expect(
                wrong is None,
                expected=f"In ring 3 {thread.name} is on its user stack.",
                seen=f"Its stack pointer is {wrong.sp:#x}, in the kernel's memory."
                if wrong
                else "",
                cause="The thread was sent to ring 3 with a kernel stack, where it can "
                "neither push nor call.",
                hint="ring3_enter(user_entry, user_stack): the second is what "
                "user_stack_create returned.",
                read=HEADER,
            )
    case.fact("rings", [[t.user, sorted({e.cpl for e in t.ticks})] for t in threads])


@check("thread-kernel-stack", boots=(mixed,), needs=("thread-rings",))
def test_kernel_stack(case: Case) -> None:
    """Each interruption of a user thread lands at the top of that thread's own kernel
    stack."""
    evidence, threads = slices(case)
    for thread, tick in strayed(threads):
        case.fail(
            expected=f"Every interruption of {thread.name} lands on "
            f"{thread.kernel_top:#x}, its kernel_top.",
            seen=f"At tick {tick.position + 1} it {landing(threads, thread, tick)}.",
            cause=f"The stack pointer in the TSS ({arch_of(case).stack0}) was not "
            "switched with the thread: two threads share a kernel stack, and one will "
            "vanish.",
            hint="tss_set_kernel_stack(next->kernel_top) in thread_switch, each time.",
            read=READ_STACK,
        )
    count = len(ticks(evidence))
    found = [tick for thread in threads if thread.user for tick in thread.ticks]
    other = [t for t in found if t.landed is None and t.position + 1 < count]
    case.expect(
        found and not other,
        expected="Interruptions of user threads go through timer_entry.",
        seen=f"{len(other)} of {len(found)} did not.",
        cause="The timer's gate leads elsewhere.",
        hint="The gate is set for you: leave it as it is.",
        read=HEADER,
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


@check("thread-progress", boots=(mixed,), needs=("thread-rings",))
def test_progress(case: Case) -> None:
    """Every thread goes on to the end of the run, from where it was."""
    evidence, threads = slices(case)
    count = len(ticks(evidence))
    for thread in threads:
        case.expect(
            _living(thread) or not thread.ticks,
            expected=f"{thread.name} runs until the end, tick {TICKS}.",
            seen=stopped(evidence, threads, thread),
            cause="The thread silently stopped. Without a fault this is nearly always "
            "a kernel stack used by two threads: the next interruption overwrites the "
            "frame with which this one would have come back."
            if evidence.run.end is End.DONE
            else "The run was over before its time, for every thread. Where nothing "
            "else explains it, two threads took turns on one kernel stack, and what "
            "one left there is gone.",
            hint="At each switch the CPU must learn the kernel stack of the thread "
            "that is about to run: tss_set_kernel_stack(next->kernel_top).",
            read=READ_STACK,
        )
        case.expect(
            not begins_again(thread, case.arch),
            expected=f"{thread.name} goes on where it was interrupted: what it counts "
            "grows from slice to slice.",
            seen="It counts no further than in its first slice: it begins again.",
            cause="The thread starts at its entry each time, or the register that "
            f"counts ({arch_of(case).register('cx')}) is lost in the interruption.",
            hint="A thread that was interrupted goes on through its own kernel stack.",
            read=HEADER,
        )
    case.expect(
        count >= TICKS,
        expected=f"The threads take turns until tick {TICKS}.",
        seen=f"The end came after tick {count}: {evidence.run.end.value}.",
        cause="One of the threads came back to a stack that another one had "
        "overwritten.",
        hint="tss_set_kernel_stack(next->kernel_top) in thread_switch.",
        read=READ_STACK,
    )
    case.fact("progress", len(threads))


def _living(thread: Thread) -> bool:
    """Whether the thread was found near the end, or never at all."""
    return not thread.ticks or thread.ticks[-1].position >= TICKS - 60


@check("thread-registers", boots=(mixed,), needs=("thread-progress",))
def test_registers(case: Case) -> None:
    """Every register of a thread survives every interruption, in both rings."""
    evidence, threads = slices(case)
    arch = arch_of(case)
    [(lost,)] = support.array(evidence, "scenario_tick_lost", "I", 1)
    segments = bool(arch.segments)
    case.expect(
        lost == 0,
        expected="tick_dispatch runs with DF clear"
        + (" and the kernel's data segments." if segments else "."),
        seen=("DF was set; " if lost & 1 else "")
        + ("a segment register was the thread's own." if lost & 2 else "")
        + " C code then writes in the wrong direction"
        + (", or with ring 3's segments." if segments else "."),
        cause="timer_entry calls C with what the interrupted thread had left there.",
        hint="cld, and SEL_KDATA in the data segment registers, after they are kept."
        if segments
        else "cld before the call. Long mode ignores DS, ES, FS and GS.",
        read=HEADER,
    )
    marked = MARKED[case.arch]
    for thread in threads:
        for number, tick in enumerate(thread.ticks):
            have = tuple(tick.registers.get(name, 0) for name in marked)
            flags = tick.registers.get("fl", 0)
            if have == thread.marks and flags & FLAGS == thread.flags and not tick.lost:
                continue
            wrong = [
                n
                for n, pair in enumerate(zip(have, thread.marks))
                if pair[0] != pair[1]
            ]
            case.expect(
                not wrong,
                expected=f"At its interruption {number + 1} {thread.name} has "
                f"{thread.marks[wrong[0]]:#x} in {arch.register(marked[wrong[0]])}."
                if wrong
                else "",
                seen=f"It has {have[wrong[0]]:#x}." if wrong else "",
                cause="The timer's entry does not keep this register, or restores it "
                "in another order.",
                hint="All general registers, not only those that C preserves: the "
                "thread did not ask to be interrupted.",
                read=HEADER,
            )
            case.expect(
                flags & FLAGS == thread.flags,
                expected=f"IF, DF and IOPL in {thread.name} stay {thread.flags:#x}.",
                seen=f"{arch.flags} is {flags:#x} at its interruption {number + 1}.",
                cause=f"{arch.flags} is not restored as the CPU pushed it.",
                read=HEADER,
            )
            case.expect(
                not tick.lost,
                expected=f"{tick.lost} of {thread.name} holds its data segment.",
                seen=f"It does not at its interruption {number + 1}.",
                cause="The timer's entry loads the kernel's data segments and does not "
                f"restore those of the thread; {arch.iret} then makes them null.",
                hint="Keep DS, ES, FS and GS on the stack beside the other registers.",
                read='SDM 2A "IRET/IRETD/IRETQ"',
            )
        counted = [tick.turns for tick in thread.ticks[:: max(1, TICKS // 80)]]
        case.expect(
            all(a < b for a, b in zip(counted, counted[1:])),
            expected=f"The counter of {thread.name} only grows.",
            seen=f"It read {counted[:6]} …",
            cause="The thread starts again and again at its entry, or the register "
            f"that counts ({arch.register('cx')}) is lost in the interruption.",
            hint="A thread that was interrupted goes on through its own kernel stack.",
            read=HEADER,
        )
    case.fact("marks", [len(marked), len(threads)])


@check("thread-drift", boots=(mixed,), needs=("thread-turns", "thread-progress"))
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
    stacks = sorted(thread.ticks[0].sp // support.PAGE for thread in threads)
    case.expect(
        len(set(stacks)) == len(threads),
        expected=f"{len(threads)} threads run on {len(threads)} stacks.",
        seen=f"They run on {len(set(stacks))}.",
        cause="Two threads were given the same stack.",
        hint="A stack from user_stack_create for each user thread, and one from "
        "kstack_alloc for each kernel thread.",
        read=HEADER,
    )
    case.fact("drift", 0)


@check("thread-grub", boots=(grub,), needs=("thread-registers", "thread-drift"))
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
