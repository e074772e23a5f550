# SPDX-License-Identifier: MIT
"""06-syscalls, the bonus: fast calls, proven by the blocks that the CPU executed."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.fast_calls import (
    READ_FAST,
    STACK_KEPT,
    FAST_BYTES,
    diagnose,
    entry_flags,
    entry_segments,
    exit_flags,
    own_stacks,
    return_place,
    return_state,
)
from grader.checks.record import Evidence
from grader.checks.syscalls import (
    AS_SILICON,
    FIRST_NOTE,
    HEADER,
    HOW_DF,
    HOW_NULL,
    HOW_RAW,
    LOST_FAST,
    RESULT,
    SHARED,
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

DF_OFF = {
    "i386": "cld, before any C.",
    "x86_64": "DF in MSR_FMASK, or cld, before any C.",
}
IF_BACK = {
    "i386": "sti right before sysexit.",
    "x86_64": "sysret takes RFLAGS from r11: give it what syscall left there.",
}
CALLS = 6
TF, IF, DF = 0x100, 0x200, 0x400


@boot("fast")
def fast(plan: Plan) -> Boot:
    """Two threads with fast calls that yield in between; a third with a wrong stack, or
    with flags that QEMU's syscall would not hand on."""
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
    else:
        row = script.row(rng, AS_SILICON, how=HOW_DF)
        script.caller("the thread with DF set", [row])
    entry = plan.symbols.find("fast_entry") or 0
    page = values["FAST_CALL_VA"]
    watched = FAST_BYTES if plan.arch == "x86_64" else 0
    return script.boot(
        "syscalls-run",
        *support.hexadecimal(fast=1, ticks=400),
        trace_ranges=((entry, entry + watched), (page, page + 0xFFF)),
        icount_shift=6,
        limits=Limits(log_bytes=32 << 20),
    )


def raced(case: Case) -> Evidence:
    evidence = case.run(fast, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(fast)
    return evidence


@check("fast-entry", boots=(fast,), needs=("call-arguments",))
def test_entry(case: Case) -> None:
    """Fast calls enter the kernel from the page at FAST_CALL_VA, without a gate, serve
    the call with all five arguments and come back with its result."""
    evidence = raced(case)
    if evidence.run.end is not End.DONE:
        diagnose(case, evidence)
    entry_segments(case, evidence)
    return_state(case, evidence)
    return_place(case, evidence)
    page = support.of(case)["FAST_CALL_VA"]
    walk = support.space(evidence).walk(page)
    case.expect(
        walk is None or not walk.writable,
        expected=f"Ring 3 may read the page at {page:#x}, and not write it.",
        seen="It may write it.",
        cause="Each program could change the code that all of them call.",
        hint="user_map without USER_MAP_WRITE.",
        read=HEADER,
    )
    entry = evidence.symbols.find("fast_entry") or 0
    for position in range(2):
        caller = evidence.notes["callers"][position]
        have = came_back(case, evidence, caller, len(caller.rows))
        found = notes_of(evidence, position)
        rows = [n for n, row in enumerate(caller.rows) if row.number >= FIRST_NOTE]
        case.expect(
            len(found) == len(rows),
            expected=f"{len(rows)} fast calls of {caller.name} reach their functions.",
            seen=f"{len(found)} did; the first result was {have[0]['ax']:#x}.",
            cause="The number that syscall_dispatch got is not that of ring 3.",
            hint="A function may change eax (rax): take the number from there before.",
            read=HEADER,
        )
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
    arch = arch_of(case)
    user = support.of(case)["SEL_UDATA"]
    gone = (*LOST_FAST[case.arch], *SHARED[case.arch], "ax", "flags", "sp")
    for position in range(2):
        caller = evidence.notes["callers"][position]
        have = came_back(case, evidence, caller, len(caller.rows))
        for n, (row, result) in enumerate(zip(caller.rows, have)):
            want = {**row.registers, **row.segments(user), "sp": have[0]["sp"]}
            for name in (n for n in RESULT[case.arch] if n not in gone or n == "sp"):
                case.expect(
                    result[name] == want[name],
                    expected=f"After fast call {n + 1} {arch.register(name)} is "
                    f"{want[name]:#x}.",
                    seen=f"It is {result[name]:#x}.",
                    cause="The entry does not keep it; the stack pointer of ring 3 is "
                    "lost unless the page and the entry hand it on.",
                    hint=STACK_KEPT[case.arch],
                    read=READ_FAST,
                )
            case.expect(
                result["flags"] & IF,
                expected="Ring 3 runs on with interrupts on.",
                seen=f"After fast call {n + 1} IF is clear: no tick can ever come.",
                cause="The way into the kernel cleared IF; the way back must set it.",
                hint=IF_BACK[case.arch],
                read=READ_FAST,
            )
    case.fact("kept", sorted(set(RESULT[case.arch]) - set(gone)))


@check("fast-stack", boots=(fast,), needs=("fast-entry",))
def test_stack(case: Case) -> None:
    """Each fast call is served on the kernel stack of the thread that calls, with the
    kernel's data segments and DF clear."""
    evidence = raced(case)
    own_stacks(case, evidence)
    entry_flags(case, evidence)
    kernel = support.of(case)["SEL_KDATA"]
    wide = support.word_bytes(case.arch) == 8
    if wide:
        exit_flags(case, evidence)
        [(mask,)] = support.array(evidence, "scenario_mask", "Q", 1)
        case.expect(
            mask & TF,
            expected="syscall clears TF, which ring 3 may have set.",
            seen=f"MSR_FMASK is {mask:#x}: TF is not among its bits.",
            cause="A #DB would come behind the first instruction of fast_entry, and "
            "push its frame, at CPL 0, where rsp of ring 3 points.",
            hint="TF among the bits of MSR_FMASK.",
            read=READ_FAST,
        )
        came_back(case, evidence, evidence.notes["callers"][2], 1)
        case.expect(
            notes_of(evidence, 2),
            expected="A call as silicon makes it reaches its function.",
            seen="It did not.",
            cause="fast_entry relies on more than rcx, r11 and the cleared flags.",
            read=READ_FAST,
        )
    for position in range(3 if wide else 2):
        for note in notes_of(evidence, position):
            case.expect(
                not note.flags & DF,
                expected="DF is clear in the kernel.",
                seen="It was set, as ring 3 had set it.",
                cause="String instructions of the kernel would run backwards.",
                hint=DF_OFF[case.arch],
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
