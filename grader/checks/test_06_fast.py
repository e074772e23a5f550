# SPDX-License-Identifier: MIT
"""06-syscalls, the bonus: fast calls, proven by the blocks that the CPU executed."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
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
    SHARED,
    Row,
    Script,
    came_back,
    gates_taken,
    notes,
    notes_of,
    returned,
)
from grader.checks.threads import registers
from grader.evidence.trace import Block
from grader.machine import Boot, End, Limits

READ_FAST = 'SDM 3A "Performing Fast Calls to System Procedures" (5.8.7)'
# How the instructions of an architecture lose rsp (esp), IF and DF, and the remedy.
STACK_KEPT = {
    "i386": "sysenter keeps no stack pointer: save it in ebp before.",
    "x86_64": "syscall leaves the rsp of ring 3 as it is: keep it on the thread's own "
    "kernel stack, and take it back as the last before sysret.",
}
IF_BACK = {
    "i386": "sti right before sysexit.",
    "x86_64": "sysret takes RFLAGS from r11: give it what syscall left there.",
}
NOT_REACHED = {
    "i386": "sysenter takes CS from MSR_SYSENTER_CS and EIP from MSR_SYSENTER_EIP.",
    "x86_64": "syscall takes CS from MSR_STAR and RIP from MSR_LSTAR.",
}
CAME_BACK = {
    "i386": "sysexit adds 16 for CS and 24 for SS to MSR_SYSENTER_CS.",
    "x86_64": "sysret adds 16 for CS and 8 for SS to bits 63..48 of MSR_STAR; without "
    "o64 it adds nothing for CS, and returns to 32-bit code.",
}
DF_OFF = {
    "i386": "cld, before any C.",
    "x86_64": "DF in MSR_FMASK, or cld, before any C.",
}
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
    base = support.of(case)["USER_BASE"]
    on_user = "another thread of ring 3 could change it, or it may not be there at all."
    for position, (top,) in enumerate(tops):
        for note in notes_of(evidence, position):
            case.expect(
                top - size <= note.stack < top,
                expected=f"The calls of thread {position + 1} run below {top:#x}, the "
                "top of its kernel stack.",
                seen=f"One ran at {note.stack:#x}.",
                cause=f"The entry stays on the stack of ring 3: {on_user}"
                if note.stack >= base
                else "The entry uses one stack for all threads: a call that yields "
                "loses what the next one overwrites.",
                hint="Take the stack that the TSS names: the running thread's.",
                read=READ_FAST,
            )


def entries(evidence: Evidence) -> list[Block]:
    """Each time that the CPU came to the first instruction of fast_entry."""
    entry = evidence.symbols.find("fast_entry") or 0
    return [b for b in evidence.events if isinstance(b, Block) and b.pc == entry]


def entry_flags(case: Case, evidence: Evidence) -> None:
    """At its first instruction fast_entry has IF clear."""
    arch = arch_of(case)
    for block in entries(evidence):
        flags = block.regs.flags or 0
        case.expect(
            not flags & IF,
            expected="fast_entry begins with interrupts off.",
            seen=f"{arch.flags} is {flags:#x} at its first instruction: IF is set.",
            cause="A tick that comes before the entry has a kernel stack would push "
            f"its frame, at CPL 0, where {arch.sp.lower()} of ring 3 points.",
            hint="IF among the bits of MSR_FMASK.",
            read=READ_FAST,
        )


def entry_segments(case: Case, evidence: Evidence) -> None:
    """At its first instruction fast_entry has the kernel's CS and SS."""
    values = support.of(case)
    for block in entries(evidence):
        for name, want in (("CS", values["SEL_KCODE"]), ("SS", values["SEL_KDATA"])):
            have = block.regs.segments[name].selector
            case.expect(
                have == want,
                expected=f"fast_entry begins with {name} {want:#06x}.",
                seen=f"{name} is {have:#06x}.",
                cause="The segments of ring 0 in the register behind the instruction "
                "are wrong.",
                hint="The selector of the kernel's code; its data segment is the next.",
                read=READ_FAST,
            )


def return_state(case: Case, evidence: Evidence) -> None:
    """Behind the instruction in the page, ring 3 has its CS and SS, and its rsp."""
    values = support.of(case)
    arch = arch_of(case)
    page = values["FAST_CALL_VA"]
    stacks: dict[int, int] = {}  # by *bx, a random word of each call
    for block in (b for b in evidence.events if isinstance(b, Block) and b.cpl == 3):
        if not page <= block.pc < page + support.PAGE:
            continue
        general = registers(block.dump)
        mark, sp = general.get("bx", 0), general.get("sp", 0)
        if block.pc == page:
            stacks[mark] = sp
            continue
        for name, want in (("CS", values["SEL_UCODE"]), ("SS", values["SEL_UDATA"])):
            have = block.regs.segments[name].selector
            case.expect(
                have == want,
                expected=f"Behind a fast call ring 3 has {name} {want:#06x}.",
                seen=f"{name} is {have:#06x} at {block.pc:#x}.",
                cause="The way back loads other segments than those of ring 3.",
                hint=CAME_BACK[case.arch],
                read=READ_FAST,
            )
        want_sp = stacks.get(mark)
        case.expect(
            case.arch == "i386" or want_sp in (None, sp),
            expected=f"Behind a fast call {arch.sp.lower()} is {want_sp or 0:#x}, as "
            "before.",
            seen=f"It is {sp:#x}.",
            cause="The stack pointer of ring 3 is lost, or that of another thread.",
            hint=STACK_KEPT[case.arch],
            read=READ_FAST,
        )


def diagnose(case: Case, evidence: Evidence) -> None:
    """The kernel did not come to its end: fails with the first thing that is wrong."""
    own_stacks(case, evidence)  # what breaks a kernel most thoroughly
    entry_flags(case, evidence)
    entry_segments(case, evidence)
    entry = evidence.symbols.find("fast_entry")
    blocks = [event.pc for event in evidence.events if isinstance(event, Block)]
    if support.of(case)["FAST_CALL_VA"] in blocks and entry not in blocks:
        case.fail(
            expected="The instruction in the page leads to fast_entry.",
            seen=evidence.diagnosis.seen,
            cause=f"It leads elsewhere. {evidence.diagnosis.cause}",
            hint=NOT_REACHED[case.arch],
            read=READ_FAST,
        )


@check("fast-entry", boots=(fast,), needs=("call-arguments",))
def test_entry(case: Case) -> None:
    """Fast calls enter the kernel from the page at FAST_CALL_VA, without a gate, serve
    the call with all five arguments and come back with its result."""
    evidence = raced(case)
    if evidence.run.end is not End.DONE:
        diagnose(case, evidence)
    entry_segments(case, evidence)
    return_state(case, evidence)
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
    arch = arch_of(case)
    user = support.of(case)["SEL_UDATA"]
    gone = (*LOST_FAST[case.arch], *SHARED[case.arch], "ax", "flags", "sp")
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
                    expected=f"After fast call {n + 1} {arch.register(name)} is "
                    f"{want[name]:#x}.",
                    seen=f"It is {result[name] & mask:#x}.",
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
    for position in range(2):
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
