# SPDX-License-Identifier: MIT
"""03-faults: gates, frames, repaired faults, the report, and the double fault."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.evidence.descriptors import GateDescriptor
from grader.evidence.trace import Interrupt, TripleFault
from grader.machine import Boot, End, Module, Via

READ_FRAME = 'SDM 3A "Exception- and Interrupt-Handler Procedures" (6.12.1)'
READ_ERROR = 'SDM 3A "Error Code" (6.13)'
READ_PF = 'SDM 3A "Interrupt 14—Page-Fault Exception (#PF)" (6.15)'
READ_DF = 'SDM 3A "Interrupt 8—Double Fault Exception (#DF)" (6.15)'
READ_GATES = 'SDM 3A "IDT Descriptors" (6.11)'
HEADER = "kernel/include/course/03-faults.h"

NAMES = {0: "#DE", 6: "#UD", 8: "#DF", 13: "#GP", 14: "#PF"}
RING0 = ("de", "ud", "gp", "pf_read", "pf_write", "pf_text")  # enum provoke
RING3 = (
    "de",
    "ud",
    "gp",
    "gate",
    "pf_read",
    "pf_write",
    "kernel_read",
    "kernel_write",
    "kernel_jump",
)
REPAIRED = {"de": (2, 0), "ud": (2, 0), "gp": (1, 0), "pf_read": (0, 1)}
RESULTS = 32
INTERRUPT_GATE = 0xE


def planned(plan: Plan, runs: list[tuple[str, int, int, int]], via: Via) -> Boot:
    """A boot that provokes these faults: label, ring, bytes to repair, page to map."""
    rng = plan.rng()
    values = support.of(plan)
    code, stack, absent = support.user_pages(rng, plan, 3)
    absent += rng.randrange(0, support.PAGE, 4)
    kernel = rng.randrange(values["FRAME_POOL_BASE"], values["IDENTITY_END"], 4)
    pad = rng.randrange(1, 2000)
    probe = plan.probe("faults", PAD=pad, ABSENT=absent, KERNEL=kernel)
    top = stack + 16 * rng.randrange(64, 256)
    data = b"".join(
        struct.pack(
            "<QQII",
            code + probe.labels[name] if ring else RING0.index(name),
            top if ring else 0,
            repair,
            page,
        )
        for name, ring, repair, page in runs
    )
    for key, value in {
        "runs": runs,
        "code": code,
        "probe": probe,
        "absent": absent,
        "kernel": kernel,
    }.items():
        plan.note(key, value)
    return plan.boot(
        "faults-run",
        *support.hexadecimal(code=code, stack=stack, absent=absent),
        modules=(Module("probe", probe.data), Module("runs", data)),
        via=via,
    )


@boot("faults")
def faults_boot(plan: Plan) -> Boot:
    runs = [(name, 0, 0, 0) for name in RING0] + [(name, 3, 0, 0) for name in RING3]
    plan.rng("order").shuffle(runs)
    return planned(plan, runs, Via.DIRECT)


@boot("resume")
def resume_boot(plan: Plan) -> Boot:
    runs = [(name, 3, *how) for name, how in REPAIRED.items()]
    plan.rng("order").shuffle(runs)
    return planned(plan, runs, Via.DIRECT)


@boot("overflow")
def overflow_boot(plan: Plan) -> Boot:
    return plan.boot("faults-overflow")


@boot("grub")
def grub_boot(plan: Plan) -> Boot:
    runs = [("gp", 3, 0, 0), ("pf_read", 0, 0, 0)]
    return planned(plan, runs, Via.GRUB)


def faults(evidence: Evidence) -> list[Interrupt]:
    """Every fault that the CPU delivered; the int 0x80 that a gate refused counts once."""
    return [event for event in support.interrupts(evidence) if event.fault]


def expected_place(evidence: Evidence, name: str, ring: int) -> int:
    """The address of the instruction that must fault."""
    if name == "kernel_jump":
        return int(evidence.notes["kernel"])
    if ring:
        return int(
            evidence.notes["code"] + evidence.notes["probe"].labels[f"{name}_at"]
        )
    return support.address_of(evidence, f"scenario_provoke_{name}_at")


def recorded(case: Case, evidence: Evidence) -> list[Interrupt]:
    """The CPU's record of the provoked faults, one a run, each at its place."""
    events = faults(evidence)
    for number, (name, ring, _, _) in enumerate(evidence.notes["runs"]):
        at = expected_place(evidence, name, ring)
        event = events[number] if number < len(events) else None
        case.expect(
            event is not None and (event.pc, event.cpl) == (at, ring),
            expected=f"The fault “{name}” of ring {ring} at {at:#x} comes next.",
            seen=f"The CPU recorded {support.show(event)}.",
            cause="The fault before it led to another fault: its entry or its way back "
            "is broken.",
            hint="Draw the stack of the entry, word by word.",
            read=READ_FRAME,
        )
    return events[: len(evidence.notes["runs"])]


@check("fault-gates", boots=(faults_boot,))
def test_gates(case: Case) -> None:
    """#DE, #UD, #GP and #PF have present interrupt gates with DPL 0 and kernel code."""
    evidence = case.run(faults_boot, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN or evidence.registers.idt is None:
        case.run(faults_boot)
    wide = case.arch == "x86_64"
    size = 16 if wide else 8
    table = evidence.registers.idt
    assert table is not None
    values = support.of(case)
    core = support.address_of(evidence, "unclaimed_entries")
    for vector in (0, 6, 13, 14):
        raw = support.space(evidence).read(table.base + size * vector, size)
        gate = GateDescriptor.decode(raw.ljust(size, b"\0"), wide=wide)
        unclaimed = support.array(evidence, "unclaimed_entries", "I", vector + 1)
        case.expect(
            gate.offset != unclaimed[vector][0],
            expected=f"The gate of vector {vector} leads to an entry of yours.",
            seen=f"It still leads to the core's panic: {gate}.",
            cause="fault_init did not write this gate.",
            hint="idt_set_gate once for each of the four vectors.",
            read=READ_GATES,
        )
        right = (gate.p, gate.type, gate.dpl, gate.selector)
        case.expect(
            right == (1, INTERRUPT_GATE, 0, values["SEL_KCODE"]),
            expected=f"Vector {vector}: present, interrupt gate, DPL 0, selector "
            f"{values['SEL_KCODE']:#x}.",
            seen=f"The gate reads: {gate}.",
            cause="Ring 3 could call a gate of DPL 3 itself; a trap gate leaves "
            "interrupts on before the frame is complete.",
            hint="GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT, SEL_KCODE.",
            read=READ_GATES,
        )
    del core
    case.fact("gates", [0, 6, 13, 14])


FRAME_I386 = "19I"
FIELDS_I386 = (
    "gs fs es ds edi esi ebp pusha_esp ebx edx ecx eax vector error ip cs flags sp ss"
).split()


def frames(evidence: Evidence, count: int) -> list[dict[str, int]]:
    """The struct trap_frame that fault_dispatch got, by run."""
    rows = support.array(evidence, "scenario_fault_frames", FRAME_I386, count)
    return [dict(zip(FIELDS_I386, row)) for row in rows]


def should_be(event: Interrupt) -> dict[str, int]:
    """The frame that the CPU's record asks for."""
    want = {
        name: event.regs[name.upper()]
        for name in FIELDS_I386[4:12]
        if name != "pusha_esp"
    }
    want |= {
        n: event.regs.segments[n.upper()].selector for n in ("ds", "es", "fs", "gs")
    }
    want |= {"vector": event.v, "error": event.e, "ip": event.ip, "cs": event.cs}
    want |= {"flags": event.regs.flags or 0}
    if event.cpl == 3:
        want |= {"sp": event.sp, "ss": event.ss}
    return want


SELECTORS = ("ds", "es", "fs", "gs", "cs", "ss")


@check("fault-frame", boots=(faults_boot,), needs=("fault-gates",))
def test_frame(case: Case) -> None:
    """For faults of both rings, with and without an error code, the frame that
    fault_dispatch gets agrees with the CPU's record, register by register."""
    evidence = case.run(faults_boot)
    events = recorded(case, evidence)
    got = frames(evidence, len(events))
    for (name, ring, _, _), event, frame in zip(evidence.notes["runs"], events, got):
        for field, want in should_be(event).items():
            have = frame[field] & (0xFFFF if field in SELECTORS else 0xFFFFFFFF)
            case.expect(
                have == want or field == "flags" and (have ^ want) & ~0x10000 == 0,
                expected=f"For the fault “{name}” of ring {ring}, frame->{field} is "
                f"{want:#x}: {support.show(event)}.",
                seen=f"It is {have:#x}.",
                cause="The entry pushes too much, too little, or in another order; only "
                "some vectors have an error code of their own.",
                hint="#DE and #UD need a 0 in its place; #GP and #PF do not.",
                read=READ_FRAME,
                source="i386/fault_entry.asm",
            )
    case.fact("frames", [[e.v, e.e, e.cpl] for e in events])


@check("fault-segments", boots=(faults_boot,), needs=("fault-frame",))
def test_segments(case: Case) -> None:
    """While fault_dispatch runs, DS, ES, FS and GS are the kernel's and DF is clear."""
    evidence = case.run(faults_boot)
    events = recorded(case, evidence)
    want = support.of(case)["SEL_KDATA"]
    rows = support.array(evidence, "scenario_hook_states", "HHHHI", len(events))
    for event, (*segments, flags) in zip(events, rows):
        case.expect(
            all(segment == want for segment in segments),
            expected=f"DS, ES, FS and GS are {want:#x} in the handler.",
            seen=f"They are {', '.join(f'{s:#x}' for s in segments)} after "
            f"{support.show(event)}.",
            cause="The CPU does not change them on a fault: they hold what ring 3 left.",
            hint="Load all four with SEL_KDATA once the frame has kept the old ones.",
            read=READ_FRAME,
        )
        case.expect(
            not flags & 0x400,
            expected="DF is clear in the handler: C expects it so.",
            seen=f"DF is set after {support.show(event)}.",
            cause="The CPU keeps DF across a fault, and ring 3 had set it.",
            hint="cld, before the call.",
            read='SDM 1 "DF Flag" (3.4.3.2)',
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
        base = evidence.notes["code"]
        behind = base + evidence.notes["probe"].labels[f"{name}_next"]
        pair = events[2 * number : 2 * number + 2]
        case.expect(
            [event.pc for event in pair] == [at, behind],
            expected=f"After the repaired “{name}” at {at:#x} the probe goes on to the "
            f"ud2 at {behind:#x}.",
            seen=f"The CPU recorded {support.show(pair[1] if len(pair) > 1 else None)}.",
            cause="The way back does not restore what iret needs: an error code left on "
            "the stack is taken for EIP.",
            hint="Undo the pushes in reverse, then skip vector and error code.",
            read=READ_FRAME,
        )
        before, after = pair
        for register in "EAX EBX ECX EDX ESI EDI EBP ESP".split():
            same = before.regs[register] == after.regs[register]
            case.expect(
                same,
                expected=f"{register} is as before the fault: {before.regs[register]:#x}.",
                seen=f"It is {after.regs[register]:#x}.",
                cause="A register is not restored, or the pops are in another order.",
                hint="The last pushed is the first popped.",
                read=READ_FRAME,
            )
        for register in ("DS", "ES", "FS", "GS", "SS", "CS"):
            had = before.regs.segments[register].selector
            has = after.regs.segments[register].selector
            case.expect(
                had == has,
                expected=f"{register} is as before the fault: {had:#x}.",
                seen=f"It is {has:#x}.",
                cause="The segments of ring 3 are not restored.",
                hint="Pop GS, FS, ES, DS before popa.",
                read=READ_FRAME,
            )
        flags = ((before.regs.flags or 0) ^ (after.regs.flags or 0)) & 0x3600
        case.expect(
            not flags,
            expected="IF, DF and IOPL are as before the fault.",
            seen=f"EFLAGS was {before.regs.flags:#x}, is {after.regs.flags:#x}.",
            cause="EFLAGS in the frame was changed.",
            read=READ_FRAME,
        )
    case.fact("resumed", sorted(REPAIRED))


LINE = re.compile(
    r"fault (?P<name>\S+) vector=(?P<vector>\d+) error=(?P<error>0x[0-9a-f]{8}) "
    r"cs=(?P<cs>0x[0-9a-f]{4}) rpl=(?P<rpl>[0-3]) ip=(?P<ip>0x[0-9a-f]+)(?P<rest>.*)"
)


def reports(evidence: Evidence) -> list[Mapping[str, str]]:
    """The lines of fault_report on the console, in order."""
    lines = evidence.console.splitlines()
    return [found.groupdict() for line in lines if (found := LINE.fullmatch(line))]


def paired(case: Case, evidence: Evidence) -> list[tuple[Interrupt, Mapping[str, str]]]:
    """Each provoked fault of the CPU's record with the line printed for it."""
    events, lines = recorded(case, evidence), reports(evidence)
    near = [line for line in evidence.console.splitlines() if "fault" in line]
    case.expect(
        len(lines) == len(events),
        expected=f"{len(events)} lines of the form that the contract gives, one a fault.",
        seen=f"{len(lines)} lines have it. "
        + (f"One that mentions a fault: “{near[0]}”." if near else ""),
        cause="The line is not printed, or its form differs.",
        hint="Compare with the examples in the contract, blank by blank.",
        read=HEADER,
    )
    return list(zip(events, lines))


def expect_line(
    case: Case, event: Interrupt, line: Mapping[str, str], **want: str
) -> None:
    for field, text in want.items():
        case.expect(
            line[field] == text,
            expected=f"For {support.show(event)} the report says {field} {text.strip()}.",
            seen=f"It says {line[field].strip() or 'nothing'}.",
            cause="The report and the CPU's own record disagree.",
            hint="Take the field from the frame, CR2 from the register.",
            read=HEADER,
        )


@check("fault-report", boots=(faults_boot,), needs=("fault-frame",))
def test_report(case: Case) -> None:
    """For each fault the report names vector, error code, CS, its RPL and the address of
    the instruction, as the CPU recorded them."""
    evidence = case.run(faults_boot)
    digits = 2 * support.word_bytes(case.arch)
    for event, line in paired(case, evidence):
        expect_line(
            case,
            event,
            line,
            name=NAMES[event.v],
            vector=str(event.v),
            error=f"{event.e:#010x}",
            cs=f"{event.cs:#06x}",
            rpl=str(event.cs & 3),
            ip=f"0x{event.ip:0{digits}x}",
        )
    case.fact("reports", len(reports(evidence)))


def selector_words(event: Interrupt) -> str:
    """What the report adds for a #GP."""
    if event.e == 0:
        return ""
    table = "idt" if event.e & 2 else "ldt" if event.e & 4 else "gdt"
    return f" {table} index={event.e >> 3}"


@check("fault-report-idt", boots=(faults_boot,), needs=("fault-report",))
def test_report_idt(case: Case) -> None:
    """For #GP the report decodes the error code: int 0x80 without a gate names index
    128 of the IDT, a bad selector its index in the GDT."""
    evidence = case.run(faults_boot)
    for event, line in paired(case, evidence):
        if event.v == 13:
            expect_line(case, event, line, rest=selector_words(event))
    case.fact("codes", sorted(e.e for e in recorded(case, evidence) if e.v == 13))


@check("fault-report-page", boots=(faults_boot,), needs=("fault-report",))
def test_report_page(case: Case) -> None:
    """For #PF the report gives CR2 and decodes user or kernel, read, write or fetch,
    present or absent."""
    evidence = case.run(faults_boot)
    digits = 2 * support.word_bytes(case.arch)
    seen = []
    for event, line in paired(case, evidence):
        if event.v != 14:
            continue
        words = (
            "user" if event.e & 4 else "kernel",
            "fetch" if event.e & 16 else "write" if event.e & 2 else "read",
            "present" if event.e & 1 else "absent",
        )
        rest = f" cr2=0x{event.cr2:0{digits}x} {' '.join(words)}"
        expect_line(case, event, line, rest=rest)
        seen.append(event.e)
    case.fact("page_faults", sorted(seen))


def double_fault(case: Case) -> tuple[Evidence, Interrupt]:
    """The boot that overflows a kernel stack, and the #DF that the CPU delivered."""
    evidence = case.run(overflow_boot, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(overflow_boot)
    at = support.address_of(evidence, "scenario_overflow_at")
    doubles = [e for e in support.interrupts(evidence) if (e.v, e.pc) == (8, at)]
    triple = any(isinstance(event, TripleFault) for event in evidence.events)
    case.expect(
        doubles and not triple and evidence.run.end is End.PANIC,
        expected="The overflow is a #PF at the push, then a #DF whose handler runs to "
        "its end: the kernel says so and halts.",
        seen=f"The run ended by {evidence.run.end.value}"
        + (", after a triple fault." if triple else "."),
        cause="The stack that overflowed cannot take the frame of the #PF, and the #DF "
        "was delivered on that same stack, or to no handler at all.",
        hint="Give #DF a stack of its own, through the CPU: a task gate, or an IST slot.",
        read=READ_DF,
    )
    return evidence, doubles[0]


@check("fault-double", boots=(overflow_boot,))
def test_double(case: Case) -> None:
    """A kernel stack overflow ends in the #DF handler, on a stack of its own: no triple
    fault, no reset."""
    evidence, event = double_fault(case)
    now = evidence.registers
    values = support.of(case)
    slot = (values["KSTACK_PAGES"] + 1) * support.PAGE
    low = event.sp - event.sp % support.PAGE
    inside = low <= (now.sp or 0) < low + slot
    case.expect(
        not inside
        and (
            case.arch != "i386" or now.segments["TR"].selector == values["SEL_DF_TSS"]
        ),
        expected="The handler halts in its own task, on another stack.",
        seen=f"The stack pointer is {now.sp:#x}, TR is "
        f"{now.segments['TR'].selector:#x}; the stack that overflowed ends at {low:#x}.",
        cause="The handler does not run where the task gate (i386) or the IST slot leads.",
        read=READ_DF,
    )
    case.fact("double", [event.v, event.e, event.cpl])


@check("fault-double-report", boots=(overflow_boot,), needs=("fault-double",))
def test_double_report(case: Case) -> None:
    """The report of the double fault names the instruction that overflowed the stack."""
    evidence, event = double_fault(case)
    digits = 2 * support.word_bytes(case.arch)
    lines = reports(evidence)
    case.expect(
        len(lines) == 1,
        expected="One line of fault_report, for the #DF.",
        seen=f"There are {len(lines)} lines of its form.",
        cause="The handler prints no report, or in another form.",
        hint="Fill a struct trap_frame from the interrupted state, call fault_report.",
        read=HEADER,
    )
    expect_line(
        case,
        event,
        lines[0],
        name="#DF",
        vector="8",
        error="0x00000000",
        cs=f"{event.cs:#06x}",
        rpl="0",
        ip=f"0x{event.ip:0{digits}x}",
    )
    case.fact("double_report", event.ip == event.pc)


@check("fault-grub", boots=(grub_boot,), needs=("fault-frame",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, a fault of each ring is reported as well."""
    evidence = case.run(grub_boot)
    events = [e for e in faults(evidence) if e.regs.paging]
    want = [(13, 3), (14, 0)]
    case.expect(
        [(e.v, e.cpl) for e in events] == want and len(reports(evidence)) == 2,
        expected="#GP of ring 3, then #PF of ring 0, and a report of each.",
        seen=f"The CPU recorded {len(events)} faults; {len(reports(evidence))} reports.",
        cause="Something that GRUB leaves otherwise than QEMU's loader matters.",
        hint="Do not rely on registers, segments or memory that you did not set.",
    )
