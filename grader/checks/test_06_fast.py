# SPDX-License-Identifier: MIT
"""06-syscalls, the bonus: fast calls, proven by the blocks that the CPU executed."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.checks.syscalls import (
    FIRST_NOTE,
    HEADER,
    HOW_DF,
    HOW_NULL,
    HOW_RAW,
    LOST_FAST,
    RESULT,
    SEGMENTS,
    Row,
    Script,
    came_back,
    gates_taken,
    notes,
    notes_of,
    returned,
)
from grader.evidence.trace import Block
from grader.machine import Boot, End, Limits

READ_FAST = 'SDM 3A "Performing Fast Calls to System Procedures" (5.8.7)'
CALLS = 6
ROUNDS = 4
IF, DF = 0x200, 0x400


@boot("fast")
def fast(plan: Plan) -> Boot:
    """Two threads with fast calls that yield in between; a third with a wrong stack."""
    script, rng = Script(plan), plan.rng("fast")
    values = support.of(plan)
    for name in ("the first thread", "the second thread"):
        rows = []
        for n in range(CALLS):
            how = {1: HOW_DF, 2: HOW_NULL}.get(n, 0)
            rows.append(script.row(rng, FIRST_NOTE + n, how=how))
            rows.append(script.row(rng, values["SYS_YIELD"]))
        rows.append(script.row(rng, values["SYS_SLEEP"], (rng.randrange(2, 9),)))
        rows.append(script.row(rng, FIRST_NOTE + 7))
        script.caller(name, rows, fast=True)
    if plan.arch == "i386":  # there the kernel needs a pointer of ring 3
        bad = script.row(rng, FIRST_NOTE + 6, how=HOW_RAW)
        kernel = values["KSTACK_BASE"] + 64 * rng.randrange(80, 100)
        bad = Row({**bad.registers, "bp": kernel}, HOW_RAW)
        script.caller("the thread with a wrong ebp", [bad], fast=True)
    entry = plan.symbols.find("fast_entry") or 0
    page = values["FAST_CALL_VA"]
    return script.boot(
        "syscalls-run",
        *support.hexadecimal(fast=1, ticks=400),
        trace=("int", "cpu_reset", "exec", "cpu"),
        trace_ranges=((entry, entry), (page, page + 0xFFF)),
        icount_shift=6,
        limits=Limits(log_bytes=32 << 20),
    )


def raced(case: Case) -> Evidence:
    evidence = case.run(fast, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(fast)
    return evidence


def own_stacks(case: Case, evidence: Evidence) -> None:
    """Each call that was noted ran on the kernel stack of its thread."""
    size = support.of(case)["KSTACK_PAGES"] * support.PAGE
    word = "I" if support.word_bytes(case.arch) == 4 else "Q"
    tops = support.array(evidence, "scenario_kernel_tops", word, 2)
    for position, (top,) in enumerate(tops):
        for note in notes_of(evidence, position):
            case.expect(
                top - size <= note.stack < top,
                expected=f"The calls of thread {position + 1} run below {top:#x}, the "
                "top of its kernel stack.",
                seen=f"One ran at {note.stack:#x}.",
                cause="The entry uses one stack for all threads: a call that yields "
                "loses what the next one overwrites.",
                hint="Take the stack that the TSS names: the running thread's.",
                read=READ_FAST,
            )


@check("fast-entry", boots=(fast,), needs=("call-arguments",))
def test_entry(case: Case) -> None:
    """Fast calls enter the kernel from the page at FAST_CALL_VA, without a gate, serve
    the call with all five arguments and come back with its result."""
    evidence = raced(case)
    if evidence.run.end is not End.DONE:
        own_stacks(case, evidence)  # what breaks a kernel most thoroughly
    page = support.of(case)["FAST_CALL_VA"]
    entry = evidence.symbols.find("fast_entry") or 0
    for position in range(2):
        caller = evidence.notes["callers"][position]
        have = came_back(case, evidence, caller, len(caller.rows))
        found = notes_of(evidence, position)
        rows = [n for n, row in enumerate(caller.rows) if row.number >= FIRST_NOTE]
        for nth, (n, note) in enumerate(zip(rows, found)):
            row = caller.rows[n]
            case.expect(
                note.number == row.number
                and note.arguments == row.arguments(case.arch)
                and have[n]["ax"] == returned(evidence, nth),
                expected=f"Fast call {n + 1} of {caller.name} serves number "
                f"{row.number} and has its result.",
                seen=f"Function {note.number} was called; the result was "
                f"{have[n]['ax']:#x}.",
                cause="Number, arguments or result are in other registers than for "
                "int 0x80.",
                read=HEADER,
            )
        low = caller.entry & ~0xFFF
        case.expect(
            not gates_taken(evidence, low, low + 0x1000)
            and not gates_taken(evidence, page, page + 0x1000),
            expected="A fast call uses no gate.",
            seen="The trace shows `int 0x80`.",
            cause="The page at FAST_CALL_VA takes the slow way.",
            read=READ_FAST,
        )
    blocks = [e for e in evidence.events if isinstance(e, Block) and not e.stopped]
    entered = [b for b in blocks if b.pc == entry and b.cpl == 0]
    before = [
        a
        for a, b in zip(blocks, blocks[1:])
        if b.pc == entry and a.cpl == 3 and page <= a.pc < page + 0x1000
    ]
    calls = sum(len(c.rows) for c in evidence.notes["callers"][:2])
    case.expect(
        len(entered) >= calls and len(before) >= calls,
        expected=f"The CPU executed the page at CPL 3 and then fast_entry at CPL 0, "
        f"{calls} times.",
        seen=f"fast_entry {len(entered)} times, {len(before)} times right behind the "
        "page.",
        cause="The kernel is entered in another way.",
        read=READ_FAST,
    )
    case.fact("fast", calls)


@check("fast-registers", boots=(fast,), needs=("fast-entry",))
def test_registers(case: Case) -> None:
    """Of ring 3's registers only the result and the two that the instructions need are
    lost, and interrupts are on again."""
    evidence = raced(case)
    user = support.of(case)["SEL_UDATA"]
    gone = (*LOST_FAST[case.arch], "ax", "flags", "sp")
    for position in range(2):
        caller = evidence.notes["callers"][position]
        have = came_back(case, evidence, caller, len(caller.rows))
        for n, (row, result) in enumerate(zip(caller.rows, have)):
            segment = {s: 0 if row.how & HOW_NULL else user for s in SEGMENTS}
            want = {**row.registers, **segment, "sp": have[0]["sp"]}
            for name in (n for n in RESULT[case.arch] if n not in gone or n == "sp"):
                mask = 0xFFFF if name in SEGMENTS else -1
                case.expect(
                    result[name] & mask == want[name],
                    expected=f"After fast call {n + 1} {name} is {want[name]:#x}.",
                    seen=f"It is {result[name] & mask:#x}.",
                    cause="The entry does not keep it; the stack pointer of ring 3 is "
                    "lost unless the page and the entry hand it on.",
                    hint="sysenter keeps no stack pointer: save it in ebp before.",
                    read=READ_FAST,
                )
            case.expect(
                result["flags"] & IF,
                expected="Ring 3 runs on with interrupts on.",
                seen=f"After fast call {n + 1} IF is clear: no tick can ever come.",
                cause="The way into the kernel cleared IF; the way back must set it.",
                hint="sti right before sysexit.",
                read=READ_FAST,
            )
    case.fact("kept", sorted(set(RESULT[case.arch]) - set(gone)))


@check("fast-stack", boots=(fast,), needs=("fast-entry",))
def test_stack(case: Case) -> None:
    """Each fast call is served on the kernel stack of the thread that calls, with the
    kernel's data segments and DF clear."""
    evidence = raced(case)
    own_stacks(case, evidence)
    kernel = support.of(case)["SEL_KDATA"]
    wide = support.word_bytes(case.arch) == 8
    for position in range(2):
        for note in notes_of(evidence, position):
            case.expect(
                not note.flags & DF,
                expected="DF is clear in the kernel.",
                seen="It was set, as ring 3 had set it.",
                cause="String instructions of the kernel would run backwards.",
                hint="cld, before any C.",
                read=HEADER,
            )
            case.expect(
                wide or set(note.segments) == {kernel},
                expected="ds es fs gs hold the kernel's data segment.",
                seen=f"One holds {min(note.segments):#x}.",
                cause="The kernel uses selectors that ring 3 chose.",
                hint="Load SEL_KDATA into all four.",
                read=HEADER,
            )
    case.fact("stacks", 2)


@check("fast-pointer", boots=(fast,), needs=("fast-entry",))
def test_pointer(case: Case) -> None:
    """A stack pointer that is not ring 3's does the kernel no harm: the call is not
    made, and the thread alone bears the fault."""
    evidence = raced(case)
    caller = evidence.notes["callers"][2]
    made = [note for note in notes(evidence) if note.number == FIRST_NOTE + 6]
    case.expect(
        not made,
        expected="A call with a kernel address in ebp is not made.",
        seen="It reached its function.",
        cause="ebp is used as a stack of ring 3 without a check.",
        hint="user_check(ebp, 8, false) first; E_FAULT if it refuses.",
        read=HEADER,
    )
    page = support.of(case)["FAST_CALL_VA"]
    bad = caller.rows[0].registers["bp"]
    fault = next(
        (
            event
            for event in support.interrupts(evidence)
            if event.fault and event.v == 14 and event.cpl == 3 and event.cr2 == bad
        ),
        None,
    )
    case.expect(
        fault is not None and page <= fault.pc < page + 0x1000,
        expected=f"Ring 3 goes on at its fixed place in the page; {bad:#x} faults.",
        seen=support.show(fault),
        cause="The entry returned elsewhere, or touched that address itself.",
        hint="The place of return is fixed: nothing that ring 3 says decides it.",
        read=READ_FAST,
    )
    case.fact("pointer", bool(fault))
