# SPDX-License-Identifier: MIT
"""04-ring3: back in the kernel after a fault of ring 3."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.ring3 import (
    BACK,
    HEADER,
    WORD,
    expect_kernel_stack,
    finished,
    grub_boot,
    idle_boot,
    judged,
    kernel_stack,
    label,
    run_boot,
)
from grader.evidence.registers import Registers
from grader.evidence.trace import Block, Interrupt
from grader.machine import End

IDLE_CALLS = 3  # of the idle scenario: ring3_return, ring3_run, ring3_return
IF, DF = 0x200, 0x400


@dataclass(frozen=True)
class Return:
    """The caller of ring3_run goes on: the CPU's registers, as QEMU recorded them.

    fault: the last one of ring 3 since the return before. then: the registers when the
    caller has taken up its stack pointer and a word from there, None if it never did.
    """

    fault: Interrupt | None
    regs: Registers
    then: Registers | None = None


def returns(evidence: Evidence) -> list[Return]:
    """Each return to the caller, in order."""
    back, word = (support.address_of(evidence, name) for name in (BACK, WORD))
    found: list[Return] = []
    fault: Interrupt | None = None
    for event in evidence.events:
        if isinstance(event, Interrupt) and event.cpl == 3 and event.fault:
            fault = event
        elif not isinstance(event, Block) or event.stopped or event.cpl != 0:
            continue
        elif event.pc == back:
            found.append(Return(fault, event.regs))
            fault = None
        elif event.pc == word and found:
            found[-1] = replace(found[-1], then=event.regs)
    return found


def lost_at(evidence: Evidence, back: Return) -> list[str]:
    """What a call did not keep, in words."""
    arch = arch_of(evidence)
    marks = evidence.notes["marks"]
    kept = {name.upper(): mark for name, mark in zip(arch.preserved, marks)}
    kept[arch.sp] = back.then.get(arch.sp, 0) if back.then else 0
    lost = [name for name, value in kept.items() if back.regs.get(name) != value]
    word = back.then.get(arch.register("dx").upper()) if back.then else None
    if word != marks[len(arch.preserved)]:
        lost.append("a word of the live stack")
    return lost


def why_lost(evidence: Evidence, back: Return) -> tuple[str, str]:
    """Why the caller's registers have changed, and the mend."""
    arch, kernel, frame = arch_of(evidence), kernel_stack(evidence), back.fault
    if kernel and frame and kernel.over_pushes:
        pushed = {frame.cs, frame.sp, frame.regs.segments["SS"].selector}
        if pushed & {back.regs.get(name.upper()) for name in arch.preserved}:
            return (
                f"{arch.stack0} in the TSS ({kernel.top:#x}) lies above the words that "
                f"ring3_run has pushed (from {kernel.returns_at:#x} down): the CPU "
                "pushed the frame of the fault over them.",
                "Give tss_set_kernel_stack an address at or below the noted stack "
                "pointer: the one behind the pushes.",
            )
    return (
        "C relies on these across every call; ring 3 and the handler have used them "
        "for their own.",
        "ring3_run saves what C relies on before it notes the stack pointer; "
        "ring3_return restores it in reverse order.",
    )


def expect_flags(case: Case, back: Return, when: str) -> None:
    """IF and DF are clear behind the call, as they were before it."""
    flags = back.regs.flags or 0
    case.expect(
        not flags & IF,
        expected="Behind ring3_run and ring3_return interrupts are off, as before.",
        seen=f"{when} they are on: IF is set.",
        cause="IF was switched on on the way: by sti, or with flags of somebody else.",
        hint="The CPU has cleared IF when it came from ring 3: leave it.",
        read=HEADER,
        source="ring3_run and ring3_return",
    )
    case.expect(
        not flags & DF,
        expected="Behind ring3_run and ring3_return DF is clear, as before.",
        seen=f"{when} it is set.",
        cause="C relies on DF being clear.",
        hint="cld, if ring 3's flags or your own std may be in force.",
        read=HEADER,
        source="ring3_run and ring3_return",
    )


@check("ring3-return", boots=(run_boot, idle_boot), needs=("ring3-enter",))
def test_return(case: Case) -> None:
    """ring3_run returns the vector of the fault, keeps the caller's registers and
    stack, and the kernel goes on to the next run."""
    evidence = finished(case, run_boot)
    expect_kernel_stack(case, evidence)
    starts = evidence.notes["starts"]
    backs = returns(evidence)
    case.expect(
        len(backs) == len(starts),
        expected=f"ring3_run returns {len(starts)} times to the function that called "
        "it, once a run.",
        seen=f"The CPU recorded {len(backs)} returns to it.",
        cause="The kernel went on elsewhere: a ring3_run that never returns has lost "
        "its caller, whatever the memory says.",
        hint="ring3_return takes up the noted stack pointer; its ret then is that of "
        "ring3_run.",
        read=HEADER,
        source="ring3_run and ring3_return",
    )
    result = arch_of(case).register("ax").upper()
    for start, back in zip(starts, backs):
        want = back.fault.v if back.fault else None
        vector = back.regs.get(result, 0) & 0xFFFFFFFF
        case.expect(
            vector == want,
            expected=f"ring3_run returns {want} for the run that starts at {start}."
            if back.fault
            else f"The run that starts at {start} enters ring 3.",
            seen=f"It returned {vector}."
            if back.fault
            else f"ring3_run returned {vector}, and no fault of ring 3 came before.",
            cause="The result is not the vector with which ring3_return was called: it "
            "was lost on the way, or never taken from the argument.",
            hint="The result belongs in the register that C expects it in.",
            read=HEADER,
            source="ring3_return",
        )
        expect_flags(case, back, f"After the run that starts at {start}")
        lost = lost_at(evidence, back)
        cause, hint = why_lost(evidence, back)
        case.expect(
            not lost,
            expected="The caller of ring3_run finds its registers and its stack as C "
            "relies on them.",
            seen=f"After the run that starts at {start} these have changed: "
            f"{', '.join(lost)}.",
            cause=cause,
            hint=hint,
            read=HEADER,
            source="ring3_run and ring3_return",
        )
    expect_idle(case)
    case.fact("vectors", [back.fault.v for back in backs if back.fault])


def expect_idle(case: Case) -> None:
    """When no run is under way, ring3_return comes back at once."""
    evidence = judged(case, idle_boot)
    backs = returns(evidence)
    expected = "ring3_return comes back at once when no ring3_run is under way."
    case.expect(
        backs,
        expected=expected,
        seen="Before the first run it did not come back.",
        cause="ring3_return used a stack pointer that nobody had noted yet.",
        hint="What stands for “no run” must stand there from the start: 0, as .bss is.",
        read=HEADER,
        source="ring3_return",
    )
    case.expect(
        len(backs) == IDLE_CALLS,
        expected=expected,
        seen="After a run it did not come back"
        + ("." if evidence.run.end is End.DONE else f": {evidence.run.end.value}."),
        cause="ring3_return used the stack pointer of a run that was over: the frame "
        "there is no longer anyone's.",
        hint="Forget the noted stack pointer as soon as it has been used.",
        read=HEADER,
        source="ring3_return",
    )
    expect_flags(case, backs[0], "Before the first run")
    lost = lost_at(evidence, backs[0])
    case.expect(
        not lost,
        expected=expected,
        seen=f"Before the first run it came back, but these have changed: "
        f"{', '.join(lost)}.",
        cause="It popped or changed registers, and no run is under way whose they are.",
        hint="Without a noted stack pointer ring3_return is nothing but a ret.",
        read=HEADER,
        source="ring3_return",
    )
    lost = lost_at(evidence, backs[-1])
    case.expect(
        not lost,
        expected=expected,
        seen=f"After a run it came back, but these have changed: "
        f"{', '.join(lost)}.",
        cause="ring3_return has not forgotten the noted stack: it took it up again.",
        hint="Set the noted stack pointer to 0 when you take it up.",
        read=HEADER,
        source="ring3_return",
    )


@check("ring3-grub", boots=(grub_boot,), needs=("ring3-enter", "ring3-return"))
def test_grub(case: Case) -> None:
    """Booted by GRUB, the kernel reaches ring 3 and comes back as well."""
    with support.only_by_grub():
        evidence = finished(case, grub_boot)
        event = support.user_fault(evidence.events, label(evidence, "first"), 6)
        refused = support.user_fault(evidence.events, label(evidence, "hlt_at"), 13, 0)
        case.expect(
            event is not None and refused is not None,
            expected="#UD at the first instruction and #GP at hlt, both at CPL 3.",
            seen=f"First: {support.show(event)}; at hlt: {support.show(refused)}.",
            read=HEADER,
        )
