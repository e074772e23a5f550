# SPDX-License-Identifier: MIT
"""09-programs: processes that run, print, and are known by their pids."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.program_runs import (
    AGAIN,
    HEADER,
    IMAGES,
    NAMES,
    PROGRAM,
    crashes,
    expect_sums,
    programs_boot,
    random_words,
    rows_of,
    started,
    sum_of,
)
from grader.checks.record import Evidence
from grader.machine import Boot, Module, Via

RUNS = 2  # of a program whose module is the good one


@boot("sums")
def sums(plan: Plan) -> Boot:
    return programs_boot(plan, 6, False)


@boot("alone")
def alone(plan: Plan) -> Boot:
    """One program, whose lines nobody interrupts."""
    text = " ".join(random_words(plan.rng(), 3))
    module = plan.note("module", Module("alone", plan.program(PROGRAM, elf=True), text))
    return plan.boot("programs-run", modules=(module,), icount_shift=5)


@boot("grub", disc=True)
def grub(plan: Plan) -> Boot:
    return programs_boot(plan, 2, True, Via.GRUB)


@check("process-run", boots=(sums,))
def test_run(case: Case) -> None:
    """C programs with arguments run side by side, each in its space, and give the right
    sum to exit, which is their status."""
    evidence = case.run(sums)
    expect_as_before(case, evidence)
    expect_sums(case, evidence)
    made = support.note(evidence, "made")
    case.fact("sums", sorted(sum_of(m.args) for what, m in made if what == "sum"))


def expect_as_before(case: Case, evidence: Evidence) -> None:
    """What process_start leaves to whoever called it, and gives to later stages."""
    ((off, on),) = support.array(evidence, "scenario_flags", "II", 1)
    case.expect(
        not off and on,
        expected="When process_start returns, interrupts are as they were.",
        seen=f"They were off, and are {'on' if off else 'off'}; they were on, and are "
        f"{'on' if on else 'off'}.",
        cause="cpu_sti() in the end switches them on for a caller that had them off, "
        "and without any they stay off for one that had them on.",
        hint="flags = cpu_save_cli() at the start, cpu_restore(flags) on every way "
        "out.",
        read=HEADER,
    )
    ((_, _, other),) = support.array(evidence, "scenario_hooks", "III", 1)
    case.expect(
        not other,
        expected="process_started is given the process, whose space is there, and its "
        "module's image and size.",
        seen=f"{other} times it was given something else.",
        cause="Other parameters, or it was called before the space was made.",
        read=HEADER,
    )
    ((before, after),) = support.array(
        evidence, "scenario_cr3", arch_of(case).words(2), 1
    )
    case.expect(
        before == after,
        expected=f"When process_start returns, CR3 is {before:#x}, as it was.",
        seen=f"It is {after:#x}.",
        cause="CR3 still names the space of the new process, which may be gone before "
        "whoever called runs again.",
        hint="Keep read_cr3() before write_cr3(), and write it back.",
        read=HEADER,
    )


@check("process-output", boots=(alone,), needs=("process-run",))
def test_output(case: Case) -> None:
    """What a program prints by printf arrives on the console, line by line."""
    evidence = case.run(alone)
    lines = [line.rstrip() for line in evidence.console.split("\n")]
    module = support.note(evidence, "module")
    want = rows_of(module)
    have = [line for line in lines if line.startswith("alone ")]
    case.expect(
        have == want * RUNS,
        expected=f"{module.name} prints “{want[0]}” and {len(want) - 1} more, each "
        f"time that it runs: {RUNS * len(want)} lines.",
        seen=f"The console got {len(have)} lines of it"
        + (f", the first is “{have[0]}”." if have else "."),
        cause="Its constants, its arguments or its data differ from what the file and "
        "the command line say, or it did not come that far.",
        hint="make run A=09-programs",
        read=HEADER,
    )
    case.fact("rows", want)


@check("process-list", boots=(sums,), needs=("process-run",))
def test_list(case: Case) -> None:
    """process_after goes through all processes by pid, process_find finds each; after
    process_forget neither does, and its memory is free. A pid is never used again."""
    evidence = case.run(sums)
    pids = [pid for _, _, pid, _, _ in started(evidence) if pid > 0]
    made = support.note(evidence, "made")
    kept = [
        pid
        for n, (_, _, pid, _, _) in enumerate(started(evidence))
        if pid > 0 and n % 2
    ]
    case.expect(
        len(set(pids)) == len(pids) and min(pids) >= 1,
        expected="Every process has a pid of its own, from 1.",
        seen=f"They are {', '.join(map(str, pids))}.",
        read=HEADER,
    )
    listed = support.array(evidence, "scenario_listed", "40i", 3)
    found = support.array(evidence, "scenario_found", "I", 3)
    texts = ("while all run", "when all have ended", "when half are forgotten")
    for row, (count,), want, when in zip(listed, found, (pids, pids, kept), texts):
        have = [pid for pid in row if pid]
        case.expect(
            have == sorted(want) and count == len(want),
            expected=f"The list {when} is {', '.join(map(str, sorted(want)))}, and "
            "each can be found.",
            seen=f"It is {', '.join(map(str, have)) or 'empty'}; {count} were found.",
            cause="An ended process stays until somebody has asked for its status, and "
            "no longer; process_forget does nothing to one that runs.",
            read=HEADER,
        )
    ((ghosts,),) = support.array(evidence, "scenario_ghosts", "I", 1)
    case.expect(
        not ghosts,
        expected="process_find returns NULL for a process that was forgotten.",
        seen=f"{ghosts} were still found.",
        cause="It was freed, or marked, but is still in the list.",
        read=HEADER,
    )
    ((again,),) = support.array(evidence, "scenario_started", "i", IMAGES)[AGAIN:][:1]
    case.expect(
        again > max(pids),
        expected=f"A process that is started later gets a pid above {max(pids)}, "
        "although some have become free.",
        seen=f"process_start returned {again}.",
        cause="A pid that is used again would let somebody wait for, or kill, a "
        "process that is not the one meant.",
        hint="Count up, and never down.",
        read=HEADER,
    )
    ((before, after),) = support.array(evidence, "scenario_used", "II", 1)
    case.expect(
        before == after,
        expected="When all processes are forgotten, as much of the kernel's heap is in "
        "use as before.",
        seen=f"{after - before} bytes more are in use.",
        cause="process_forget takes the process out of the list, and does not free it.",
        hint="kfree, when nothing points to it any more.",
        read=HEADER,
    )
    case.fact("listed", len(made))


@check("process-grub", boots=(grub,), needs=("process-run", "process-fault"))
def test_grub(case: Case) -> None:
    """The same programs as modules of GRUB."""
    with support.only_by_grub():
        evidence = case.run(grub)
        expect_sums(case, evidence)
        found = crashes(evidence)
        for what, module, _, root, status in started(evidence):
            if what.startswith("crash"):
                vector = int(what.split()[1])
                case.expect(
                    root in found and status == -256 - vector,
                    expected=f"{module.name} ends by {NAMES[vector]}.",
                    seen=f"Its status is {status}.",
                    read=HEADER,
                )
