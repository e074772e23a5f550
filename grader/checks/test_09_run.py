# SPDX-License-Identifier: MIT
"""09-programs: processes that run, print, end and crash."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.elf_images import DAMAGES, Image, damaged, faults, names
from grader.checks.elf_images import NAMES as CODES
from grader.checks.record import Evidence
from grader.checks.spaces import PAGE, RANGES
from grader.checks.test_09_elf import HEADER, PROGRAM, bounds, random_words
from grader.checks.threads import registers
from grader.evidence.events import Interrupt
from grader.machine import Boot, End, Limits, Module, Via

GATE, SYS_EXIT = 0x80, 4
E_NOMEM, E_NOENT, E_AGAIN = -2, -3, -6
IMAGES = 32
AGAIN, REFUSED, NOBODY = range(IMAGES - 3, IMAGES)  # as in the scenario
SHORT_MOST = 48
CRASHES = {"d": 0, "u": 6, "g": 13, "p": 14}
NAMES = {0: "#DE", 6: "#UD", 13: "#GP", 14: "#PF"}
LONG = Limits(cpu_s=5.0, log_bytes=16 << 20)
MASK = 0xFFFFFFFF
WORDS, ROWS = 1500, 3  # as in user/probes/sums.c
GONE = -(1 << 40)  # as in the scenario
RUNS = 2  # of a program whose module is the good one


# Of these, none of which a test of addresses or sums finds.
NO_PROGRAMS = (
    "it is for another processor",
    "it is a library",
    "it is of another class",
    "no segment is to be loaded",
)


def programs_boot(
    plan: Plan, count: int, others: bool, via: Via = Via.DIRECT, **words: int
) -> Boot:
    """Programs that reckon; others: also ones that crash, and files that are none."""
    rng = plan.rng()
    good = plan.program(PROGRAM, elf=True)
    crash = plan.program("probes/crash.c", elf=True)
    made: list[tuple[str, Module]] = []
    for n in range(count):
        text = " ".join(random_words(rng, n))
        made.append(("sum", Module(f"sum{n}", good, text)))
    for n, (letter, vector) in enumerate(CRASHES.items() if others else ()):
        made.append((f"crash {vector}", Module(f"crash{n}", crash, letter)))
    for n, how in enumerate(NO_PROGRAMS if others else ()):
        bad = damaged(rng, plan.arch, good, how, bounds(plan))
        made.append((how, Module(f"bad{n}", bad)))
    rng.shuffle(made)
    plan.note("made", made)
    sums_at = [n for n, (what, _) in enumerate(made) if what == "sum"]
    return plan.boot(
        "programs-run",
        *support.hexadecimal(good=rng.choice(sums_at), **words),
        modules=tuple(module for _, module in made),
        icount_shift=5,
        limits=LONG,
        via=via,
    )


@boot("programs")
def programs(plan: Plan) -> Boot:
    return programs_boot(plan, 3, True)


@boot("sums")
def sums(plan: Plan) -> Boot:
    return programs_boot(plan, 6, False)


@boot("kernel-fault")
def kernel_fault(plan: Plan) -> Boot:
    """When the first process ends, the kernel itself runs into #UD."""
    return programs_boot(plan, 1, False, breaks=1)


@boot("alone")
def alone(plan: Plan) -> Boot:
    """One program, whose lines nobody interrupts."""
    text = " ".join(random_words(plan.rng(), 3))
    module = plan.note("module", Module("alone", plan.program(PROGRAM, elf=True), text))
    return plan.boot("programs-run", modules=(module,), icount_shift=5)


@boot("grub")
def grub(plan: Plan) -> Boot:
    return programs_boot(plan, 2, True, Via.GRUB)


@boot("short")
def short(plan: Plan) -> Boot:
    """So few frames that loading ends somewhere, with one more each time."""
    image = plan.note("image", plan.program(PROGRAM, elf=True))
    return plan.boot("programs-short", modules=(Module("program", image),))


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
    """By tree: the status that ring 3 gave to exit, as the CPU recorded it; the first
    one, since a tree may lie where another one was."""
    found: dict[int, int] = {}
    first = "bx" if evidence.arch == "i386" else "di"
    for event in support.interrupts(evidence):
        if event.v == GATE and event.cpl == 3:
            held = registers(event.dump)
            if held.get("ax") == SYS_EXIT:
                found.setdefault(event.regs.get("CR3", 0), held.get(first, 0))
    return found


def crashes(evidence: Evidence) -> dict[int, Interrupt]:
    """By tree: the fault that ended a process."""
    found: dict[int, Interrupt] = {}
    for event in support.interrupts(evidence):
        if event.cpl == 3 and event.fault:
            found.setdefault(event.regs.get("CR3", 0), event)
    return found


def said(status: int) -> str:
    """What process_find says of it."""
    if status == GONE:
        return "process_find does not find the process."
    return f"It is {status}, {status & MASK:#x}."


def expect_sums(case: Case, evidence: Evidence) -> None:
    given = exits(evidence)
    for what, module, pid, root, status in started(evidence):
        if what != "sum":
            continue
        want = sum_of(module.args) & 0x7FFFFFFF
        case.expect(
            pid > 0 and root in given,
            expected=f"{module.name} runs under a tree of its own, and calls exit.",
            seen=f"process_start returned {CODES.get(pid, pid)}"
            + (f"; under its tree {root:#x} nobody called exit." if pid > 0 else "."),
            cause="It never came to its end: the entry, its stack, or a page of it."
            if pid > 0
            else "Pids begin with 1."
            if pid == 0
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
            seen=said(status),
            cause="process_forget took it away, although nobody had asked yet, or it "
            "still ran."
            if status == GONE
            else "process_exit notes another value, or another process.",
            read=HEADER,
        )


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
        hint="Keep cpu_flags() before cpu_cli(), and look at EFLAGS_IF of it.",
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
    word = "I" if case.arch == "i386" else "Q"
    ((before, after),) = support.array(evidence, "scenario_cr3", 2 * word, 1)
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
    for left, (result, frames, now, room, then, begun, over) in enumerate(rows):
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
            frames == now and room == then,
            expected=f"When process_start has failed with {left} frames left, frames "
            "and kernel heap are as before.",
            seen=f"{frames - now} frames and {room - then} bytes of the heap are not "
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
        cause="What was made before an error stays, or what a process had at its end: "
        "the space, its pages, its tables.",
        hint="Everything that belongs to a process goes with space_destroy; when a "
        "thread ends, stage 08 calls that itself.",
        read=HEADER,
    )


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
    ((before, after),) = support.array(evidence, "scenario_rooms", "II", 1)
    case.expect(
        before == after,
        expected="When all processes are forgotten, the kernel's heap has as much room "
        "as before.",
        seen=f"{before - after} bytes are missing.",
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
