# SPDX-License-Identifier: MIT
"""03-faults: the way back from a fault whose cause was repaired."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.faults import (
    HEADER,
    READ_FRAME,
    REPAIRED,
    entry_file,
    expected_place,
    faults,
    probe_label,
    resume_boot,
    unexpected,
)
from grader.checks.frames import frame_cause, frames, should_be
from grader.checks.handlers import after_event, handled
from grader.checks.record import Evidence
from grader.evidence import trace
from grader.evidence.trace import Interrupt

READ_IRET = 'SDM 2A "IRET/IRETD/IRETQ—Interrupt Return"'
READ_AGAIN = 'SDM 3A "Exception Classifications" (6.5)'


@check("fault-resume", boots=(resume_boot,))
def test_resume(case: Case) -> None:
    """When a hook repaired the cause, the same instruction is tried again, and every
    register is as it was, even if the hook itself faulted."""
    evidence = case.run(resume_boot)
    events = faults(evidence)
    for number, (name, ring, _, page) in enumerate(evidence.notes["runs"]):
        at = expected_place(evidence, name, ring)
        if not events or events[0].pc != at:
            expected = f"The fault “{name}” at {at:#x} comes next."
            unexpected(case, evidence, events[0] if events else None, expected)
        first, *events = events
        expect_repaired(case, evidence, number, first, events)
        inner = events.pop(0) if page and events else None
        if page:
            expect_inner(case, evidence, first, inner)
        behind = events.pop(0) if events else None
        expect_behind(case, evidence, first, behind, name)
        assert behind is not None
        expect_same(case, first, behind, inner)
        expect_tried_again(case, evidence, first, behind)
    case.fact("resumed", sorted(REPAIRED))


def expect_repaired(
    case: Case,
    evidence: Evidence,
    number: int,
    first: Interrupt,
    after: list[Interrupt],
) -> None:
    """The hook that repairs found the instruction in the frame."""
    ahead = [expected_place(evidence, n, r) for n, r, _, _ in evidence.notes["runs"]]
    if after and after[0].pc not in ahead[number + 1 :]:
        return
    arch = arch_of(case)
    below = handled(case, evidence, first).sp
    places = support.array(evidence, "scenario_frame_places", arch.word, number + 1)
    given = places[number][0]
    frame = frames(evidence, number + 1)[number]
    case.expect(
        below < given < below + support.PAGE and frame["ip"] == first.ip,
        expected=f"The frame of {support.show(first)} names the instruction, so that a "
        "hook of fault_dispatch can mend the cause.",
        seen=f"fault_dispatch got the frame at {given:#x}, and its ip is "
        f"{frame['ip']:#x}.",
        cause=frame_cause(arch, "ip", frame, should_be(arch, first)),
        hint="First make the check fault-frame pass.",
        read=HEADER,
        source=entry_file(case),
    )


def expect_inner(
    case: Case, evidence: Evidence, first: Interrupt, inner: Interrupt | None
) -> None:
    """A fault of the hook itself is repaired as well, and the hook goes on."""
    at = support.address_of(evidence, "scenario_touch_at")
    behind = support.address_of(evidence, "scenario_touch_next")
    expected = (
        f"While the hook repairs the cause of {support.show(first)}, it touches an "
        f"absent page itself, at {at:#x}. That fault is repaired in the same way, and "
        f"the hook goes on at {behind:#x}, in ring 0."
    )
    if inner is None or (inner.pc, inner.cpl) != (at, 0):
        unexpected(case, evidence, inner, expected)
        return
    for event in after_event(evidence, inner):
        if (event.v, event.pc) == (3, behind):
            gone = event.sp - inner.sp
            case.expect(
                not gone,
                expected=expected,
                seen=f"The stack pointer is {gone} bytes off behind it.",
                cause="The interrupted code goes on in ring 0 with another stack: ret "
                f"or jmp loads {arch_of(case).ip} alone, and leaves the other words "
                "that the CPU pushed.",
                hint=f"Only {arch_of(case).iret} takes back all that the CPU pushed.",
                read=READ_IRET,
                source=entry_file(case),
            )
            expect_same(case, inner, event)
            return
        if event.fault:
            if event.pc == inner.pc:
                expect_same(case, inner, event)
            unexpected(case, evidence, event, expected)
    case.fail(
        expected=expected,
        seen="The hook did not go on.",
        cause="The way back into ring 0 led somewhere else: there the CPU pushed "
        "neither SS nor the stack pointer."
        if case.arch == "i386"
        else "The way back into ring 0 led somewhere else.",
        hint="The entry undoes what it did, whichever ring the fault came from.",
        read=READ_FRAME,
        source=entry_file(case),
    )


def expect_tried_again(
    case: Case, evidence: Evidence, first: Interrupt, behind: Interrupt
) -> None:
    """The repaired instruction itself was executed in ring 3."""
    log = evidence.events
    between = log[log.index(first) : log.index(behind)]
    ran = trace.blocks(between, first.pc, first.pc + 1)
    case.expect(
        any(block.cpl == 3 for block in ran),
        expected=f"When the cause of {support.show(first)} is repaired, the CPU "
        "executes the same instruction again.",
        seen=f"It went on behind, at {behind.pc:#x}: the instruction at {first.pc:#x} "
        "was not tried again.",
        cause=f"The saved {arch_of(case).ip} was moved behind the instruction, whose "
        "work is now missing.",
        hint=f"The {arch_of(case).ip} that a fault saves already is that of the "
        "instruction to try again; leave it as it is.",
        read=READ_AGAIN,
        source=entry_file(case),
    )


def expect_behind(
    case: Case,
    evidence: Evidence,
    first: Interrupt,
    after: Interrupt | None,
    name: str,
) -> None:
    """Behind the repaired instruction comes the probe's ud2, in ring 3."""
    behind = probe_label(evidence, f"{name}_next")
    expected = (
        f"The cause of {support.show(first)} was repaired: the same instruction is "
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
            read=READ_IRET,
            source=entry_file(case),
        )
    if after is None or after.cpl != 3:
        unexpected(case, evidence, after, expected)
        return
    ip = arch_of(case).ip
    if after.pc == first.pc:
        expect_same(case, first, after)
    gone = after.pc - first.pc
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
        read=READ_AGAIN,
        source=entry_file(case),
    )


def expect_same(
    case: Case, before: Interrupt, after: Interrupt, inner: Interrupt | None = None
) -> None:
    """The interrupted code finds its registers as they were before the fault.

    inner: a fault that came while the handler of `before` ran.
    """
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
            expected=f"{name} is {had:#x} in ring {before.cpl}, as before the fault.",
            seen=f"It is {has:#x} after the way back.",
            cause=resume_cause(name, has, values, inner),
            hint="Undo the pushes in reverse order: the last pushed is the first "
            "popped.",
            read=READ_FRAME,
            source=entry_file(case),
        )


def resume_cause(
    name: str, has: int, values: dict[str, tuple[int, int]], inner: Interrupt | None
) -> str:
    """The mistake behind a register that came back with another value."""
    if inner is not None and inner.regs.get(name) == has:
        return (
            f"This is what {name} was at {inner.pc:#x}, where the handler itself "
            "faulted: the registers are saved at a fixed place, and the second fault "
            "overwrote those of the first. The stack has room for both."
        )
    if len(name) == 2 and name[1] == "S":
        for other in (n for n in values if n[1:] == "S" and n != name):
            if values[other] == (has, values[name][0]) and has != values[name][0]:
                return (
                    f"{name} has the value that {other} had: these two pops are "
                    "exchanged."
                )
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
