# SPDX-License-Identifier: MIT
"""Fast calls of 06-syscalls: what the executed blocks say about the way in and out."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.syscalls import notes_of
from grader.checks.threads import registers
from grader.evidence import disasm
from grader.evidence.trace import Block

READ_FAST = 'SDM 3A "Performing Fast Calls to System Procedures" (5.8.7)'
# How the instructions of an architecture lose rsp (esp), IF and DF, and the remedy.
STACK_KEPT = {
    "i386": "sysenter keeps no stack pointer: save it in ebp before.",
    "x86_64": "syscall leaves the rsp of ring 3 as it is: keep it on the thread's own "
    "kernel stack, and take it back as the last before sysret.",
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
PLACE = {
    "i386": "sysexit takes EIP from edx and ESP from ecx.",
    "x86_64": "sysret takes RIP from rcx.",
}
IF = 0x200
FAST_BYTES = 0x200  # of fast_entry, that are watched


def own_stacks(case: Case, evidence: Evidence) -> None:
    """Each call that was noted ran on the kernel stack of its thread."""
    size = support.of(case)["KSTACK_PAGES"] * support.PAGE
    tops = support.array(evidence, "scenario_kernel_tops", arch_of(case).word, 2)
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


def exit_flags(case: Case, evidence: Evidence) -> None:
    """x86_64: fast_entry leaves by sysret with IF clear, since rsp is ring 3's then.

    Of each block there is the state at its begin; what follows is the image's code.
    """
    entry = evidence.symbols.find("fast_entry") or 0
    space = support.space(evidence)
    for block in (b for b in evidence.events if isinstance(b, Block)):
        inside = entry <= block.pc <= entry + FAST_BYTES
        if not inside or block.cpl or not (block.regs.flags or 0) & IF:
            continue
        for code in disasm.many(space.read(block.pc, FAST_BYTES), block.pc, 64):
            if code.mnemonic.startswith(("cli", "popf", "call", "j", "ret")):
                break
            case.expect(
                f"{code}" != "pop rsp" and not code.mnemonic.startswith("sysret"),
                expected="IF is clear again before rsp is ring 3's.",
                seen=f"IF is set at {block.pc:#x} and is so still at `{code}`.",
                cause="A tick between that and sysret would push its frame, at CPL 0, "
                "where rsp of ring 3 points.",
                hint="syscall_dispatch returns with interrupts off: cpu_cli() behind "
                "the call of the function.",
                read=READ_FAST,
                source=support.place(evidence, code.address),
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


def return_place(case: Case, evidence: Evidence) -> None:
    """Ring 3 goes on in the page: it faults nowhere but there and in the programs."""
    places = {support.of(case)["FAST_CALL_VA"] // support.PAGE}
    places |= {each.entry // support.PAGE for each in evidence.notes["callers"]}
    fault = next(
        (
            event
            for event in support.interrupts(evidence)
            if event.fault and event.cpl == 3 and event.pc // support.PAGE not in places
        ),
        None,
    )
    case.expect(
        fault is None,
        expected="A fast call goes back into its page.",
        seen=f"Ring 3 went on elsewhere: {support.show(fault)}.",
        cause="The address of return is wrong.",
        hint=PLACE[case.arch],
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
