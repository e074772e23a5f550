# SPDX-License-Identifier: MIT
"""03-faults: what the report says, and the double fault."""

from __future__ import annotations

import re

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.double_fault import STATE, wrong_way
from grader.checks.faults import (
    HEADER,
    READ_ERROR,
    cut,
    digits_of,
    entry_file,
    expect_fields,
    faults,
    faults_boot,
    grub_boot,
    overflow_boot,
    page_words,
    paired,
    reported,
    reports,
    rest_of,
    silicon_code,
)
from grader.checks.frames import frames, should_be
from grader.checks.handlers import INTERRUPT_FLAG, TRAP_GATE, gate_of
from grader.checks.record import Evidence
from grader.evidence.trace import Interrupt
from grader.evidence.tss import TSS_BYTES, Tss
from grader.machine import End

READ_PF = 'SDM 3A "Interrupt 14—Page-Fault Exception (#PF)" (6.15)'
READ_DF = 'SDM 3A "Interrupt 8—Double Fault Exception (#DF)" (6.15)'
REPORT = "fault_report (faults.c)"


@check("fault-report", boots=(faults_boot,))
def test_report(case: Case) -> None:
    """For each fault the report names vector, error code, CS, its RPL and the address
    of the instruction, as the CPU recorded them."""
    evidence, events = reported(case)
    expect_given(case, evidence, events)
    for event, line in paired(case, evidence, events):
        expect_fields(case, event, line)
    case.fact("reports", len(reports(evidence)))


def expect_given(case: Case, evidence: Evidence, events: list[Interrupt]) -> None:
    """The frames hold what the report has to show, whatever else is wrong in them."""
    got = frames(evidence, len(events), evidence.notes["quiet"])
    for event, frame in zip(events, got):
        want = should_be(arch_of(case), event)
        for field in ("vector", "error", "cs", "ip"):
            case.expect(
                frame[field] == want[field],
                expected=f"The frame of {support.show(event)} says {field} "
                f"{want[field]:#x}, for the report to show.",
                seen=f"It says {frame[field]:#x}.",
                cause="The report may be right, but the frame is not: it shows what "
                "fault_dispatch was given.",
                hint="First make the check fault-frame pass.",
                read=HEADER,
                source=entry_file(case),
            )


@check("fault-report-page", boots=(faults_boot,), needs=("fault-report",))
def test_report_page(case: Case) -> None:
    """For #PF the report gives CR2 and decodes user or kernel, read, write or fetch,
    present or absent."""
    evidence, events = reported(case)
    seen = []
    for event, line in paired(case, evidence, events):
        if event.v != 14:
            continue
        want, have = rest_of(event, digits_of(case)), line["rest"]
        case.expect(
            have == want,
            expected=f"For {support.show(event)}, CR2 {event.cr2:#x}, the line goes on "
            f"with “{want.strip()}”.",
            seen=f"It goes on with “{have.strip()}”." if have else "It ends there.",
            cause=page_cause(event, have, want),
            hint=page_hint(event, have, want),
            read=READ_PF,
            source=REPORT,
        )
        seen.append(event.e)
    case.fact("page_faults", sorted(seen))


def page_hint(event: Interrupt, have: str, want: str) -> str:
    """The mend of the words for a #PF: of the address, or of what follows it."""
    if have.split()[:1] != want.split()[:1]:
        return (
            "read_cr2() gives it; print it as unsigned long by %0*lx, with "
            "2 * sizeof(uintptr_t) digits."
        )
    return (
        f"The error code {event.e:#x}, bit by bit: bit 0 the page was present, bit 1 a "
        "write, bit 2 from ring 3, bit 4 a fetch (only with NX)."
    )


def page_cause(event: Interrupt, have: str, want: str) -> str:
    """What is wrong with the words for a #PF."""
    cr2, *words = have.split() or [""]
    if not cr2.startswith("cr2=0x"):
        return "The address that was accessed, CR2, is missing."
    if cr2 != want.split()[0]:
        if re.fullmatch("0x[0-9a-f]+", cr2[4:]) and cut(int(cr2[4:], 16), event.cr2):
            return (
                "Only the low 32 bits of CR2 are shown: it has 64, an unsigned int "
                "has not."
            )
        if cr2[4:] == f"0x{event.ip:0{len(cr2) - 6}x}":
            return (
                "The report gives the address of the instruction in the place of CR2: "
                "CR2 is the address that the instruction accessed."
            )
        if cr2.lower() == want.split()[0]:
            return "The value is right; the contract asks for lower case, %lx."
        if cr2 == f"cr2={event.cr2:#0{len(cr2) - 4}x}":
            return (
                "The number of digits is not that of a machine word: a CR2 of more "
                "than 32 bits would be cut."
            )
        return "This is not the value of CR2 at the fault, in the digits of a word."
    bits = ("bit 2, user or kernel", "bits 1 and 4, the access", "bit 0, present")
    for right, word, bit in zip(page_words(event), words, bits):
        if right != word:
            return f"The error code {event.e:#x} is decoded wrongly in {bit}."
    return "The words differ from the contract in number, order or spacing."


@check("fault-report-idt", boots=(faults_boot,), needs=("fault-report",))
def test_report_idt(case: Case) -> None:
    """For #GP the report decodes the error code: int 0x80 without a gate names index
    128 of the IDT, a bad selector its index in the GDT."""
    evidence, events = reported(case)
    for event, line in paired(case, evidence, events):
        if event.v != 13:
            continue
        want, have = rest_of(event, digits_of(case)), line["rest"]
        case.expect(
            have == want,
            expected=f"For {support.show(event)} the line goes on with "
            f"“{want.strip()}”."
            if want
            else f"For {support.show(event)} the line ends after ip: the code is 0.",
            seen=f"It goes on with “{have.strip()}”." if have else "It ends there.",
            cause=selector_cause(event, have, want),
            hint="Print it with %u."
            if hexadecimal(have, want)
            else "Error code of a #GP: bit 1 set means IDT, else bit 2 set means LDT, "
            "else GDT; from bit 3 on stands the index.",
            read=READ_ERROR,
            source=REPORT,
        )
    case.fact("codes", sorted(silicon_code(e) for e in events if e.v == 13))


def hexadecimal(have: str, want: str) -> str:
    """The index, if it is right but not decimal; else nothing."""
    table, _, index = want.partition(" index=")
    found = re.fullmatch(r"(.*) index=((?:0x)?[0-9a-f]+)", have, re.IGNORECASE)
    right = found and index and table == found[1] and int(found[2], 16) == int(index)
    return found[2] if found and right else ""


def selector_cause(event: Interrupt, have: str, want: str) -> str:
    """What is wrong with the words for a #GP."""
    words, right = have.split(), want.split()
    if not right:
        return "An error code of 0 names no descriptor."
    if len(words) != 2:
        return f"The error code {event.e:#x} is not decoded in the contract's words."
    if words[0] != right[0]:
        return f"The error code {event.e:#x} names the wrong table: bit 1 is the IDT's."
    shown = hexadecimal(have, want)
    if shown:
        return (
            f"{shown} is {int(shown, 16)} in hexadecimal: the header asks for a "
            "decimal index."
        )
    return (
        f"The index is wrong: the low three bits of {event.e:#x} do not belong to it, "
        "and all others do."
    )


def double_fault(case: Case) -> tuple[Evidence, Interrupt]:
    """The boot that overflows a kernel stack, and the #DF that the CPU delivered."""
    evidence = case.run(overflow_boot, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(overflow_boot)
    doubles = [e for e in support.interrupts(evidence) if at_overflow(evidence, e)]
    if doubles and evidence.run.end is End.PANIC and doubles[0] is last(evidence):
        return evidence, doubles[0]
    why = evidence.diagnosis
    case.lay_open(lambda: why.exhibits)
    cause, hint = wrong_way(evidence, doubles[0] if doubles else None)
    case.fail(
        expected="The overflow is a #PF at the push, then a #DF whose handler reports "
        "and calls double_fault_end: the kernel says so and halts.",
        seen=f"The run ended by {evidence.run.end.value}. {why.seen}",
        cause=cause,
        hint=hint,
        read=READ_DF,
        source=why.source,
    )


def at_overflow(evidence: Evidence, event: Interrupt) -> bool:
    """Whether this is the #DF of a push without room, whose #PF had no room either."""
    pushes = range(
        support.address_of(evidence, "scenario_overflow_first"),
        support.address_of(evidence, "scenario_overflow_end"),
    )
    nested = event.fault and (event.old, event.new) == (14, 14)
    below = event.sp - support.word_bytes(evidence.arch)
    return event.v == 8 and nested and event.pc in pushes and event.cr2 == below


def last(evidence: Evidence) -> Interrupt:
    """The last delivery of the run."""
    return support.interrupts(evidence)[-1]


@check("fault-double", boots=(overflow_boot,))
def test_double(case: Case) -> None:
    """A kernel stack overflow ends in the #DF handler, on a stack of its own and with
    interrupts off: no triple fault, no reset."""
    evidence, event = double_fault(case)
    now = evidence.registers
    values = support.of(case)
    slot = (values["KSTACK_PAGES"] + 1) * support.PAGE
    low = event.sp - event.sp % support.PAGE
    task, own = now.segments["TR"].selector, values.get("SEL_DF_TSS", values["SEL_TSS"])
    case.expect(
        not low <= (now.sp or 0) < low + slot,
        expected="The handler runs on another stack than the one that overflowed.",
        seen=f"The stack pointer is {now.sp:#x}; the stack from {low:#x} overflowed.",
        cause="The handler's stack pointer leads into the broken stack.",
        read=READ_DF,
    )
    start, end = (
        support.address_of(evidence, name)
        for name in ("boot_stack_guard", "boot_stack_top")
    )
    case.expect(
        not start < (now.sp or 0) <= end,
        expected="The handler runs on a stack that nobody else uses.",
        seen=f"The stack pointer is {now.sp:#x}, on the stack that the kernel booted "
        "with.",
        cause="That stack is in use: whatever lies below the address that you noted is "
        "overwritten by the handler.",
        hint="kstack_alloc gives a stack of its own.",
        read=READ_DF,
    )
    case.expect(
        task == own,
        expected=f"TR is {own:#x} where the handler halts.",
        seen=f"TR is {task:#x}.",
        cause="The task gate names another TSS than the one in GDT_INDEX_DF_TSS.",
        read=READ_DF,
    )
    expect_gate(case, evidence)
    expect_interrupts_off(case, evidence)
    expect_segments(case, evidence)
    case.fact("double", [event.v, event.e, event.cpl])


def expect_gate(case: Case, evidence: Evidence) -> None:
    """The gate of #DF is for the CPU alone, and in long mode it clears IF."""
    gate = gate_of(case, evidence, 8)
    case.expect(
        gate.dpl == 0,
        expected="The gate of vector 8 has DPL 0.",
        seen=f"The gate reads: {gate}.",
        cause=f"The DPL is {gate.dpl}: with int 8, ring 3 could end the kernel.",
        hint="GATE_DPL(0): the CPU's own way to a handler does not ask for the DPL.",
        read='SDM 3A "IDT Descriptors" (6.11)',
        source="double_fault_init (double_fault.c)",
    )
    case.expect(
        gate.type != TRAP_GATE,
        expected="The gate of vector 8 is an interrupt gate.",
        seen=f"The gate reads: {gate}.",
        cause="A trap gate leaves IF as it was: the handler of a kernel that is broken "
        "already could be interrupted.",
        hint="GATE_INTERRUPT in the place of GATE_TRAP.",
        read='SDM 3A "IDT Descriptors" (6.11)',
        source="double_fault_init (double_fault.c)",
    )


def expect_interrupts_off(case: Case, evidence: Evidence) -> None:
    """The task of #DF starts with IF clear; in long mode the gate sees to that."""
    own = support.of(case).get("SEL_DF_TSS")
    found = own and evidence.scene.descriptor(evidence.registers, own)
    if not found:
        return
    raw = support.space(evidence).read(found.base, TSS_BYTES)
    flags = dict(Tss.decode(raw, wide=False).saved)["eflags"]
    case.expect(
        not flags & INTERRUPT_FLAG,
        expected="The task of #DF starts with IF clear.",
        seen=f"eflags in its TSS is {flags:#x}: bit 9 is IF.",
        cause="The CPU loads EFLAGS with the task: the handler of a kernel that is "
        "broken already could be interrupted.",
        hint="EFLAGS_FIXED alone is right: every other flag is clear.",
        read='SDM 3A "Task Switching" (7.3)',
        source="i386/double_fault.c",
    )


def expect_segments(case: Case, evidence: Evidence) -> None:
    """The handler has usable data segments, which QEMU does not insist on."""
    want = support.of(case)["SEL_KDATA"]
    for name in ("SS", "DS", "ES") if case.arch == "i386" else ():
        have = evidence.registers.segments[name].selector
        case.expect(
            have == want,
            expected=f"{name} is {want:#x} in the handler of #DF.",
            seen=f"It is {have:#x}.",
            cause=f"The task switch loads {name} from its field in the TSS, and nobody "
            "filled that in. QEMU lets it pass, a real CPU faults at the first access.",
            hint="The TSS of the task holds every register that it starts with.",
            read='SDM 3A "Task Switching" (7.3)',
            source="i386/double_fault.c",
        )


@check("fault-double-report", boots=(overflow_boot,), needs=("fault-double",))
def test_double_report(case: Case) -> None:
    """The report of the double fault names the push that overflowed the stack."""
    evidence, event = double_fault(case)
    ((_, line),) = paired(case, evidence, [event])
    told = int(line["ip"], 16)
    where, how = STATE[case.arch]
    case.expect(
        told == event.ip,
        expected=f"The report names the push at {event.ip:#x} that overflowed the "
        "stack.",
        seen=f"It names {line['ip']}"
        + (f", in {place}." if (place := evidence.source_of(told)) else "."),
        cause=f"This is the error code of #DF in the place of {arch_of(case).ip}."
        if told == 0
        else f"This is no state of the code that failed: {where}.",
        hint=how,
        read=READ_DF,
    )
    expect_fields(case, event, line)
    case.fact("double_report", event.ip == event.pc)


@check("fault-grub", boots=(grub_boot,), needs=("fault-report",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, a fault of each ring is reported as well."""
    with support.only_by_grub():
        evidence = case.run(grub_boot)
        events = [e for e in faults(evidence) if e.regs.paging]
        case.expect(
            [(e.v, e.cpl) for e in events] == [(13, 3), (14, 0)],
            expected="#GP of ring 3, then #PF of ring 0.",
            seen="The CPU recorded "
            + ("; ".join(support.show(e) for e in events) or "no fault")
            + ".",
            read=HEADER,
        )
        for event, line in paired(case, evidence, events):
            expect_fields(case, event, line)
