# SPDX-License-Identifier: MIT
"""04-ring3: the way into ring 3, and what code can and cannot do there."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, CheckFailed, check
from grader.checks.arch import HasArch, arch_of
from grader.checks.record import Evidence, unexpected_end
from grader.checks.ring3 import (
    PRIVILEGED,
    READ_FRAME,
    READ_IRET,
    READ_TSS,
    code_records,
    expect_own_code,
    finished,
    judged,
    label,
    ports_boot,
    run_boot,
    timer_boot,
)
from grader.checks.tss import expect_closed
from grader.evidence import explain, trace
from grader.evidence.instruction import PF
from grader.evidence.trace import Block, Interrupt
from grader.machine import End

TICKS = 5
IF = 0x200


PASSED_ON = {
    "i386": "In ring3_run each push moves the arguments on the stack by 4.",
    "x86_64": "In ring3_run a call may change RDI and RSI: they no longer hold the "
    "arguments behind it.",
}


def source_of(place: HasArch) -> str:
    """Where ring 3 is entered."""
    return f"ring3_enter ({place.arch}/ring3.asm)"


def start_state(case: Case, evidence: Evidence) -> Interrupt:
    """The CPU's record of the fault at the probe's very first instruction."""
    arch = arch_of(case)
    code = evidence.notes["code"]
    first = label(evidence, "first")
    ran = trace.blocks(evidence.events, code, code + support.PAGE)
    wrong = [block for block in ran if block.cpl != 3]
    case.expect(
        not wrong,
        expected="Every instruction of the probe runs at CPL 3.",
        seen=f"The block at {wrong[0].pc:#x} ran at CPL {wrong[0].cpl}."
        if wrong
        else "",
        cause=ring0_cause(evidence, ran),
        hint=f"Push SS, {arch.sp}, {arch.flags}, CS, {arch.ip} with the user selectors "
        f"(RPL 3), then {arch.iret}, in each run.",
        read=READ_IRET,
        source=source_of(case),
    )
    expect_own_code(case, evidence, evidence.events)
    event = support.user_fault(evidence.events, first, 6)
    if event is None:
        raise instead_of_start(evidence, first)
    return event


def ring0_cause(evidence: Evidence, ran: list[Block]) -> str:
    """Why the probe ran in ring 0."""
    if any(block.cpl == 3 for block in ran):
        return (
            "Ring 3 was entered once, but a later run of the probe was not: it was "
            "reached by a jump, in ring 0. The console looks the same, the CPU does "
            "not."
        )
    return (
        "The code was reached without a change of privilege: by a jump, call or ret, "
        "or by an iret whose CS is the kernel's. The console looks the same, the CPU "
        "does not."
    )


def instead_of_start(evidence: Evidence, first: int) -> Exception:
    """Why the first instruction was not seen in ring 3."""
    arch = arch_of(evidence)
    from_user = [e for e in support.interrupts(evidence) if e.cpl == 3]
    expected = f"Ring 3 starts with the probe's ud2 at {first:#x} (#UD at CPL 3)."
    if not from_user and evidence.run.end is not End.DONE:
        return unexpected_end(evidence)
    if not from_user:
        return CheckFailed(
            expected=expected,
            seen="ring3_run came back, and the CPU recorded nothing at CPL 3: no "
            "fault, no interrupt, no instruction.",
            cause="No code ran in ring 3 at all. What a kernel prints or returns "
            "proves nothing: the CPU's own record does.",
            hint="ring3_run has to call ring3_enter, and that to end with "
            f"{arch.iret}.",
            read=READ_IRET,
            source=source_of(evidence),
        )
    event = from_user[0]
    why = explain.fault(evidence.scene, event)
    stack = evidence.notes["stacks"]["first"]
    cause, hint, source = why.cause, why.hint, source_of(evidence)
    if stack - support.PAGE < event.pc < stack + support.PAGE:
        cause = (
            f"Ring 3 started at the address of the stack: {arch.ip} and {arch.sp} are "
            "swapped in the frame, or the arguments of ring3_enter were."
        )
        hint = f"{arch.ip} is pushed last; the first argument is entry, then stack."
    elif evidence.scene.bits(event.regs) < 8 * support.word_bytes(evidence.arch):
        cause = (
            "Ring 3 runs 32-bit code, in compatibility mode: the code segment in the "
            f"frame has L clear. {arch.ip} is cut to 32 bits there."
        )
        hint = "CS in the frame is SEL_UCODE, with L set and D clear (01-gdt)."
    elif event.pc != first and event.pc == first & 0xFFFFFFFF:
        cause = (
            "Ring 3 did not start at the entry that was passed, but at its low 32 "
            f"bits: {arch.ip} went through a 32-bit register."
        )
        hint = "A write to a 32-bit register clears the upper half of the 64-bit one."
    elif event.pc != first:
        cause = (
            "Ring 3 did not start at the entry that was passed. Either ring3_enter "
            f"pushes another word as {arch.ip}, the last one, or ring3_run hands on "
            "something else than it got."
        )
        hint = PASSED_ON[evidence.arch]
        source = f"ring3_enter or ring3_run ({evidence.arch}/ring3.asm)"
    elif event.v == PF:
        source = "user_map (user_map.c)"
    return CheckFailed(
        expected=expected,
        seen=f"The CPU recorded {support.show(event)}. {why.seen}",
        cause=cause,
        hint=hint,
        read=why.read if event.pc == first else READ_FRAME,
        source=source,
        exhibits=why.exhibits if event.pc == first else (),
    )


@check("ring3-enter", boots=(run_boot,))
def test_enter(case: Case) -> None:
    """The probe's first instruction runs at CPL 3, with the user's CS and SS and the
    stack that was asked for."""
    evidence = judged(case, run_boot)
    event = start_state(case, evidence)
    values = support.of(case)
    stack = evidence.notes["stacks"]["first"]
    case.expect(
        (event.cs, event.ss) == (values["SEL_UCODE"], values["SEL_UDATA"]),
        expected=f"CS {values['SEL_UCODE']:#x} and SS {values['SEL_UDATA']:#x} in ring "
        "3.",
        seen=f"CS is {event.cs:#x}, SS is {event.ss:#x}.",
        cause="The frame of iret holds other selectors.",
        hint="SEL_UCODE and SEL_UDATA already contain RPL 3.",
        read=READ_FRAME,
        source=source_of(case),
    )
    kernel = event.sp < support.of(case)["USER_BASE"]
    arch = arch_of(case)
    case.expect(
        event.sp == stack,
        expected=f"The stack pointer of ring 3 is {stack:#x}, as passed.",
        seen=f"It is {event.sp:#x}"
        + (", an address of the kernel's stack." if kernel else "."),
        cause="Ring 3 was given the kernel's own stack pointer: the kernel's stack "
        "would be shared with the user."
        if kernel
        else "The slot of the stack pointer in the frame holds something else.",
        hint=f"The CPU pops {arch.ip}, CS, {arch.flags}, {arch.sp}, SS in this order.",
        read=READ_FRAME,
        source=source_of(case),
    )
    case.fact("start", [event.cs, event.ss, event.sp, event.pc, event.cpl])


@check("ring3-segments", boots=(run_boot,), needs=("ring3-enter",))
def test_segments(case: Case) -> None:
    """DS, ES, FS and GS hold the user data segment when ring 3 starts (x86_64: or the
    null selector), and CS is code of the machine's word size."""
    evidence = judged(case, run_boot)
    event = start_state(case, evidence)
    bits = 8 * support.word_bytes(case.arch)
    mode = evidence.scene.bits(event.regs)
    case.expect(
        mode == bits,
        expected=f"Ring 3 runs {bits}-bit code.",
        seen=f"It runs {mode}-bit code.",
        cause="L and D/B of the user's code segment decide about that.",
        hint="See the check gdt-user-code (01-gdt).",
        read=READ_IRET,
    )
    want, code = (support.of(case)[name] for name in ("SEL_UDATA", "SEL_UCODE"))
    allowed = {want} if arch_of(case).segments else {want, 0}
    have = {n: event.regs.segments[n].selector for n in ("DS", "ES", "FS", "GS")}
    case.expect(
        set(have.values()) <= allowed,
        expected=f"DS, ES, FS and GS are {want:#x}.",
        seen=", ".join(f"{n}={v:#06x}" for n, v in have.items()) + ".",
        cause=f"{code:#x} is the user's code segment here: code and data have other "
        "slots than on the other architecture."
        if code in have.values()
        else "iret loads only CS and SS. Segments left at the kernel's selectors are "
        "nulled by it: a real CPU then faults at the first access, QEMU does not.",
        hint="Load all four with SEL_UDATA before you push the frame.",
        read=READ_IRET,
        source=source_of(case),
    )
    case.fact("segments", have)


@check("ring3-interrupts", boots=(timer_boot,), needs=("ring3-enter",))
def test_interrupts(case: Case) -> None:
    """Ring 3 runs with interrupts on: the timer interrupts it, again and again."""
    evidence = finished(case, timer_boot)
    low, high = label(evidence, "spin"), label(evidence, "spin_done")
    every = trace.hardware_from_user(evidence.events, 0x20)
    ticks = [event for event in every if low <= event.pc <= high]
    event = support.user_fault(evidence.events, high, 6)
    flags = (event.regs.flags or 0) if event else 0
    case.expect(
        len(ticks) >= TICKS,
        expected=f"At least {TICKS} timer interrupts (vector 0x20) arrive at CPL 3.",
        seen=f"{len(ticks)} arrived; {arch_of(case).flags} in ring 3 is {flags:#x}, IF "
        f"{'set' if flags & IF else 'clear'}.",
        cause="IF is clear in ring 3, so no interrupt is taken there, and ring 3 "
        "itself may not set it.",
        hint="Put EFLAGS_FIXED | EFLAGS_IF into the slot of the flags in the frame.",
        read='SDM 3A "Masking Maskable Hardware Interrupts" (6.8.1)',
        source=source_of(case),
    )
    case.fact("ticks", len(ticks))


@check("ring3-privileged", boots=(run_boot,), needs=("ring3-enter",))
def test_privileged(case: Case) -> None:
    """in, out, cli, hlt, mov cr3 and lgdt each fault with #GP(0) at CPL 3, at exactly
    the probe's instruction."""
    evidence = finished(case, run_boot)
    iopl = start_state(case, evidence).regs.iopl or 0
    case.expect(
        iopl == 0,
        expected="IOPL is 0 in ring 3, so that in, out, cli and sti fault there.",
        seen=f"IOPL is {iopl} at the probe's first instruction.",
        cause=iopl_cause(iopl),
        hint="Build the flags from EFLAGS_FIXED and EFLAGS_IF alone.",
        read='SDM 1 "I/O Privilege Level" (19.5.1)',
        source=source_of(case),
    )
    for start, (at, text) in PRIVILEGED.items():
        pc = label(evidence, at)
        case.expect(
            len(trace.faults_at(evidence.events, pc)) == 1,
            expected=f"“{text}” at {pc:#x} faults with #GP, error code 0, at CPL 3.",
            seen=after(evidence, start, pc),
            cause="The instruction was let through, or was not reached by ring 3. "
            "Ports are open if the I/O bitmap of the TSS lies within its limit.",
            hint="See the checks tss-ports (02-tss) and ring3-ports.",
            read='SDM 3A "Privileged Instructions" (5.9)',
            source=source_of(case),
        )
    case.fact("refused", sorted(PRIVILEGED))


def iopl_cause(iopl: int) -> str:
    """What an IOPL other than 0 in the frame means."""
    what = f"The flags in the frame have IOPL {iopl}"
    if iopl == 3:
        return f"{what}: ring 3 may use every port and switch interrupts off."
    return f"{what}: it opens nothing to ring 3, but IOPL 0 was asked for."


def after(evidence: Evidence, start: str, pc: int) -> str:
    """What the CPU recorded at or behind an address of the probe."""
    code = evidence.notes["code"]
    for event in support.interrupts(evidence):
        if event.cpl == 3 and pc <= event.pc < code + support.PAGE:
            return f"The CPU recorded {support.show(event)}, IOPL {event.regs.iopl}."
    return f"No fault was recorded at or behind {start}."


@check("ring3-ports", boots=(ports_boot,), needs=("ring3-enter",))
def test_ports(case: Case) -> None:
    """All 65,536 ports are closed to ring 3, by the TSS; each of 2,048 reads faults."""
    evidence = finished(case, ports_boot)
    expect_own_code(case, evidence, code_records(evidence.run.trace))
    sweep = trace.sweep(evidence.run.trace, label(evidence, "port"))
    asked = evidence.notes["ports"]
    opened = sorted(set(asked) - sweep.ports)
    if opened:  # only then is it worth reading the whole log
        end = support.user_fault(evidence.events, label(evidence, "done"), 6)
        iopl = (end.regs.iopl or 0) if end else 0
        case.expect(
            iopl == 0,
            expected="All ports are closed to ring 3, and IOPL is 0.",
            seen=f"IOPL is {iopl} behind the sweep.",
            cause=iopl_cause(iopl),
            hint="Build the flags from EFLAGS_FIXED and EFLAGS_IF alone.",
            read='SDM 1 "I/O Privilege Level" (19.5.1)',
            source=source_of(case),
        )
    expect_closed(case, evidence)
    case.expect(
        not opened and sweep.faults == len(asked),
        expected=f"{len(asked)} reads, {len(asked)} times #GP(0) at CPL 3.",
        seen=f"{len(opened)} of the ports are open, the first {opened[0]:#x}."
        if opened
        else f"{sweep.faults} faults were recorded.",
        cause="An I/O bitmap lay within the limit of the TSS while these reads ran.",
        hint="iomap_base of the TSS lies at or behind its end (02-tss), and stays.",
        read=READ_TSS,
    )
    case.fact("faults", sweep.faults)
