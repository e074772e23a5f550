# SPDX-License-Identifier: MIT
"""06-syscalls: calls that block, yield and end, while the timer interrupts."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.syscalls import (
    FIRST_NOTE,
    HEADER,
    RESULT,
    Script,
    came_back,
    gates_taken,
    ids,
    results,
    stray_fault,
)
from grader.evidence.trace import Interrupt
from grader.machine import Boot, End

TICKS = 160
# Milliseconds, lowest and highest: who began to sleep first wakes first, and then last.
# With 16 more a sleep is too long.
NAPS = {1: ((12, 15), (60, 65), (12, 30)), 2: ((38, 42), (12, 15), (12, 30))}
LATE = 16
ROUNDING = 2  # ticks: one not rounded up, and the one under way
YIELDS = 12
TIMER = 0x20
ENDER, SLEEPERS, YIELDERS = 0, (1, 2), (3, 4)  # among the callers
EXITED = 256  # scenario_ends: by user_exit


@boot("turns")
def turns(plan: Plan) -> Boot:
    """A thread that only counts, one that ends, two that sleep, two that yield.

    The first is soon interrupted, since the start took more than a tick. So the second
    has a whole tick for its end, whatever becomes of the others.
    """
    script, rng = Script(plan), plan.rng("turns")
    values = support.of(plan)
    spin = script.probe("spin", "spin", MARK=rng.getrandbits(24))
    status = -rng.randrange(300, 1000)
    rows = [script.row(rng, FIRST_NOTE), script.row(rng, values["SYS_EXIT"], (status,))]
    rows.append(script.row(rng, FIRST_NOTE + 2))
    script.caller("the thread that exits", rows)
    naps: list[list[int]] = []
    for n in SLEEPERS:
        naps.append([*(rng.randint(*limits) for limits in NAPS[n]), 1, 0])
        rows = [script.row(rng, FIRST_NOTE)]
        for ms in naps[-1]:
            rows.append(script.row(rng, values["SYS_SLEEP"], (ms,)))
            rows.append(script.row(rng, FIRST_NOTE))
        script.caller(f"sleeper {n}", rows)
    for n in YIELDERS:
        rows = []
        for _ in range(YIELDS):
            rows.append(script.row(rng, FIRST_NOTE + 1))
            rows.append(script.row(rng, values["SYS_YIELD"]))
        script.caller(f"yielder {n - 2}", rows)
    plan.note("naps", naps)
    plan.note("status", status)
    plan.note("spin", spin["spin"])
    return script.boot(
        "syscalls-run", *support.hexadecimal(ticks=TICKS), icount_shift=6
    )


def played(case: Case) -> Evidence:
    evidence = case.run(turns, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(turns)
    return evidence


def between(ticks: Sequence[Interrupt], first: Interrupt, last: Interrupt) -> int:
    """How many ticks came after one call and before another."""
    return sum(first.number < tick.number < last.number for tick in ticks)


def shortfall(
    calls: Sequence[Interrupt], ticks: Sequence[Interrupt], naps: Sequence[int], hz: int
) -> int:
    """By how many ticks the worst of the naps was too short."""
    slept = zip(naps, calls[1::2], calls[2::2])
    return max(
        (
            -(-ms * hz // 1000) - between(ticks, first, last)
            for ms, first, last in slept
        ),
        default=0,
    )


@check("call-sleep", boots=(turns,), needs=("call-arguments", "call-registers"))
def test_sleep(case: Case) -> None:
    """sleep blocks its thread for at least the milliseconds that it is given, and not
    much longer; the others run meanwhile, and its registers survive."""
    evidence = played(case)
    hz = support.of(case)["TICK_HZ"]
    every = [e for e in support.interrupts(evidence) if e.hardware and e.v == TIMER]
    callers = [evidence.notes["callers"][n] for n in SLEEPERS]
    for caller, naps in zip(callers, evidence.notes["naps"]):
        have = results(evidence, caller)
        calls = gates_taken(evidence, caller.int_at, caller.int_at + 1)
        short = shortfall(calls, every, naps, hz)
        for n, ms in enumerate(naps):
            if len(calls) < 2 * n + 3:
                case.expect(
                    evidence.run.end is not End.DONE or stray_fault(evidence, caller),
                    expected=f"{caller.name} sleeps {ms} ms, and goes on.",
                    seen="It slept until the end of the boot.",
                    cause="Nobody wakes it: its moment is missed, or never comes.",
                    hint="sleep_tick looks at every sleeper at every tick, for a time "
                    "that has come or is over.",
                    read=HEADER,
                )
                have = came_back(case, evidence, caller, 2 * n + 3)
            least = -(-ms * hz // 1000)
            passed = between(every, calls[2 * n + 1], calls[2 * n + 2])
            case.expect(
                passed >= least,
                expected=f"{caller.name} sleeps {ms} ms: at least {least} ticks pass.",
                seen=f"{passed} passed.",
                cause="The thread is woken too early, or never slept.",
                hint="Round up to whole ticks; the one under way does not count."
                if short <= ROUNDING
                else "The end of the sleep is tick_count() at the call plus the ticks; "
                "the number of ticks alone is a time since the timer's start.",
                read=HEADER,
            )
            case.expect(
                passed <= least + LATE,
                expected=f"{caller.name} sleeps {ms} ms: it runs again after about "
                f"{least} ticks.",
                seen=f"{passed} passed.",
                cause="The thread is woken too late: the unit is wrong, or a wake is "
                "missed.",
                hint="sleep_tick looks at every sleeper at every tick.",
                read=HEADER,
            )
            row, result = caller.rows[1 + 2 * n], have[1 + 2 * n]
            lost = [
                arch_of(case).register(name)
                for name in RESULT[case.arch]
                if name in row.registers
                and name != "ax"
                and result[name] != row.registers[name]
            ]
            case.expect(
                not lost and result["ax"] == 0,
                expected="After a sleep the result is 0 and the registers are kept.",
                seen=f"{lost[0]} is not." if lost else f"It is {result['ax']:#x}.",
                cause="What the entry keeps does not lie on the thread's own stack.",
                hint="No static variable may hold what belongs to one call.",
                read=HEADER,
            )
    spin = evidence.notes["spin"]
    found = [e for e in every if e.cpl == 3 and spin <= e.pc < spin + 8]
    busy = sum(event.cpl == 0 for event in every)  # of those who sleep, in the kernel
    case.expect(
        len(found) >= TICKS * 3 // 4 and busy <= TICKS // 12,
        expected="While the others sleep, the thread that counts has the CPU: most of "
        f"{TICKS} ticks find it.",
        seen=f"{len(found)} did; {busy} found the kernel at work for a call.",
        cause="Who sleeps keeps the CPU busy instead of blocking.",
        hint="thread_block until sleep_tick wakes it.",
        read=HEADER,
    )
    case.fact("naps", evidence.notes["naps"])


@check("call-yield", boots=(turns,), needs=("call-registers",))
def test_yield(case: Case) -> None:
    """yield lets the other threads run before it comes back with 0."""
    evidence = played(case)
    callers = [evidence.notes["callers"][n] for n in YIELDERS]
    for caller in callers:
        have = came_back(case, evidence, caller, 2 * YIELDS)
        wrong = [r["ax"] for r in have[1::2] if r["ax"] != 0]
        case.expect(
            not wrong,
            expected="yield returns 0.",
            seen=f"It returned {wrong[0]:#x}." if wrong else "",
            read=HEADER,
        )
    order = sorted(
        (call.number, caller.position)
        for caller in callers
        for call in gates_taken(evidence, caller.int_at, caller.int_at + 1)[1::2]
    )
    again = sum(a == b for (_, a), (_, b) in zip(order, order[1:]))
    case.expect(
        again <= YIELDS // 2,
        expected="Two threads that yield after each step take turns.",
        seen=f"In {len(order)} yields the same thread had the next turn {again} times.",
        cause="yield comes back without a switch.",
        hint="thread_yield()",
        read=HEADER,
    )
    case.fact("yields", len(order))


@check("call-exit", boots=(turns,), needs=("call-arguments",))
def test_exit(case: Case) -> None:
    """exit ends the thread with its status; nothing behind the call is executed, and
    the other threads go on."""
    evidence = played(case)
    caller = evidence.notes["callers"][ENDER]
    came_back(case, evidence, caller, 1)
    me = ids(evidence, caller.position + 1)[caller.position]
    end = f"II{arch_of(case).word.lower()}"  # the status is signed
    [(count,)] = support.array(evidence, "scenario_end_count", "I", 1)
    ends = support.array(evidence, "scenario_ends", end, min(count, 8))
    mine = [(vector, status) for thread, vector, status in ends if thread == me]
    want = evidence.notes["status"]
    calls = gates_taken(evidence, caller.int_at, caller.int_at + 1)
    stayed = len(results(evidence, caller)) == 1 and len(calls) == 2
    case.expect(
        mine or not stayed or evidence.run.end is not End.DONE,
        expected=f"The thread ends by user_exit with status {want}.",
        seen="The thread ended, but no exit hook was told its status.",
        cause="sys_exit calls thread_exit itself, or never ends; user_exit tells the "
        "hooks first.",
        hint="user_exit((intptr_t)arguments[0])",
        read=HEADER,
    )
    case.expect(
        mine == [(EXITED, want)],
        expected=f"The thread ends by user_exit with status {want}.",
        seen=f"It ended with {mine[0][1]}, vector {mine[0][0]}."
        if mine
        else "It did not end.",
        cause="exit comes back, or the status is not the first argument.",
        hint="user_exit((intptr_t)arguments[0])",
        read=HEADER,
    )
    case.expect(
        stayed,
        expected="Nothing behind the call of exit is executed.",
        seen="The thread went on.",
        cause="exit returned to ring 3.",
        read=HEADER,
    )
    case.fact("status", want)
