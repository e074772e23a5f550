# SPDX-License-Identifier: MIT
"""05-threads without the timer: threads that are born, yield, block and end."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.threads import registers
from grader.evidence.events import Block
from grader.machine import Boot, End, Limits

# What thread_yield keeps, by the bits of scenario_yield_lost.
YIELD_KEEPS = {
    "i386": ("the stack pointer", "IF", "ebx", "esi", "edi", "ebp"),
    "x86_64": ("the stack pointer", "IF", "rbx", "rbp", "r12", "r13", "r14", "r15"),
}
HEADER = "kernel/include/course/05-threads.h"
ROUNDS = 50
SHORT = Limits(cpu_s=2.0)
DISPATCH_BYTES = 0x100  # dispatch, and perhaps more
STACKS = 3  # times KSTACK_SLOTS threads live and die
FULL = 0xF011  # noted when thread_create_kernel has returned NULL


@boot("create")
def create(plan: Plan) -> Boot:
    return plan.boot("threads-create", limits=SHORT)


@boot("yield")
def yielding(plan: Plan) -> Boot:
    """The record has the registers at thread_switch, and in dispatch behind it."""
    switch = plan.symbols.find("thread_switch") or 0
    caller = plan.symbols.find("dispatch") or 0
    return plan.boot(
        "threads-yield",
        limits=SHORT,
        trace=("int", "cpu_reset", "exec", "cpu"),
        trace_ranges=((switch, switch), (caller, caller + DISPATCH_BYTES - 1)),
    )


@boot("block")
def block(plan: Plan) -> Boot:
    return plan.boot("threads-block", limits=SHORT)


@boot("life")
def life(plan: Plan) -> Boot:
    return plan.boot("threads-life", limits=SHORT)


def finished(case: Case, spec: BootSpec, cause: str) -> Evidence:
    """The boot's evidence; if it did not come to its end, `cause` says why."""
    evidence = case.run(spec, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(spec)
    if evidence.run.end is not End.DONE:
        why = evidence.diagnosis
        case.fail(
            expected=f"The threads of the boot “{spec.name}” live, and the kernel "
            "comes to its end.",
            seen=why.seen,
            cause=f"{cause} {why.cause}",
            hint=why.hint,
            read=HEADER,
            source=why.source,
        )
    return evidence


def log(evidence: Evidence) -> list[int]:
    """What the threads wrote down, in order."""
    [(count,)] = support.array(evidence, "scenario_log_count", "I", 1)
    return [row[0] for row in support.array(evidence, "scenario_log", "I", count)]


def expect_log(
    case: Case, have: Sequence[int], want: Sequence[int], **texts: str
) -> None:
    """The logs agree; the first difference is shown."""
    at = next((n for n, pair in enumerate(zip(have, want)) if pair[0] != pair[1]), None)
    if at is None and len(have) != len(want):
        at = min(len(have), len(want))
    case.expect(
        at is None,
        expected=f"The threads note, in order: {_shown(want, at or 0)}.",
        seen=f"They noted: {_shown(have, at or 0)}; the first difference is at "
        f"position {at}.",
        read=HEADER,
        **texts,
    )


def _shown(values: Sequence[int], at: int) -> str:
    low = max(0, at - 4)
    part = " ".join(str(value) for value in values[low : at + 5])
    return ("… " if low else "") + part + (" …" if at + 5 < len(values) else "")


@check("thread-create", boots=(create,))
def test_create(case: Case) -> None:
    """A new kernel thread gets its argument, runs with interrupts on, has the next id,
    and ends when its function returns."""
    want = [(i * 0x1111, 1, i) for i in (1, 2, 3)]
    evidence = finished(
        case,
        create,
        "Nearly always the first stack of a thread is not what thread_switch expects, "
        "or thread_switch does not restore a register that C preserves, or the idle "
        "thread is not found when nobody is ready.",
    )
    noted = log(evidence)
    have = sorted(tuple(noted[n : n + 3]) for n in range(0, len(noted), 3))
    case.expect(
        have == want,
        expected=f"Three threads note their argument, IF and their id: {_rows(want)}.",
        seen=f"They noted {_rows(have)}." if have else "No thread noted anything.",
        cause=_unborn(want, have),
        hint="Its first stack must look as if thread_switch had been called from the "
        "place where it begins; there it needs interrupts on, and an end.",
        read=HEADER,
    )
    case.fact("log", want)


def _rows(rows: Sequence[tuple[int, ...]]) -> str:
    shown = "; ".join(" ".join(map(str, row)) for row in rows[:6])
    return shown + (" …" if len(rows) > 6 else "")


def _unborn(want: Sequence[tuple[int, ...]], have: Sequence[tuple[int, ...]]) -> str:
    """What most likely went wrong with the three threads."""
    if [row[0] for row in have] != [row[0] for row in want]:
        if len(have) > len(want):
            return "A thread ran more than once: it did not end, or begins again."
        return (
            "A thread had no turn: it is not in the queue, did not come out of its "
            "first switch, or its argument was lost."
        )
    if any(row[1:2] == (0,) for row in have):
        return "A thread runs with interrupts off: the switch into it had them off."
    return "The ids are not 1, 2, 3: id 0 is the idle thread's, and each is used once."


@check("thread-switch", boots=(yielding,))
def test_switch(case: Case) -> None:
    """thread_switch keeps the registers that C relies on, and the stack."""
    evidence = case.run(yielding, ends=support.ANY_END)
    lost = [row[0] for row in support.array(evidence, "scenario_yield_lost", "I", 3)]
    names = YIELD_KEEPS[case.arch]
    gone = [name for bit, name in enumerate(names) if any(n >> bit & 1 for n in lost)]
    case.expect(
        not gone,
        expected=f"Whoever calls thread_yield finds {', '.join(names)} as before.",
        seen=f"Not kept: {', '.join(gone)}.",
        cause="A register is not saved, or saved and restored in different orders; "
        "with IF: thread_yield returns with interrupts otherwise than they were.",
        hint="The callee-saved registers of the calling convention, all of them; the "
        "last pushed is the first popped.",
        read=HEADER,
    )
    not_kept(case, evidence)
    if len(log(evidence)) >= 3 * ROUNDS:
        return case.fact("kept", lost)
    finished(
        case,
        yielding,
        "Three threads call thread_yield in turn: a register or the stack of one of "
        "them was lost in thread_switch.",
    )
    case.fact("kept", lost)


def not_kept(case: Case, evidence: Evidence) -> None:
    """Fails if thread_switch returns to dispatch without a register that it had."""
    word = support.word_bytes(case.arch)
    switch = evidence.symbols.find("thread_switch")
    caller = evidence.symbols.find("dispatch")
    waiting: dict[int, dict[str, int]] = {}  # who called, by the stack pointer behind
    for event in evidence.events:
        if not isinstance(event, Block) or event.stopped:
            continue
        have = registers(event.dump)
        sp = have.get("sp", 0)
        if event.pc == switch:
            waiting[sp + word] = have
        elif event.pc == caller:  # a new call: on this stack nobody waits any more
            waiting = {at: row for at, row in waiting.items() if not 0 <= sp - at < 256}
        elif sp in waiting:
            had = waiting.pop(sp)
            for name in arch_of(case).preserved:
                short = name[-2:] if name[-1] in "xip" else name
                case.expect(
                    have.get(short) == had.get(short),
                    expected=f"thread_switch comes back to its caller with {name} "
                    f"{had.get(short, 0):#x}, as it was called.",
                    seen=f"It came back with {have.get(short, 0):#x}.",
                    cause=f"The register {name} is not saved, not restored, or saved "
                    "and restored in different orders: C needs it behind the call.",
                    hint="The callee-saved registers of the calling convention, all.",
                    read=HEADER,
                )


@check("thread-order", boots=(yielding,), needs=("thread-create", "thread-switch"))
def test_order(case: Case) -> None:
    """Threads that yield take turns, round robin, until each has ended."""
    want = [n for _ in range(ROUNDS) for n in range(3)] + [100, 101, 102]
    expect_log(
        case,
        log(case.run(yielding)),
        want,
        cause="Who yields goes to the end of the queue, and the first of it runs.",
        hint="One queue: in at the end, out at the front.",
    )
    case.fact("order", len(want))


@check("thread-block", boots=(block,), needs=("thread-order",))
def test_block(case: Case) -> None:
    """A blocked thread runs again only after thread_wake, and then once; waking one
    that is not blocked changes nothing."""
    evidence = finished(
        case,
        block,
        "Nearly always a thread stands in the queue twice: thread_wake put one there "
        "that "
        "was not blocked, or thread_block left it there; it runs on after its end.",
    )
    expect_log(
        case,
        log(evidence),
        [1, 2, 3, 4, 5, 6, 7],
        cause="A sleeper notes 1, 3, 6, a waker 2, 4, 5, and 7 comes last. An early 3 "
        "or 6: a blocked thread stayed in the queue. A missing one: it never came "
        "back.",
        hint="thread_block switches without putting the caller into the queue; "
        "thread_wake puts it there if its state is THREAD_BLOCKED.",
    )
    case.fact("log", 7)


@check("thread-exit", boots=(life,), needs=("thread-create",))
def test_exit(case: Case) -> None:
    """A thread that ended gives its kernel stack back: three times as many threads as
    there are stacks can live, one after the other, but not at the same time."""
    count = STACKS * support.of(case)["KSTACK_SLOTS"]
    want = [value for i in range(count) for value in (i, 1, i + 1)] + [FULL]
    evidence = finished(
        case,
        life,
        "Either a thread's stack was freed while in use, or thread_create_kernel went "
        "on without a stack when kstack_alloc had none left (it returns 0).",
    )
    expect_log(
        case,
        log(evidence),
        want,
        cause="57005 (0xdead) in the middle: thread_create_kernel returned NULL, the "
        "stacks of the threads before were not freed. At the end: it returned no NULL "
        f"although kstack_alloc had no stack left, which is noted as {FULL} (0xf011).",
        hint="A thread stands on its stack while it ends: free it once another runs.",
    )
    case.fact("threads", count)
