# SPDX-License-Identifier: MIT
"""Programs of 09: boots that run them, and what the CPU recorded of them."""

from __future__ import annotations

import random

from grader.checks import support
from grader.checks.api import Case, Plan
from grader.checks.arch import arch_of
from grader.checks.elf_images import NAMES as CODES
from grader.checks.elf_images import Bounds, damaged
from grader.checks.record import Evidence
from grader.checks.spaces import PAGE
from grader.checks.threads import registers
from grader.evidence.events import Interrupt
from grader.evidence.faults import describe
from grader.evidence.instruction import PF
from grader.machine import Boot, Limits, Module, Via

HEADER = "kernel/include/course/09-programs.h"
READ_ELF = 'System V ABI, "Program Header" (gABI, chapter 5)'
PROGRAM = "probes/sums.c"
GATE, SYS_EXIT = 0x80, 4
IMAGES = 32
AGAIN, REFUSED, NOBODY = range(IMAGES - 3, IMAGES)  # as in the scenario
CRASHES = {"d": 0, "u": 6, "g": 13, "p": 14}
NAMES = {0: "#DE", 6: "#UD", 13: "#GP", 14: "#PF"}
LONG = Limits(cpu_s=5.0, log_bytes=16 << 20)
MASK = 0xFFFFFFFF
WORDS, ROWS = 1500, 3  # as in user/probes/sums.c
GONE = -(1 << 40)  # as in the scenario


def bounds(place: Plan | Case) -> Bounds:
    values = support.of(place)
    return Bounds(values["USER_PROGRAM_BASE"], values["USER_STACKS_BASE"])


def image_at(plan: Plan) -> bytes:
    """The program at an address of this run."""
    where, rng = bounds(plan), plan.rng("base")
    base = rng.randrange(where.low // PAGE, (where.high >> 1) // PAGE) * PAGE
    return plan.program(PROGRAM, base=base, elf=True)


def random_words(rng: random.Random, count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-+=.,"
    return ["".join(rng.choices(letters, k=rng.randrange(1, 24))) for _ in range(count)]


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
    word = arch_of(evidence).word
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


def unended(case: Case, fault: Interrupt | None) -> str:
    """Why a program that should call exit did not."""
    values = support.of(case)
    top, pages = values["USER_STACK_TOP"], values["USER_STACK_PAGES"]
    if fault and fault.v == PF and top - pages * PAGE <= fault.cr2 < top:
        return (
            "Its stack is not in its tree: was CR3 the process's when "
            "thread_create_user was called?"
        )
    return "It never came to its end: the entry, its stack, or a page of it."


def expect_sums(case: Case, evidence: Evidence) -> None:
    given, faulted = exits(evidence), crashes(evidence)
    for what, module, pid, root, status in started(evidence):
        if what != "sum":
            continue
        want = sum_of(module.args) & 0x7FFFFFFF
        fault = faulted.get(root)
        case.expect(
            pid > 0 and root in given,
            expected=f"{module.name} runs under a tree of its own, and calls exit.",
            seen=f"process_start returned {CODES.get(pid, pid)}"
            + (f"; under its tree {root:#x} nobody called exit." if pid > 0 else ".")
            + (f" A fault ended it: {describe(fault)}." if fault else ""),
            cause=unended(case, fault)
            if pid > 0
            else "Pids begin with 1."
            if pid == 0
            else "A good program was refused.",
            hint="write_cr3(process->space.root_pa) before thread_create_user, and "
            "the CR3 from before behind it. make run A=09-programs shows the first "
            "process.",
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
