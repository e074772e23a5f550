# SPDX-License-Identifier: MIT
"""09-programs: processes that run, print, end and crash."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.elf_images import DAMAGES, damaged
from grader.checks.record import Evidence
from grader.checks.spaces import PAGE, RANGES
from grader.checks.test_09_elf import HEADER, PROGRAM, bounds, random_words
from grader.checks.threads import registers
from grader.evidence.events import Interrupt
from grader.machine import Boot, Limits, Module, Via

GATE, SYS_EXIT = 0x80, 4
E_NOMEM, E_NOENT = -2, -3
NOBODY = 31  # the scenario's start of a program that is not there
CRASHES = {"d": 0, "u": 6, "g": 13, "p": 14}
NAMES = {0: "#DE", 6: "#UD", 13: "#GP", 14: "#PF"}
LONG = Limits(cpu_s=5.0, log_bytes=16 << 20)
MASK = 0xFFFFFFFF
WORDS, ROWS = 1500, 3  # as in user/probes/sums.c


def programs_boot(plan: Plan, sums: int, via: Via = Via.DIRECT) -> Boot:
    """Programs that reckon, programs that crash and files that are none, mixed."""
    rng = plan.rng()
    good = plan.program(PROGRAM, elf=True)
    crash = plan.program("probes/crash.c", elf=True)
    made: list[tuple[str, Module]] = []
    for n in range(sums):
        text = " ".join(random_words(rng, rng.randrange(0, 5)))
        made.append(("sum", Module(f"sum{n}", good, text)))
    for n, (letter, vector) in enumerate(CRASHES.items()):
        made.append((f"crash {vector}", Module(f"crash{n}", crash, letter)))
    for n, how in enumerate(rng.sample(sorted(DAMAGES), 4)):
        bad = damaged(rng, plan.arch, good, how, bounds(plan))
        made.append((how, Module(f"bad{n}", bad)))
    rng.shuffle(made)
    plan.note("made", made)
    return plan.boot(
        "programs-run",
        modules=tuple(module for _, module in made),
        icount_shift=5,
        limits=LONG,
        via=via,
    )


@boot("programs")
def programs(plan: Plan) -> Boot:
    return programs_boot(plan, 5)


@boot("alone")
def alone(plan: Plan) -> Boot:
    """One program, whose lines nobody interrupts."""
    text = " ".join(random_words(plan.rng(), 3))
    module = plan.note("module", Module("alone", plan.program(PROGRAM, elf=True), text))
    return plan.boot("programs-run", modules=(module,), icount_shift=5)


@boot("grub")
def grub(plan: Plan) -> Boot:
    return programs_boot(plan, 2, Via.GRUB)


@boot("short")
def short(plan: Plan) -> Boot:
    """So many frames that loading ends somewhere in the middle."""
    left = plan.note("left", plan.rng().randrange(2, 11))
    modules = (Module("program", plan.program(PROGRAM, elf=True)),)
    return plan.boot("programs-short", *support.hexadecimal(left=left), modules=modules)


def sum_of(arguments: str) -> int:
    """What user/probes/sums.c makes of its words."""
    total = 0
    for text in arguments.split():
        for char in text.encode():
            total = (total * 31 + char) & MASK
        total = (total * 31 + 1) & MASK
    data = [20261121, 2, 3] + [0] * (WORDS - 3)
    constants = [0x5A5A5A5A] + [0] * (WORDS - 2) + [7]
    for one, constant in zip(data, constants):
        total = (total * 3 + one + 7 * constant) & MASK
    return total


def rows_of(module: Module) -> list[str]:
    """What user/probes/sums.c prints."""
    total = sum_of(module.args)
    count = len(module.args.split()) + 1
    rest, letter = total % 1000, ord("a") + total % 26
    return [
        f"{module.name} {(total + row) & MASK:08x}|{-rest:<6d}|{'ab':>5s}|"
        f"{chr(letter)}|{count}"
        for row in range(ROWS)
    ]


def started(evidence: Evidence) -> list[tuple[str, Module, int, int, int]]:
    """For each module: what it is, itself, pid or error, root, status."""
    made = support.note(evidence, "made")
    pids = support.array(evidence, "scenario_started", "i", len(made))
    word = "I" if evidence.arch == "i386" else "Q"
    roots = support.array(evidence, "scenario_roots", word, len(made))
    statuses = support.array(evidence, "scenario_statuses", "q", len(made))
    return [
        (what, module, pid, root, status)
        for (what, module), (pid,), (root,), (status,) in zip(
            made, pids, roots, statuses
        )
    ]


def exits(evidence: Evidence) -> dict[int, int]:
    """By tree: the status that ring 3 gave to exit, as the CPU recorded it."""
    found: dict[int, int] = {}
    first = "bx" if evidence.arch == "i386" else "di"
    for event in support.interrupts(evidence):
        if event.v == GATE and event.cpl == 3:
            held = registers(event.dump)
            if held.get("ax") == SYS_EXIT:
                found[event.regs.get("CR3", 0)] = held.get(first, 0)
    return found


def crashes(evidence: Evidence) -> dict[int, Interrupt]:
    """By tree: the fault that ended a process."""
    return {
        event.regs.get("CR3", 0): event
        for event in support.interrupts(evidence)
        if event.cpl == 3 and event.fault
    }


def expect_sums(case: Case, evidence: Evidence) -> None:
    given = exits(evidence)
    for what, module, pid, root, status in started(evidence):
        if what != "sum":
            continue
        want = sum_of(module.args) & 0x7FFFFFFF
        case.expect(
            pid > 0 and root in given,
            expected=f"{module.name} runs under a tree of its own, and calls exit.",
            seen=f"process_start returned {pid}"
            + (f"; under its tree {root:#x} nobody called exit." if pid > 0 else "."),
            cause="It never came to its end: the entry, its stack, or a page of it."
            if pid > 0
            else "A good program was refused.",
            hint="make run A=09-programs, and look at the first process.",
            read=HEADER,
        )
        case.expect(
            given[root] & MASK == want,
            expected=f"{module.name} {module.args} gives {want:#x} to exit: the sum of "
            "its words, constants and data.",
            seen=f"It gave {given[root] & MASK:#x}.",
            cause="A byte of its code or data is another one, its zeroed data was not "
            "zero, or argc and argv are not what they should be.",
            read=HEADER,
        )
        case.expect(
            status == want,
            expected=f"The process keeps {want:#x} as its status.",
            seen=f"It is {status:#x}.",
            cause="process_exit notes another value, or another process.",
            read=HEADER,
        )


@check("process-run", boots=(programs,))
def test_run(case: Case) -> None:
    """C programs with arguments run side by side, each in its space, and give the right
    sum to exit, which is their status."""
    evidence = case.run(programs)
    expect_sums(case, evidence)
    made = support.note(evidence, "made")
    case.fact("sums", sorted(sum_of(m.args) for what, m in made if what == "sum"))


@check("process-output", boots=(alone,), needs=("process-run",))
def test_output(case: Case) -> None:
    """What a program prints by printf arrives on the console, line by line."""
    evidence = case.run(alone)
    lines = [line.rstrip() for line in evidence.console.split("\n")]
    module = support.note(evidence, "module")
    want = rows_of(module)
    have = [line for line in lines if line.startswith("alone ")]
    case.expect(
        have == want,
        expected=f"{module.name} prints “{want[0]}” and {len(want) - 1} more.",
        seen=f"The console got {len(have)} lines of it"
        + (f", the first is “{have[0]}”." if have else "."),
        cause="Its constants, its arguments or its data differ from what the file and "
        "the command line say, or it did not come that far.",
        hint="make run A=09-programs",
        read=HEADER,
    )
    case.fact("rows", want)


@check("process-fault", boots=(programs,), needs=("process-run",))
def test_fault(case: Case) -> None:
    """#DE, #UD, #GP and #PF end the process that raised them and no other; its status
    says which it was."""
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
            seen=f"process_start returned {pid}; {support.show(event)}.",
            cause="It did not run, or ran into something else before.",
            read=HEADER,
        )
        case.expect(
            status == -256 - vector,
            expected=f"Its status is STATUS_FAULT({vector}), {-256 - vector}.",
            seen=f"It is {status}.",
            cause="The status of a fault is lost, or the thread ended without the exit "
            "hooks.",
            hint="user_exit(STATUS_FAULT(frame->vector)) if the frame is ring 3's.",
            read=HEADER,
        )
    case.fact("crashes", sorted(CRASHES.values()))


@check("process-refuse", boots=(programs, short), needs=("process-run",))
def test_refuse(case: Case) -> None:
    """What is no program is refused with its error and leaves nothing behind, nor does
    a program for which memory is short; the next one runs."""
    from grader.checks.elf_images import NAMES as CODES, faults, names

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
    ((nobody,),) = support.array(evidence, "scenario_started", "i", NOBODY + 1)[-1:]
    case.expect(
        nobody == E_NOENT,
        expected="process_start returns E_NOENT when there is no such module.",
        seen=f"It returned {nobody}.",
        read=HEADER,
    )
    expect_frames(case, evidence, "all processes have ended and half are forgotten")
    evidence = case.run(short)
    ((pid,),) = support.array(evidence, "scenario_started", "i", 1)
    case.expect(
        pid == E_NOMEM,
        expected=f"With {support.note(evidence, 'left')} frames left process_start "
        "returns E_NOMEM.",
        seen=f"It returned {pid}.",
        cause="An error on the way was not looked at.",
        read=HEADER,
    )
    expect_frames(case, evidence, "process_start has failed")
    case.fact("refused", True)


def expect_frames(case: Case, evidence: Evidence, when: str) -> None:
    """As many frames are free as before; kernel stacks and heap are no frames."""
    counts = support.array(evidence, "scenario_free_counts", "I", 2)
    word = "I" if case.arch == "i386" else "Q"
    rows = support.array(evidence, "scenario_free", 2 * word, 2 * RANGES)
    before, after = (
        {
            base // PAGE + n
            for base, size in rows[part * RANGES :][: counts[part][0]]
            for n in range(size)
        }
        for part in range(2)
    )
    lost = before - after
    case.expect(
        not lost,
        expected=f"When {when}, as many frames are free as before.",
        seen=f"{len(lost)} are not.",
        cause="What was made before the error stays: the space, its pages, its tables.",
        hint="Everything that belongs to a process goes with space_destroy.",
        read=HEADER,
    )


@check("process-list", boots=(programs,), needs=("process-run",))
def test_list(case: Case) -> None:
    """process_after goes through all processes by pid, process_find finds each, and
    after process_forget neither does."""
    evidence = case.run(programs)
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
            "no longer.",
            read=HEADER,
        )
    case.fact("listed", len(made))


@check("process-grub", boots=(grub,), needs=("process-run",))
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
