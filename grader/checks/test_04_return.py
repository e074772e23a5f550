# SPDX-License-Identifier: MIT
"""04-ring3: back in the kernel after a fault of ring 3."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import Arch, arch_of
from grader.checks.ring3 import (
    HEADER,
    expect_kernel_stack,
    finished,
    grub_boot,
    idle_boot,
    judged,
    label,
    run_boot,
)
from grader.machine import End

# LOST_* of the scenario's assembly part: what C relies on, bit by bit.
ALWAYS = ("the stack pointer", "a word of the live stack", "IF or DF clear")


def lost_of(arch: Arch, lost: int) -> list[str]:
    """What a run did not keep, in words."""
    names = (*ALWAYS, *(name.upper() for name in arch.preserved))
    return [name for bit, name in enumerate(names) if lost >> bit & 1]


@check("ring3-return", boots=(run_boot, idle_boot), needs=("ring3-enter",))
def test_return(case: Case) -> None:
    """ring3_run returns the vector of the fault, keeps the caller's registers and
    stack, and the kernel goes on to the next run."""
    evidence = finished(case, run_boot)
    expect_kernel_stack(case, evidence)
    starts = evidence.notes["starts"]
    outcomes = support.array(evidence, "scenario_outcomes", "II", len(starts))
    taken = [e for e in support.interrupts(evidence) if e.cpl == 3 and e.fault]
    for number, (start, (vector, lost)) in enumerate(zip(starts, outcomes)):
        want = taken[number].v if number < len(taken) else None
        case.expect(
            vector == want,
            expected=f"ring3_run returns {want} for the run that starts at {start}.",
            seen=f"It returned {vector}.",
            cause="The result is not the vector with which ring3_return was called: it "
            "was lost on the way, or never taken from the argument.",
            hint="The result belongs in the register that C expects it in.",
            read=HEADER,
            source="ring3_return",
        )
        names = lost_of(arch_of(case), lost)
        case.expect(
            not names,
            expected="The caller of ring3_run finds its registers, its stack and its "
            "flags as C relies on them.",
            seen=f"After the run that starts at {start} this is lost: "
            f"{', '.join(names)}.",
            cause="C relies on these across every call; ring 3 and the handler have "
            "used them for their own.",
            hint="ring3_run saves what C relies on before it notes the stack pointer; "
            "ring3_return restores it in reverse order.",
            read=HEADER,
            source="ring3_run and ring3_return",
        )
    expect_idle(case)
    case.fact("vectors", [vector for vector, _ in outcomes])


def expect_idle(case: Case) -> None:
    """When no run is under way, ring3_return comes back at once."""
    evidence = judged(case, idle_boot)
    ((came_back,),) = support.array(evidence, "scenario_idle", "I", 1)
    done = evidence.run.end is End.DONE and came_back == 1
    case.expect(
        done,
        expected="ring3_return comes back at once when no ring3_run is under way.",
        seen="It did not come back."
        if evidence.run.end is End.DONE
        else f"It did not come back; the run ended by {evidence.run.end.value}.",
        cause="ring3_return used the stack pointer of a run that was over: the frame "
        "there is no longer anyone's.",
        hint="Forget the noted stack pointer as soon as it has been used.",
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
