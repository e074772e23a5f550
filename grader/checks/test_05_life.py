# SPDX-License-Identifier: MIT
"""05-threads without the timer: threads that are born, yield, block and end."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.machine import Boot

HEADER = "kernel/include/course/05-threads.h"
ROUNDS = 50
STACKS = 3  # times KSTACK_SLOTS threads live and die


@boot("create")
def create(plan: Plan) -> Boot:
    return plan.boot("threads-create")


@boot("yield")
def yielding(plan: Plan) -> Boot:
    return plan.boot("threads-yield")


@boot("block")
def block(plan: Plan) -> Boot:
    return plan.boot("threads-block")


@boot("life")
def life(plan: Plan) -> Boot:
    return plan.boot("threads-life")


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
    want = [value for i in (1, 2, 3) for value in (i * 0x1111, 1, i)]
    expect_log(
        case,
        log(case.run(create)),
        want,
        cause="Three words a thread: its argument, IF, its id. A thread that is never "
        "seen did not come out of its first switch; one that is seen twice did not end.",
        hint="Its first stack must look as if thread_switch had been called from the "
        "place where it begins.",
    )
    case.fact("log", want)


@check("thread-switch", boots=(yielding,), needs=("thread-create",))
def test_switch(case: Case) -> None:
    """thread_switch keeps the registers that C relies on, and the stack."""
    evidence = case.run(yielding)
    kept = [row[0] for row in support.array(evidence, "scenario_kept", "I", 3)]
    case.expect(
        all(kept),
        expected="After thread_yield every register that C preserves is as before.",
        seen=f"It was not in thread {kept.index(0) + 1}." if 0 in kept else "",
        cause="A register is not saved, or saved and restored in different orders.",
        hint="The callee-saved registers of the calling convention, all of them; the "
        "last pushed is the first popped.",
        read=HEADER,
    )
    case.fact("kept", kept)


@check("thread-order", boots=(yielding,), needs=("thread-create",))
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


@check("thread-block", boots=(block,), needs=("thread-create",))
def test_block(case: Case) -> None:
    """A blocked thread runs again only after thread_wake, and then once; waking one that
    is not blocked changes nothing."""
    expect_log(
        case,
        log(case.run(block)),
        [1, 2, 3, 4, 5, 6, 7],
        cause="A sleeper notes 1, 3, 6, a waker 2, 4, 5, and 7 comes last. An early 3 "
        "or 6: a blocked thread stayed in the queue. A missing one: it never came back.",
        hint="thread_block switches without putting the caller into the queue; "
        "thread_wake puts it there if its state is THREAD_BLOCKED.",
    )
    case.fact("log", 7)


@check("thread-exit", boots=(life,), needs=("thread-create",))
def test_exit(case: Case) -> None:
    """A thread that ended gives its kernel stack back: three times as many threads as
    there are stacks can live, one after the other."""
    count = STACKS * support.of(case)["KSTACK_SLOTS"]
    want = [value for i in range(count) for value in (i, 1, i + 1)]
    expect_log(
        case,
        log(case.run(life)),
        want,
        cause="57005 (0xdead) means that thread_create_kernel returned NULL: the stacks "
        "of the threads before were not freed.",
        hint="A thread stands on its stack while it ends: free it once another runs.",
    )
    case.fact("threads", count)
