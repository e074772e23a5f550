# SPDX-License-Identifier: MIT
"""09-programs: programs that crash, and what cannot be started."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.elf_images import DAMAGES, Image, faults, names
from grader.checks.elf_images import NAMES as CODES
from grader.checks.program_runs import (
    CRASHES,
    HEADER,
    IMAGES,
    LONG,
    NAMES,
    NOBODY,
    PROGRAM,
    REFUSED,
    bounds,
    crashes,
    expect_sums,
    programs_boot,
    said,
    started,
)
from grader.checks.record import Evidence
from grader.checks.spaces import PAGE, free_pages
from grader.machine import Boot, End, Module

E_NOMEM, E_NOENT, E_AGAIN = -2, -3, -6
SHORT_MOST = 48


@boot("programs")
def programs(plan: Plan) -> Boot:
    return programs_boot(plan, 3, True)


@boot("kernel-fault")
def kernel_fault(plan: Plan) -> Boot:
    """When the first process ends, the kernel itself runs into #UD."""
    return programs_boot(plan, 1, False, breaks=1)


@boot("short")
def short(plan: Plan) -> Boot:
    """So few frames that loading ends somewhere, with one more each time."""
    image = plan.note("image", plan.program(PROGRAM, elf=True))
    modules = (Module("program", image),)
    return plan.boot("programs-short", modules=modules, limits=LONG)


@check("process-fault", boots=(programs, kernel_fault), needs=("process-run",))
def test_fault(case: Case) -> None:
    """#DE, #UD, #GP and #PF end the process that raised them and no other; its status
    says which it was. A fault of the kernel's own ends none: it is the kernel's."""
    evidence = case.run(programs)
    found = crashes(evidence)
    for what, module, pid, root, status in started(evidence):
        if not what.startswith("crash"):
            continue
        vector = int(what.split()[1])
        event = found.get(root)
        case.expect(
            pid > 0 and event is not None and event.v == vector,
            expected=f"{module.name} runs into {NAMES[vector]} under its tree "
            f"{root:#x}.",
            seen=f"process_start returned {CODES.get(pid, pid)}; "
            f"{support.show(event)}.",
            cause="It did not run, or ran into something else before.",
            read=HEADER,
        )
        case.expect(
            status == -256 - vector,
            expected=f"Its status is STATUS_FAULT({vector}), {-256 - vector}.",
            seen=said(status),
            cause="The status of a fault is lost, or the thread ended without the exit "
            "hooks.",
            hint="user_exit(STATUS_FAULT(frame->vector)) if the frame is ring 3's.",
            read=HEADER,
        )
    expect_sums(case, evidence)
    evidence = case.run(kernel_fault, ends=(End.PANIC, End.DONE))
    ((_, ended, _),) = support.array(evidence, "scenario_hooks", "III", 1)
    case.expect(
        evidence.run.end is End.PANIC or not ended,  # the fault is raised by a hook
        expected="#UD in ring 0 while a process is current is the kernel's own fault: "
        "process_fault returns, and the kernel panics.",
        seen="The process was ended, and the kernel went on as if all were well.",
        cause="process_fault did not look at who raised the fault.",
        hint="SEL_RPL(frame->cs) is 3 if it was ring 3.",
        read=HEADER,
    )
    case.fact("crashes", sorted(CRASHES.values()))


@check("process-refuse", boots=(programs, short), needs=("process-run",))
def test_refuse(case: Case) -> None:
    """What is no program is refused with its error and leaves nothing behind, nor does
    a program for which memory is short; the next one runs."""
    evidence = case.run(programs)
    for what, module, pid, _, _ in started(evidence):
        if what in DAMAGES:
            want = faults(case.arch, module.data, bounds(case))
            case.expect(
                pid in want,
                expected=f"process_start returns {names(want)} for {module.name}: "
                f"{what}.",
                seen=f"It returned {CODES.get(pid, pid)}.",
                cause="The error of elf_check did not become that of process_start.",
                read=HEADER,
            )
    all_started = support.array(evidence, "scenario_started", "i", IMAGES)
    ((nobody,), (refused,)) = all_started[NOBODY], all_started[REFUSED]
    case.expect(
        nobody == E_NOENT,
        expected="process_start returns E_NOENT when there is no such module.",
        seen=f"It returned {nobody}.",
        read=HEADER,
    )
    case.expect(
        refused == E_AGAIN,
        expected="process_start returns the error of process_started, and the program "
        "does not run.",
        seen=f"It returned {refused}.",
        cause="Nobody looked at the result of process_started: later stages say there "
        "that something is missing.",
        read=HEADER,
    )
    expect_frames(case, evidence, "all processes have ended and are forgotten")
    expect_hooks(case, evidence)
    expect_short(case, case.run(short))
    case.fact("refused", True)


def expect_hooks(case: Case, evidence: Evidence) -> None:
    ((started_, ended, _),) = support.array(evidence, "scenario_hooks", "III", 1)
    case.expect(
        started_ == ended,
        expected="process_ended is called once for each process that process_started "
        "has accepted.",
        seen=f"{started_} were accepted, {ended} ended.",
        cause="It is called twice, or not at all: when a process ends, and when what "
        "comes behind process_started fails.",
        hint="process_exit calls it, and process_start if the thread cannot be made.",
        read=HEADER,
    )


def expect_short(case: Case, evidence: Evidence) -> None:
    """With too few frames: E_NOMEM, and nothing is left; with enough: a pid."""
    ((count,),) = support.array(evidence, "scenario_short_count", "I", 1)
    rows = support.array(evidence, "scenario_short", "i2I2I2I", min(count, SHORT_MOST))
    image: Image = Image.of(case.arch, support.note(evidence, "image"))
    least = 4 + sum(  # the root, the arguments, a stack of two pages
        (one["va"] + one["memory"] - 1) // PAGE - one["va"] // PAGE + 1
        for one in image.loads()
        if one["memory"]
    )
    for left, (result, frames, now, used, then, begun, over) in enumerate(rows):
        if result > 0 and left >= least:
            break
        case.expect(
            result == E_NOMEM,
            expected=f"With {left} frames left process_start returns E_NOMEM.",
            seen=f"It returned {result}.",
            cause="An error on the way was not looked at, or became another one.",
            read=HEADER,
        )
        case.expect(
            frames == now and used == then,
            expected=f"When process_start has failed with {left} frames left, frames "
            "and kernel heap are as before.",
            seen=f"{frames - now} frames and {then - used} bytes of the heap are not "
            "free.",
            cause="What was made before the error stays: the space, its pages, its "
            "tables, or the struct process.",
            hint="Everything that belongs to a space goes with space_destroy; what "
            "came from kzalloc goes with kfree.",
            read=HEADER,
        )
        case.expect(
            begun == over,
            expected="If the thread cannot be made, process_ended undoes what "
            "process_started has done.",
            seen=f"{begun} were accepted, {over} ended.",
            cause="The last step fails, and only what came before process_started is "
            "undone.",
            read=HEADER,
        )
    case.expect(
        rows[-1][0] > 0,
        expected=f"With {SHORT_MOST - 1} frames the program can be started.",
        seen=f"process_start returned {rows[-1][0]}.",
        cause="Much more memory is taken than the program has pages.",
        read=HEADER,
    )
    ((full,),) = support.array(evidence, "scenario_no_heap", "i", 1)
    case.expect(
        full == E_NOMEM,
        expected="With no memory in the kernel's heap process_start returns E_NOMEM.",
        seen=f"It returned {full}.",
        read=HEADER,
    )


def expect_frames(case: Case, evidence: Evidence, when: str) -> None:
    """As many frames are free as before; kernel stacks and heap are no frames."""
    lost = free_pages(case, evidence, 0) - free_pages(case, evidence, 1)
    case.expect(
        not lost,
        expected=f"When {when}, as many frames are free as before.",
        seen=f"{len(lost)} are not.",
        cause="What was made before an error stays, or what a process had at its end: "
        "the space, its pages, its tables.",
        hint="Everything that belongs to a process goes with space_destroy; when a "
        "thread ends, stage 08 calls that itself.",
        read=HEADER,
    )
