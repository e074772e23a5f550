# SPDX-License-Identifier: MIT
"""06-syscalls: calls that block, yield and end, while the timer interrupts."""

from __future__ import annotations

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
    ids,
    notes,
    notes_of,
    results,
)
from grader.machine import Boot, End

TICKS = 160
NAPS = 3
YIELDS = 12
TIMER = 0x20
SLEEPERS, YIELDERS, ENDER = (0, 1), (2, 3), 4
EXITED = 256  # scenario_ends: by user_exit


@boot("turns")
def turns(plan: Plan) -> Boot:
    """Two threads that sleep, two that yield, one that ends, one that only counts."""
    script, rng = Script(plan), plan.rng("turns")
    values = support.of(plan)
    naps: list[list[int]] = []
    for position in SLEEPERS:
        naps.append([rng.randrange(12, 30) for _ in range(NAPS)])
        rows = [script.row(rng, FIRST_NOTE)]
        for ms in naps[-1]:
            rows.append(script.row(rng, values["SYS_SLEEP"], (ms,)))
            rows.append(script.row(rng, FIRST_NOTE))
        script.caller(f"sleeper {position + 1}", rows)
    for position in YIELDERS:
        rows = []
        for _ in range(YIELDS):
            rows.append(script.row(rng, FIRST_NOTE + 1))
            rows.append(script.row(rng, values["SYS_YIELD"]))
        script.caller(f"yielder {position - 1}", rows)
    status = rng.randrange(-1000, 1000)
    rows = [script.row(rng, FIRST_NOTE), script.row(rng, values["SYS_EXIT"], (status,))]
    rows.append(script.row(rng, FIRST_NOTE + 2))
    script.caller("the thread that exits", rows)
    spin = script.probe("spin", "spin", MARK=rng.getrandbits(24))
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


@check("call-sleep", boots=(turns,), needs=("call-arguments", "call-registers"))
def test_sleep(case: Case) -> None:
    """sleep blocks its thread for at least the milliseconds that it is given, and not
    much longer; the others run meanwhile, and its registers survive."""
    evidence = played(case)
    hz = support.of(case)["TICK_HZ"]
    for position, naps in zip(SLEEPERS, evidence.notes["naps"]):
        caller = evidence.notes["callers"][position]
        have = results(evidence, caller)
        ticks = [note.ticks for note in notes_of(evidence, position)]
        for n, ms in enumerate(naps):
            if len(ticks) < n + 2:
                have = came_back(case, evidence, caller, 2 * n + 3)
            least = -(-ms * hz // 1000)
            passed = ticks[n + 1] - ticks[n]
            case.expect(
                passed >= least,
                expected=f"{caller.name} sleeps {ms} ms: at least {least} ticks pass.",
                seen=f"{passed} passed.",
                cause="The thread is woken too early, or never slept.",
                hint="Round up to whole ticks; the one under way does not count.",
                read=HEADER,
            )
            case.expect(
                passed <= least + 16,
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
    every = [e for e in support.interrupts(evidence) if e.hardware and e.v == TIMER]
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
    callers = evidence.notes["callers"]
    everyone = ids(evidence, len(callers))
    pair = [everyone[position] for position in YIELDERS]
    for position in YIELDERS:
        have = came_back(case, evidence, callers[position], 2 * YIELDS)
        wrong = [r["ax"] for r in have[1::2] if r["ax"] != 0]
        case.expect(
            not wrong,
            expected="yield returns 0.",
            seen=f"It returned {wrong[0]:#x}." if wrong else "",
            read=HEADER,
        )
    order = [note.thread for note in notes(evidence) if note.thread in pair]
    again = sum(a == b for a, b in zip(order, order[1:]))
    case.expect(
        again <= YIELDS // 2,
        expected="Two threads that yield after each step take turns.",
        seen=f"In {len(order)} steps the same thread had the next turn {again} times.",
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
    me = ids(evidence, ENDER + 1)[ENDER]
    word = "IIi" if support.word_bytes(case.arch) == 4 else "IIq"
    [(count,)] = support.array(evidence, "scenario_end_count", "I", 1)
    ends = support.array(evidence, "scenario_ends", word, min(count, 8))
    mine = [(vector, status) for thread, vector, status in ends if thread == me]
    want = evidence.notes["status"]
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
        len(results(evidence, caller)) == 1,
        expected="Nothing behind the call of exit is executed.",
        seen="The thread went on.",
        cause="exit returned to ring 3.",
        read=HEADER,
    )
    case.fact("status", want)
