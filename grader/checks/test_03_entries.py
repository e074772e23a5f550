# SPDX-License-Identifier: MIT
"""03-faults: the gates, and the frames that the entries build."""

from __future__ import annotations

from grader.checks import exhibits, support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.faults import (
    HEADER,
    NAMES,
    READ_ERROR,
    READ_FRAME,
    entry_file,
    faults,
    faults_boot,
    framed,
)
from grader.checks.frames import frame_cause, frames, should_be, too_low
from grader.checks.handlers import (
    INTERRUPT_FLAG,
    INTERRUPT_GATE,
    TRAP_GATE,
    gap_code,
    gate_of,
    handled,
    handler_record,
)
from grader.checks.record import Evidence
from grader.evidence.descriptors import GateDescriptor
from grader.evidence.trace import Interrupt
from grader.machine import End

READ_GATES = 'SDM 3A "IDT Descriptors" (6.11)'
READ_FLAGS = (
    'SDM 3A "Flag Usage By Exception- or Interrupt-Handler Procedure" (6.12.1.3)'
)
GATES = (0, 6, 13, 14)
NO_IST = {"i386": "", "x86_64": ", no IST slot"}
ENTRIES = {
    0: "fault_entry_de",
    6: "fault_entry_ud",
    13: "fault_entry_gp",
    14: "fault_entry_pf",
}
DIRECTION_FLAG = 0x400


@check("fault-gates", boots=(faults_boot,))
def test_gates(case: Case) -> None:
    """#DE, #UD, #GP and #PF have present interrupt gates with DPL 0 and kernel code,
    and none of them takes a stack of the IST."""
    evidence = case.run(faults_boot, ends=support.ANY_END)
    # A gate that leads to the stub of an entry or a report can be judged already.
    stubs = ("task 3.1 is open", "task 3.3 is open")
    entered = any(stub in evidence.console for stub in stubs)
    open_task = evidence.run.end is End.TASK_OPEN and not entered
    if open_task or evidence.registers.idt is None:
        case.run(faults_boot)
    kernel_code = support.of(case)["SEL_KCODE"]
    for vector in GATES:
        gate = gate_of(case, evidence, vector)
        name = NAMES[vector]
        unclaimed = support.array(
            evidence, "unclaimed_entries", arch_of(case).word, vector + 1
        )
        case.expect(
            gate.offset != unclaimed[vector][0],
            expected=f"The gate of {name} (vector {vector}) leads to an entry of "
            "yours.",
            seen=f"It still leads to the core's panic: {gate}.",
            cause=f"fault_init did not write the gate of {name}.",
            hint="idt_set_gate once for each of the four vectors.",
            read=READ_GATES,
        )
        case.expect(
            gate.offset in gap_code(evidence),
            expected=f"The gate of {name} (vector {vector}) leads to an entry of "
            "yours.",
            seen=f"It leads to {support.place(evidence, gate.offset)}.",
            cause="There is no code of yours: the gate takes the address of an entry, "
            f"{ENTRIES[vector]}.",
            hint="A function's name is its address: (uintptr_t)fault_entry_de.",
            read=READ_GATES,
            source="fault_init (faults.c)",
        )
        exhibits.gate(case, vector, gate)
        wrong = wrong_fields(gate, kernel_code, interruptible(evidence, vector))
        case.expect(
            not wrong,
            expected=f"{name} (vector {vector}): present, interrupt gate, DPL 0, "
            f"selector {kernel_code:#x}{NO_IST[case.arch]}.",
            seen=f"The gate reads: {gate}.",
            cause=" ".join(wrong),
            hint="The attribute byte is put together from the GATE_* bits of "
            "arch/trap.h; the selector is that of the code that the entry lies in.",
            read=READ_GATES,
            source="fault_init (faults.c)",
        )
    case.fact("gates", list(GATES))


def interruptible(evidence: Evidence, vector: int) -> bool:
    """Whether IF was ever set, or not seen, in a handler of this vector."""
    taken = [e for e in faults(evidence) if (e.v, e.cpl) == (vector, 3)]
    records = [handler_record(evidence, event) for event in taken]
    flags = [record.regs.flags or 0 for record in records if record]
    return not flags or any(value & INTERRUPT_FLAG for value in flags)


def wrong_fields(
    gate: GateDescriptor, kernel_code: int, is_interruptible: bool
) -> list[str]:
    """What each wrong field of a gate leads to; empty for a right one."""
    found: list[str] = []
    if not gate.p:
        found.append(
            "The present bit is 0, so the CPU raises #NP instead of calling the entry."
        )
    if gate.dpl != 0:
        found.append(
            f"The DPL is {gate.dpl}: code of ring 3 could fake this fault with int."
        )
    if gate.type == TRAP_GATE:
        if is_interruptible:
            found.append(
                "A trap gate leaves IF as it was: an interrupt could come in before "
                "the frame is complete, and CR2 be overwritten before it is read."
            )
    elif gate.type != INTERRUPT_GATE:
        found.append(
            f"The type is {gate.type:#x}, {gate.kind}; an interrupt gate is 0xe."
        )
    if gate.ist:
        found.append(
            f"It names IST slot {gate.ist}: each such fault starts at the same top of "
            "a stack. One inside the handler overwrites the frame of the first, and "
            "#DF is to share its stack with nobody."
        )
    if gate.selector != kernel_code:
        found.append(
            f"The selector is {gate.selector:#x}, but the entry is kernel code: the "
            "CPU loads CS from here."
        )
    return found


@check("fault-frame", boots=(faults_boot,))
def test_frame(case: Case) -> None:
    """For faults of both rings, with and without an error code, the frame that
    fault_dispatch gets agrees with the CPU's record, register by register."""
    evidence, events = framed(case)
    expect_pointers(case, evidence, events)
    got = frames(evidence, len(events))
    for (name, ring, _, _), event, frame in zip(evidence.notes["runs"], events, got):
        want = should_be(arch_of(case), event)
        for field, value in want.items():
            if frame[field] == value:
                continue
            frame["kernel_data"] = support.of(case)["SEL_KDATA"]
            case.fail(
                expected=f"For the fault “{name}” of ring {ring} the frame's {field} "
                f"is {value:#x}: {support.show(event)}.",
                seen=f"It is {frame[field]:#x}.",
                cause=frame_cause(arch_of(case), field, frame, want),
                hint="Compare the pushes with struct trap_frame (arch/trap.h), one by "
                "one."
                if too_low(arch_of(case), frame, want)
                else "The last word pushed is the first field of struct trap_frame. "
                "Write the stack down, word by word, and who pushed what.",
                read=READ_FRAME if field != "error" else READ_ERROR,
                source=entry_file(case),
            )
    case.fact("frames", [[e.v, e.e, e.cpl] for e in events])


def expect_pointers(case: Case, evidence: Evidence, events: list[Interrupt]) -> None:
    """fault_dispatch was called, with an address on its own stack."""
    places = support.array(
        evidence, "scenario_frame_places", arch_of(case).word, len(events)
    )
    for event, (given,) in zip(events, places):
        below = handled(case, evidence, event).sp
        case.expect(
            below < given < below + support.PAGE,
            expected="fault_dispatch gets the address of the frame on its stack, near "
            f"{below:#x}.",
            seen=f"It got {given:#x} after {support.show(event)}.",
            cause="What fault_dispatch found as its argument is no address of a frame: "
            "the stack pointer was not passed, or more was pushed behind it.",
            hint="The stack pointer right behind the last push is the frame's address: "
            f"pass it as the first argument, which C expects {arch_of(case).argument}.",
            read=HEADER,
            source=entry_file(case),
        )


@check("fault-segments", boots=(faults_boot,))
def test_segments(case: Case) -> None:
    """While fault_dispatch runs, DF and IF are clear; on i386, where they mean
    something, DS, ES, FS and GS are the kernel's."""
    evidence, events = framed(case)
    want = support.of(case)["SEL_KDATA"]
    for event in events:
        record = handled(case, evidence, event)
        names = [name.upper() for name in arch_of(case).segments]
        have = {name: record.regs.segments[name].selector for name in names}
        wrong = [name for name, value in have.items() if value != want]
        case.expect(
            not wrong,
            expected=f"DS, ES, FS and GS are {want:#x} in the handler.",
            seen=f"{', '.join(f'{n} is {have[n]:#x}' for n in wrong)} after "
            f"{support.show(event)}.",
            cause="A fault loads only CS and SS: the data segments still hold whatever "
            "ring 3 left in them.",
            hint="Load all four with SEL_KDATA once the frame has kept the old ones.",
            read=READ_FRAME,
            source=entry_file(case),
        )
        case.expect(
            not (record.regs.flags or 0) & DIRECTION_FLAG,
            expected="The direction flag DF is clear in the handler.",
            seen=f"DF is set after {support.show(event)}.",
            cause="The CPU keeps DF across a fault, and ring 3 had set it. C code "
            "takes it for clear: its string instructions would run backwards.",
            hint="cld, before the call.",
            read='SDM 1 "DF Flag" (3.4.3.2)',
            source=entry_file(case),
        )
        expect_interrupts_off(case, evidence, event, record)
    case.fact("handlers", len(events))


def expect_interrupts_off(
    case: Case, evidence: Evidence, event: Interrupt, record: Interrupt
) -> None:
    """IF is as the interrupt gate left it; what a trap gate leaves is the gate's."""
    cleared = gate_of(case, evidence, event.v).type == INTERRUPT_GATE
    case.expect(
        not (cleared and (record.regs.flags or 0) & INTERRUPT_FLAG),
        expected="IF is clear in the handler: the gate has cleared it.",
        seen=f"IF is set after {support.show(event)}.",
        cause="The entry sets it again before fault_dispatch is called: an interrupt "
        "could come in, and CR2 be overwritten before it is read.",
        hint="No sti: iret brings back the flags of the code that was interrupted.",
        read=READ_FLAGS,
        source=entry_file(case),
    )
