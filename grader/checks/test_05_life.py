# SPDX-License-Identifier: MIT
"""05-threads without the timer: threads that are born, yield, block and end."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.marks import (
    HEADER,
    Moment,
    expect_kept,
    expect_steps,
    expect_undisturbed,
    marked,
    moments,
    played,
)
from grader.checks.record import Evidence
from grader.checks.script import IDLE, Step
from grader.checks.thread_ends import finished
from grader.evidence.events import Block
from grader.machine import Boot, End

NEWBORN = 3
SWITCHES = 3
STACKS = 3  # times KSTACK_SLOTS threads live and die
AT_ONCE = 8  # the least number of threads that can live at the same time
DISPATCHED = ("dispatch", "thread_switch")
ALLOCATORS = ("kmalloc", "kzalloc", "kstack_alloc")


@boot("create")
def create(plan: Plan) -> Boot:
    return marked(plan, "threads-create", *ALLOCATORS)


@boot("switch")
def switch(plan: Plan) -> Boot:
    """thread_switch without a scheduler, there and back."""
    return marked(plan, "threads-switch")


@boot("yield")
def yielding(plan: Plan) -> Boot:
    """Threads that only yield."""
    return played(plan, *DISPATCHED, blocks=False)


@boot("block")
def block(plan: Plan) -> Boot:
    """Threads that yield, block, and wake each other."""
    return played(plan, blocks=True)


@boot("life")
def life(plan: Plan) -> Boot:
    return marked(plan, "threads-life")


@check("thread-create", boots=(create, switch))
def test_create(case: Case) -> None:
    """A new kernel thread gets its argument, runs on its own stack with interrupts on,
    has the next id, and ends when its function returns."""
    evidence = finished(
        case,
        create,
        "Nearly always the first stack of a thread is not what thread_switch expects, "
        "or thread_switch does not restore a register that C preserves, or the idle "
        "thread is not found when nobody is ready.",
    )
    found = moments(evidence)
    creation = [
        (IDLE, n, back) for n in range(1, NEWBORN + 1) for back in (False, True)
    ]
    case.expect(
        [moment.step for moment in found[: len(creation)]] == creation,
        expected="Nobody runs before the creator of the threads gives up its turn.",
        seen="A thread ran while it was created.",
        cause="thread_create_kernel calls the function itself instead of putting a "
        "thread into the queue.",
        hint="A new thread waits in the queue, and begins at its first switch.",
        read=HEADER,
    )
    expect_kept(case, found[: len(creation)], "thread_create_kernel")
    born = sorted(
        (moment.step[:2], moment.interrupts)
        for moment in found
        if moment.step[0] != IDLE and not moment.step[2]
    )
    have = [(thread, int(on), number) for (thread, number), on in born]
    want = [(n, 1, n) for n in range(1, NEWBORN + 1)]
    case.expect(
        have == want,
        expected=f"Each thread has its argument, IF and its id: {_rows(want)}.",
        seen=f"They have {_rows(have)}." if have else "No thread was born.",
        cause=_unborn(want, have),
        hint="Its first stack must look as if thread_switch had been called from the "
        "place where it begins; there it needs interrupts on, and an end.",
        read=HEADER,
    )
    expect_own_stacks(case, evidence, found)
    expect_undisturbed(case, evidence, ALLOCATORS)
    case.expect(
        there_and_back(moments(case.run(switch, ends=support.ANY_END)))
        or suspended(found),
        expected="A thread that gives up its turn waits, and goes on where it was.",
        seen="Each one that began came to its end before another went on.",
        cause="Functions that are called are no threads: nothing goes from the stack "
        "of one to that of another.",
        hint="Do 5.1 first: thread_switch(prev, next) is called by prev and returns in "
        "next.",
        read=HEADER,
    )
    case.fact("born", want)


def suspended(found: Sequence[Moment]) -> bool:
    """Whether the first to come out of its call is not the one that made the last: no
    calls inside each other do that."""
    steps = [moment.step for moment in found if moment.step[0] != IDLE]
    pairs = zip(steps, steps[1:])
    return next((b[0] != a[0] for a, b in pairs if b[2]), False)


def expect_own_stacks(case: Case, evidence: Evidence, found: Sequence[Moment]) -> None:
    """Each of the new threads was on the stack below its kernel_top."""
    word = arch_of(case).word
    tops = support.array(evidence, "scenario_kernel_tops", word, NEWBORN + 1)
    size = support.of(case)["KSTACK_PAGES"] * support.PAGE
    for moment in found:
        thread = moment.step[0]
        top = tops[thread][0] if thread != IDLE else 0
        case.expect(
            thread == IDLE or top - size <= moment.sp < top,
            expected=f"Thread {thread} runs on its own kernel stack, the {size} bytes "
            f"below {top:#x}.",
            seen=f"Its stack pointer is {moment.sp:#x}.",
            cause="The thread does not run on what kstack_alloc returned for it, or "
            "kernel_top is not the top of that.",
            hint="thread->sp starts a few words below thread->kernel_top.",
            read=HEADER,
        )
    case.expect(
        len({top for (top,) in tops[1:]}) == NEWBORN,
        expected=f"{NEWBORN} threads have {NEWBORN} kernel stacks.",
        seen="Two of them have the same one.",
        cause="A stack was given to two threads.",
        hint="A stack from kstack_alloc for each thread.",
        read=HEADER,
    )


def _rows(rows: Sequence[tuple[int, ...]]) -> str:
    shown = "; ".join(
        f"argument {thread if thread > 0 else 'unknown'}, IF {on}, id {number}"
        for thread, on, number in rows[:6]
    )
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
    if any(row[1] == 0 for row in have):
        return "A thread runs with interrupts off: the switch into it had them off."
    return "The ids are not 1, 2, 3: id 0 is the idle thread's, and each is used once."


@check("thread-switch", boots=(switch, yielding))
def test_switch(case: Case) -> None:
    """thread_switch keeps the registers that C relies on, and the stack."""
    evidence = case.run(switch, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(switch)
    found = moments(evidence)
    if not there_and_back(found) or evidence.run.end is not End.DONE:
        # A frame that is not only pops and ret: judged with the threads it is made for.
        evidence = finished(
            case,
            yielding,
            "Seven threads call thread_yield in turn: a register or the stack of one "
            "of them was lost in thread_switch.",
        )
        found = moments(evidence)
    expect_kept(case, found, "thread_switch")
    case.expect(
        there_and_back(found) or suspended(found),
        expected="thread_switch goes on with the stack of next.",
        seen="Its caller came back on the stack that it had, and nobody else ran.",
        cause="The stack pointer was not taken from next->sp.",
        hint="Note the stack in prev->sp, then take next->sp.",
        read=HEADER,
    )
    case.fact("kept", True)


def there_and_back(found: Sequence[Moment]) -> bool:
    """Whether two threads that only switch to each other did so, each on its stack."""
    want: list[Step] = [(0, 0, False)]
    for number in range(SWITCHES):
        want += [(1, 0, False), (0, 0, True)]
        if number + 1 < SWITCHES:
            want += [(0, 0, False), (1, 0, True)]
    return [moment.step for moment in found] == want


@check("thread-order", boots=(yielding,), needs=("thread-create", "thread-switch"))
def test_order(case: Case) -> None:
    """Threads that yield take turns, round robin, until each has ended, and find
    interrupts as they were."""
    evidence = finished(
        case, yielding, "Seven threads call thread_yield, each so many times, and end."
    )
    found, want = moments(evidence), support.note(evidence, "script").steps
    expect_steps(
        case,
        evidence,
        found,
        want,
        cause="Who yields goes to the end of the queue, and the first of it runs; the "
        "idle thread only when there is none.",
        hint="One queue: in at the end, out at the front.",
    )
    expect_kept(case, found, "thread_yield")
    expect_dispatched(case, evidence)
    case.fact("order", len(want))


def expect_dispatched(case: Case, evidence: Evidence) -> None:
    """Every thread_switch was called by dispatch, which runs the switch hooks."""
    dispatch, switch = (support.address_of(evidence, name) for name in DISPATCHED)
    entered = [
        event.pc
        for event in evidence.events
        if isinstance(event, Block)
        and not event.stopped
        and event.pc in (dispatch, switch)
    ]
    pairs = zip([0, *entered], entered)
    case.expect(
        all(before == dispatch for before, pc in pairs if pc == switch),
        expected="All switches go through dispatch(prev, next).",
        seen="thread_switch was called without it.",
        cause="The hooks that later stages run at each switch are left out.",
        hint="Call dispatch(prev, next); it calls thread_switch.",
        read=HEADER,
    )


@check("thread-block", boots=(block,), needs=("thread-order",))
def test_block(case: Case) -> None:
    """A blocked thread runs again only after thread_wake, and then once; waking one
    that is not blocked changes nothing."""
    evidence = finished(
        case,
        block,
        "Nearly always a thread stands in the queue twice: thread_wake put one there "
        "that was not blocked, or thread_block left it there; it runs on after its "
        "end.",
        "See that no thread stands in the queue twice: thread_wake puts one there only "
        "if its state is THREAD_BLOCKED, and thread_block never does.",
    )
    found, want = moments(evidence), support.note(evidence, "script").steps
    expect_steps(
        case,
        evidence,
        found,
        want,
        cause="If a thread returns early from thread_block, it stayed in the queue, or "
        "thread_wake put one there that was not blocked. If it never returns, "
        "thread_wake did not put it back.",
        hint="thread_block switches without putting the caller into the queue; "
        "thread_wake puts it there if its state is THREAD_BLOCKED.",
    )
    expect_kept(case, found, "thread_block or thread_wake")
    case.fact("steps", len(want))


@check("thread-exit", boots=(life,), needs=("thread-create",))
def test_exit(case: Case) -> None:
    """A thread that ended gives its kernel stack back: three times as many threads as
    there are stacks can live, one after the other, but not at the same time."""
    slots = support.of(case)["KSTACK_SLOTS"]
    count = STACKS * slots
    evidence = finished(
        case,
        life,
        "Either a thread's stack was freed while in use, or thread_create_kernel went "
        "on without a stack or a structure when kstack_alloc (0) or kmalloc (NULL) had "
        "none left.",
    )
    found = [moment for moment in moments(evidence) if moment.step[0] != IDLE]
    want = [(n, n, back) for n in range(1, count + 1) for back in (False, True)]
    expect_steps(
        case,
        evidence,
        found[: len(want)],
        want,
        cause="Each thread is created, yields once with nobody else ready, and ends, "
        "before the next one is created. If they stop coming, thread_create_kernel "
        "returned NULL: the stacks of the threads before were not freed.",
        hint="A thread stands on its stack while it ends: free it once another runs.",
    )
    first, second, third = (
        {m.step[0]: m.sp for m in found if m.step[0] in range(low + 1, low + count + 1)}
        for low in (count, 2 * count, 3 * count)
    )
    stacks = len(set(first.values()))
    case.expect(
        AT_ONCE <= len(first) == stacks <= slots,
        expected=f"Then threads are created until thread_create_kernel returns NULL: "
        f"{AT_ONCE} or more, and at most {slots}, each on a stack of its own.",
        seen=f"{len(first)} ran, on {stacks} stacks.",
        cause="thread_create_kernel returned NULL too early, or no NULL although "
        "kstack_alloc had no stack left.",
        hint="NULL if kstack_alloc returns 0 or kmalloc NULL, and not before.",
        read=HEADER,
    )
    case.expect(
        len(first) == len(second),
        expected="When they have all ended, directly one after the other, as many can "
        f"be created again, twice: {len(first)}.",
        seen=f"It was {len(second)}.",
        cause="Some of the stacks were not freed. If what is to be freed is noted in "
        "one place, a second thread that ends must not find it still in use.",
        hint="Whoever runs behind a thread that ended frees it at once: one that "
        "returns from dispatch, and one that runs for the first time.",
        read=HEADER,
    )
    case.expect(
        len(first) == len(third),
        expected="When no frame is left for a stack of ring 3, thread_create_user "
        "returns NULL and keeps nothing: as many kernel threads can be created again, "
        f"{len(first)}.",
        seen=f"It was {len(third)}." if third else "It did not return NULL.",
        cause="user_stack_create returned 0, and nobody asked, or the kernel stack "
        "that was already there was not freed.",
        hint="Undo what was done before: kstack_free, kfree, and return NULL.",
        read=HEADER,
    )
    case.fact("threads", count)
