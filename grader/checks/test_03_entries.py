# SPDX-License-Identifier: MIT
"""03-faults: the gates, the frames that the entries build, and the way back."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.faults import (
    HEADER,
    NAMES,
    READ_ERROR,
    READ_FRAME,
    REPAIRED,
    entry_file,
    expected_place,
    faults,
    faults_boot,
    probe_label,
    recorded,
    resume_boot,
    unexpected,
)
from grader.checks.frames import frame_cause, frames, should_be
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
INTERRUPT_GATE, TRAP_GATE = 0xE, 0xF


def gate_of(case: Case, evidence: Evidence, vector: int) -> GateDescriptor:
    """The entry of the IDT, read from guest memory; what cannot be read is zero."""
    wide = case.arch == "x86_64"
    size = 16 if wide else 8
    table = evidence.registers.idt
    raw = b"" if table is None else support.space(evidence).read(table.base, 32 * size)
    raw = raw[vector * size :][:size]
    return GateDescriptor.decode(raw.ljust(size, b"\0"), wide=wide)


@check("fault-gates", boots=(faults_boot,))
def test_gates(case: Case) -> None:
    """#DE, #UD, #GP and #PF have present interrupt gates with DPL 0 and kernel code,
    and none of them takes a stack of the IST."""
    evidence = case.run(faults_boot, ends=support.ANY_END)
    # A gate that leads to the stub of an entry can be judged already.
    entered = "task 3.1 is open" in evidence.console
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
        wrong = wrong_fields(gate, kernel_code)
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


def wrong_fields(gate: GateDescriptor, kernel_code: int) -> list[str]:
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
        found.append(
            "A trap gate leaves IF as it was: an interrupt could come in before the "
            "frame is complete, and CR2 be overwritten before it is read."
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


DIRECTION_FLAG = 0x400


@check("fault-frame", boots=(faults_boot,), needs=("fault-gates",))
def test_frame(case: Case) -> None:
    """For faults of both rings, with and without an error code, the frame that
    fault_dispatch gets agrees with the CPU's record, register by register."""
    evidence = case.run(faults_boot)
    events = recorded(case, evidence)
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
                hint="The last word pushed is the first field of struct trap_frame. "
                "Write the stack down, word by word, and who pushed what.",
                read=READ_FRAME if field != "error" else READ_ERROR,
                source=entry_file(case),
            )
    case.fact("frames", [[e.v, e.e, e.cpl] for e in events])


def expect_pointers(case: Case, evidence: Evidence, events: list[Interrupt]) -> None:
    """fault_dispatch was given an address on its own stack."""
    layout = arch_of(case).words(2)
    places = support.array(evidence, "scenario_frame_places", layout, len(events))
    for event, (given, hook) in zip(events, places):
        case.expect(
            hook < given < hook + support.PAGE,
            expected="fault_dispatch gets the address of the frame on its stack, near "
            f"{hook:#x}.",
            seen=f"It got {given:#x} after {support.show(event)}.",
            cause="What fault_dispatch found as its argument is no address of a frame: "
            "the stack pointer was not passed, or more was pushed behind it.",
            hint="The stack pointer right behind the last push is the frame's address: "
            f"pass it as the first argument, which C expects {arch_of(case).argument}.",
            read=HEADER,
            source=entry_file(case),
        )


@check("fault-segments", boots=(faults_boot,), needs=("fault-frame",))
def test_segments(case: Case) -> None:
    """While fault_dispatch runs, DF is clear; on i386, where they mean something, DS,
    ES, FS and GS are the kernel's."""
    evidence = case.run(faults_boot)
    events = recorded(case, evidence)
    arch = arch_of(case)
    want = support.of(case)["SEL_KDATA"]
    layout = f"4H{arch.word}"
    rows = support.array(evidence, "scenario_hook_states", layout, len(events))
    for event, (*segments, flags) in zip(events, rows):
        have = dict(zip(("DS", "ES", "FS", "GS"), segments))
        wrong = [n for n, value in have.items() if value != want]
        wrong = [name for name in wrong if name.lower() in arch.segments]
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
            not flags & DIRECTION_FLAG,
            expected="The direction flag DF is clear in the handler.",
            seen=f"DF is set after {support.show(event)}.",
            cause="The CPU keeps DF across a fault, and ring 3 had set it. C code "
            "takes it for clear: its string instructions would run backwards.",
            hint="cld, before the call.",
            read='SDM 1 "DF Flag" (3.4.3.2)',
            source=entry_file(case),
        )
    case.fact("handlers", len(events))


@check("fault-resume", boots=(resume_boot,), needs=("fault-gates",))
def test_resume(case: Case) -> None:
    """When a hook repaired the cause, the same instruction is tried again, and every
    register is as it was."""
    evidence = case.run(resume_boot)
    events = faults(evidence)
    for number, (name, ring, _, _) in enumerate(evidence.notes["runs"]):
        at = expected_place(evidence, name, ring)
        behind = probe_label(evidence, f"{name}_next")
        pair = events[2 * number : 2 * number + 2]
        if not pair or pair[0].pc != at:
            first = pair[0] if pair else None
            unexpected(
                case, evidence, first, f"The fault “{name}” at {at:#x} comes next."
            )
        expect_repaired(case, evidence, number, pair)
        expect_behind(case, evidence, pair, behind)
        expect_same(case, *pair)
    case.fact("resumed", sorted(REPAIRED))


def expect_repaired(
    case: Case, evidence: Evidence, number: int, pair: list[Interrupt]
) -> None:
    """The hook that repairs found the instruction in the frame."""
    first, *behind = pair
    ahead = [expected_place(evidence, n, r) for n, r, _, _ in evidence.notes["runs"]]
    lost = not behind or behind[0].pc in ahead[number + 1 :]
    if not lost:
        return
    arch = arch_of(case)
    places = support.array(evidence, "scenario_frame_places", arch.words(2), number + 1)
    given, hook = places[number]
    frame = frames(evidence, number + 1)[number]
    case.expect(
        hook < given < hook + support.PAGE and frame["ip"] == first.ip,
        expected=f"The frame of {support.show(first)} names the instruction, so that a "
        "hook of fault_dispatch can mend the cause.",
        seen=f"fault_dispatch got the frame at {given:#x}, and its ip is "
        f"{frame['ip']:#x}.",
        cause=frame_cause(arch, "ip", frame, should_be(arch, first)),
        hint="First make the check fault-frame pass.",
        read=HEADER,
        source=entry_file(case),
    )


def expect_behind(
    case: Case, evidence: Evidence, pair: list[Interrupt], behind: int
) -> None:
    """Behind the repaired instruction comes the probe's ud2, in ring 3."""
    after = pair[1] if len(pair) > 1 else None
    expected = (
        f"The cause of {support.show(pair[0])} was repaired: the same instruction is "
        f"tried again, and the probe goes on to its ud2 at {behind:#x}."
    )
    if after is not None and after.cpl == 0 and after.pc == behind:
        case.fail(
            expected=expected,
            seen=f"The CPU recorded {support.show(after)}.",
            cause="The interrupted code goes on in ring 0: ret or jmp loads "
            f"{arch_of(case).ip} alone, and leaves CS, the flags and the stack as the "
            "kernel had them.",
            hint=f"Only {arch_of(case).iret} takes back all that the CPU pushed.",
            read='SDM 2A "IRET/IRETD/IRETQ—Interrupt Return"',
            source=entry_file(case),
        )
    if after is None or after.cpl != 3:
        unexpected(case, evidence, after, expected)
        return
    ip = arch_of(case).ip
    if after.pc == pair[0].pc:
        expect_same(case, *pair)
    gone = after.pc - pair[0].pc
    case.expect(
        after.pc == behind,
        expected=expected,
        seen=f"The CPU recorded {support.show(after)}.",
        cause=(
            f"The way back led {gone} bytes behind the instruction that faulted, into "
            f"the middle of another: the saved {ip} was changed."
            if 0 < gone < 16
            else f"The way back led to another address than the saved {ip}."
        ),
        hint=f"The {ip} that a fault saves already is that of the instruction to try "
        "again; leave it as it is.",
        read='SDM 3A "Exception Classifications" (6.5)',
        source=entry_file(case),
    )


def expect_same(case: Case, before: Interrupt, after: Interrupt) -> None:
    """Ring 3 finds its registers as they were before the fault."""
    arch = arch_of(case)
    general = [*(name.upper() for name in reversed(arch.general)), arch.sp]
    values = {name: (before.regs[name], after.regs[name]) for name in general}
    for name in ("DS", "ES", "FS", "GS", "SS", "CS"):
        both = (before.regs.segments[name], after.regs.segments[name])
        values[name] = (both[0].selector, both[1].selector)
    flags = before.regs.flags or 0, after.regs.flags or 0
    values[f"{arch.flags} (IF, DF, IOPL)"] = flags[0] & 0x3600, flags[1] & 0x3600
    for name, (had, has) in values.items():
        case.expect(
            had == has,
            expected=f"{name} is {had:#x} in ring 3, as before the fault.",
            seen=f"It is {has:#x} after the way back.",
            cause=resume_cause(name, has, values),
            hint="Undo the pushes in reverse order: the last pushed is the first "
            "popped.",
            read=READ_FRAME,
            source=entry_file(case),
        )


def resume_cause(name: str, has: int, values: dict[str, tuple[int, int]]) -> str:
    """The mistake behind a register that came back with another value."""
    if len(name) == 2 and name[1] == "S":
        return (
            f"{name} is not restored on the way back. A kernel selector left in it is "
            "nulled by iret."
        )
    same = [n for n, (had, _) in values.items() if n != name and had == has]
    if same and " " not in name:
        return (
            f"It has what {same[0]} had: the registers are popped in another order "
            "than they were pushed."
        )
    return (
        f"{name} is not restored on the way back, or was changed before it was saved."
    )
