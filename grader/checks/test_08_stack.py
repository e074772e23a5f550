# SPDX-License-Identifier: MIT
"""08-address-spaces: the stack of each process, or what is left where it has none."""

from __future__ import annotations

from grader.checks import exhibits, support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.maps import lay_open
from grader.checks.spaces import (
    HEADER,
    LONG,
    PAGE,
    READ_PAGES,
    Process,
    expect_none_lost,
    shown,
    unseen,
    walk,
    words,
)
from grader.checks.test_08_run import processes
from grader.evidence.paging import Walk
from grader.machine import Boot, End

# The stacks are there before the first switch, of which another check tells.
WHATEVER = tuple(end for end in End if end is not End.TASK_OPEN)


@boot("stacks")
def stacks(plan: Plan) -> Boot:
    """Stacks for nobody: two that cannot be had, and one that can."""
    return plan.boot("spaces-stacks", limits=LONG)


@check("space-stack", boots=(processes, stacks), needs=("space-map",))
def test_stack(case: Case) -> None:
    """Each process has its stack right below USER_STACK_TOP, in frames of its own, to
    read and write and not to execute; where it cannot be had, nothing is left of it."""
    evidence = case.run(processes, ends=WHATEVER)
    lay_open(case, evidence)
    values = support.of(case)
    made: list[Process] = support.note(evidence, "processes")
    roots = words(case, evidence, "scenario_roots", len(made))
    stacks = words(case, evidence, "scenario_stacks", len(made))
    frames: dict[int, int] = {}
    top = values["USER_STACK_TOP"]
    for number, (root, stack) in enumerate(zip(roots, stacks)):
        case.expect(
            stack == top,
            expected=f"user_stack_create returns USER_STACK_TOP, {top:#x}, in each "
            "space.",
            seen=f"For process {number} it returned {stack:#x}.",
            cause="It counts upwards from call to call, as the core's did; or the "
            "place was taken, since the wrong tree was changed.",
            hint="The space is the one that CR3 names.",
            read=HEADER,
        )
        pages = range(1, values["USER_STACK_PAGES"] + 1)
        for va in [top - n * PAGE for n in pages]:
            found = walk(evidence, root, va)
            exhibits.walk(case, found, write=True)
            case.expect(
                found.user
                and found.writable
                and not (case.arch == "x86_64" and found.executable),
                expected=f"The stack's page {va:#x} of process {number} is ring 3's to "
                "read and write, and not to execute.",
                seen=f"The page tables say: {shown(found)}.",
                cause=_stack_cause(found, len(pages)),
                read=READ_PAGES,
            )
            lay_open(case, evidence)
            owner = frames.setdefault((found.pa or 0) // PAGE, number)
            case.expect(
                owner == number,
                expected="No two processes have a frame of their stacks in common.",
                seen=f"{va:#x} is the frame {found.pa or 0:#x} in process {owner} and "
                f"{number}.",
                cause="The frame was taken once and mapped in each space.",
                read=HEADER,
            )
        below = walk(evidence, root, top - (len(pages) + 1) * PAGE)
        above = walk(evidence, root, top)
        case.expect(
            not below.present and not above.present,
            expected="Above and below the stack nothing is mapped.",
            seen=f"The page tables say: {shown(below if below.present else above)}.",
            cause="A page too many, or one too high.",
            read=HEADER,
        )
    expect_no_stack(case)
    case.fact("stacks", len(frames))


def _stack_cause(found: Walk, pages: int) -> str:
    """Why a page of the stack is not what it should be."""
    if found.user:
        return "SPACE_WRITE alone is what a stack needs."
    if found.present:
        return unseen(found)
    return (
        f"It is not mapped in this space, the one that CR3 names: the stack has "
        f"{pages} pages, the highest right below USER_STACK_TOP."
    )


def expect_no_stack(case: Case) -> None:
    """Where a page is taken, and where a frame is missing: 0, and as it was before."""
    evidence, values = case.run(stacks), support.of(case)
    roots = words(case, evidence, "scenario_roots", 2)
    answers = words(case, evidence, "scenario_stacks", 3)
    before = words(case, evidence, "scenario_frames", 1)[0]
    top, pages = values["USER_STACK_TOP"], values["USER_STACK_PAGES"]
    low = top - pages * PAGE
    whys = (f"a page is mapped at {low:#x} already", "there is a frame for one page")
    for number, (why, root) in enumerate(zip(whys, roots)):
        case.expect(
            answers[number] == 0,
            expected=f"user_stack_create returns 0 when {why}.",
            seen=f"It returned {answers[number]:#x}.",
            cause="The results of frame_alloc and space_map were not looked at.",
            read=HEADER,
        )
        for va in range(low, top, PAGE):
            found = walk(evidence, root, va)
            must = before if number == 0 and va == low else None
            case.expect(
                found.pa == must,
                expected=f"When {why}, {va:#x} is as it was before the call"
                + (f", the frame {before:#x}." if must else ", absent."),
                seen=f"The page tables say: {shown(found)}.",
                cause="The page that was there was replaced or taken out."
                if must
                else "The pages of the stack that did work are still mapped.",
                hint="Take out again what this call has mapped, and no more.",
                read=HEADER,
            )
        lost = "The frames of the pages that were mapped, or the one that was not."
        expect_none_lost(case, evidence, number, number + 1, "user_stack_create", lost)
    case.expect(
        answers[2] == top,
        expected=f"user_stack_create returns {top:#x} where there is nothing else.",
        seen=f"It returned {answers[2]:#x}.",
        cause="It remembers something of the calls that failed.",
        read=HEADER,
    )
