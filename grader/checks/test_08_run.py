# SPDX-License-Identifier: MIT
"""08-address-spaces: processes at work, each under its own tree."""

from __future__ import annotations

import random

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.maps import draw_spaces, lay_open
from grader.checks.record import Evidence
from grader.checks.spaces import (
    EXEC,
    HEADER,
    PAGE,
    READ_PAGES,
    WRITE,
    Page,
    Process,
    Script,
    expect_kernel,
    free_pages,
    interruptions,
    kernel_root,
    words,
)
from grader.checks.threads import registers
from grader.evidence.events import Interrupt
from grader.evidence.instruction import PF
from grader.machine import Boot, Via

TICKS = 400
UD = 6
COUNTER = "scenario_kernel_turns"


def processes_boot(plan: Plan, count: int, via: Via = Via.DIRECT) -> Boot:
    """Processes with the same code and data addresses, and other words there."""
    script, rng = Script(plan), plan.rng()
    code, data = support.user_pages(rng, plan, 2)
    at = rng.randrange(64) * 8
    pad = rng.randrange(1, 3000)
    probe = plan.probe("space", PAD=pad, DATA=data + at)
    size = support.word_bytes(plan.arch)
    made = []
    for number in range(count):
        value = rng.getrandbits(8 * size - 1)
        stored = bytes(at) + value.to_bytes(size, "little")
        script.add(Page(code, number, EXEC, probe.data), Page(data, number, 0, stored))
        script.starts.append(code + probe.labels["entry"])
        low, high = (code + probe.labels[name] for name in ("turn", "end"))
        made.append(Process(number, script.starts[-1], low, high, value))
    plan.note("processes", made)
    draw_spaces(plan, (f"process {one.number}" for one in made), data + at)
    return script.boot(
        "spaces-run",
        *support.hexadecimal(spaces=count, ticks=TICKS if via is Via.DIRECT else 60),
        "kernel=1",
        icount_shift=7,
        via=via,
    )


@boot("processes")
def processes(plan: Plan) -> Boot:
    return processes_boot(plan, 3)


@boot("grub", disc=True)
def grub(plan: Plan) -> Boot:
    return processes_boot(plan, 2, Via.GRUB)


# What each process of the boot "walls" tries: how (read, write, jump), and the bits of
# the error code on both architectures. Where NX is known, a jump is a fetch.
TRIES = (
    ("reads the kernel's memory", "kernel", 0, 0x5, 0x5),
    ("writes the kernel's memory", "kernel", 1, 0x7, 0x7),
    ("jumps into the kernel", "kernel", 2, 0x5, 0x15),
    ("writes to its own code", "code", 1, 0x7, 0x7),
    ("jumps to its data", "data", 2, None, 0x15),
    ("reads through a null pointer", "null", 0, 0x4, 0x4),
    ("reads a page that another process has", "other", 0, 0x4, 0x4),
    ("writes below its stack", "below", 1, 0x6, 0x6),
)


def kernels_address(plan: Plan, rng: random.Random) -> int:
    """An address of the kernel's image, heap, or RAM; none of a page that is absent."""
    values = support.of(plan)
    text, end, guard = (
        plan.symbols.find(name) or values["KERNEL_BASE"]
        for name in ("image_text_start", "image_end", "boot_stack_guard")
    )
    low, high = rng.choice(
        (
            (text, guard),
            (guard + PAGE, end),
            (values["HEAP_BASE"], values["KSTACK_BASE"]),
            (values["FRAME_POOL_BASE"], values["IDENTITY_END"]),
        )
    )
    return rng.randrange(low, high - 8, 4)


@boot("walls")
def walls(plan: Plan) -> Boot:
    """One process for each wall, and what it runs into."""
    script, rng, values = Script(plan), plan.rng(), support.of(plan)
    code, data, other = support.user_pages(rng, plan, 3)
    targets = {
        "code": code + 8,
        "data": data + rng.randrange(256) * 8,
        "null": rng.randrange(64) * 4,
        "other": other + 16,
        "below": values["USER_STACK_TOP"] - (values["USER_STACK_PAGES"] * PAGE) - 16,
    }
    tries = []
    for what, target, how, error32, error64 in rng.sample(TRIES, len(TRIES)):
        number = len(script.starts)
        targets["kernel"] = kernels_address(plan, rng)
        probe = plan.probe(
            "access", PAD=rng.randrange(64, 3000), AT=targets[target], HOW=how
        )
        spin = bytes.fromhex("ebfe") * 2048  # data that would run: jumps to itself
        script.add(
            Page(code, number, EXEC, probe.data),
            Page(data, number, WRITE, bytes.fromhex("0f0b") * 2048),
        )
        if target != "other":
            script.add(Page(other, number, WRITE, spin))
        script.starts.append(code + probe.labels["entry"])
        pc = targets[target] if how == 2 else code + probe.labels["access"]
        error = error32 if plan.arch == "i386" else error64
        tries.append((what, pc, targets[target], error, code + probe.labels["past"]))
    plan.note("tries", tries)
    return script.boot("spaces-run", *support.hexadecimal(spaces=len(TRIES)))


def judged(evidence: Evidence) -> list[Process]:
    """The processes with the timer's interruptions, told apart by what they hold."""
    made: list[Process] = support.note(evidence, "processes")
    for process in made:
        process.ticks.clear()
    for tick in interruptions(evidence):
        if tick.cpl == 3 and made[0].low <= tick.pc < made[0].high:
            held = registers(tick.dump).get("ax", 0)
            owner = next((p for p in made if p.data == held), None)
            if owner:
                owner.ticks.append(tick)
    return made


def expect_roots(case: Case, evidence: Evidence, least: int) -> None:
    """Every process runs under its tree and reads its word; so does the kernel."""
    lay_open(case, evidence)
    made = judged(evidence)
    roots = words(case, evidence, "scenario_roots", len(made))
    ring3 = [t for t in interruptions(evidence) if t.cpl == 3]
    for process, root in zip(made, roots):
        under = {tick.regs.get("CR3", 0) for tick in process.ticks}
        case.expect(
            len(process.ticks) >= least and under == {root},
            expected=f"Process {process.number} reads its own word "
            f"{process.data:#x} under its tree {root:#x}, at least {least} times.",
            seen=f"The timer found it {len(process.ticks)} times"
            + (
                f", under CR3 {', '.join(map(hex, sorted(under)))}."
                if under
                else "; ring" f" 3 as a whole {len(ring3)} times."
            ),
            cause="CR3 did not follow the thread: every process reads what stands in "
            "the tree that happened to be in use.",
            hint="space_switch looks at next: its process, and the root there.",
            read=HEADER,
        )
    symbol = evidence.symbols.get(COUNTER)
    if symbol is None:
        raise LookupError(f"the image has no symbol {COUNTER}")
    inside = range(symbol.address, symbol.address + symbol.size)
    found = [t.regs.get("CR3", 0) for t in interruptions(evidence) if t.pc in inside]
    own = kernel_root(evidence)
    case.expect(
        len(found) >= least and set(found) == {own},
        expected=f"A thread of the kernel runs under the kernel's tree {own:#x}.",
        seen=f"It was found {len(found)} times, under CR3 "
        f"{', '.join(map(hex, sorted(set(found)))) or 'none'}.",
        cause="The tree of the process that ran before stays in use: when that process "
        "ends, its tables are freed under the kernel's feet.",
        hint="process is NULL: paging_kernel_root().",
        read=HEADER,
    )


@check("space-switch", boots=(processes,), needs=("space-stack",))
def test_switch(case: Case) -> None:
    """Three processes read one address and find each its own word, whenever the timer
    looks; a kernel thread runs under the kernel's tree."""
    evidence = case.run(processes)
    expect_roots(case, evidence, TICKS // 10)
    made = support.note(evidence, "processes")
    for number, root in enumerate(words(case, evidence, "scenario_roots", len(made))):
        expect_kernel(case, evidence, root, f"the space of process {number}")
    case.fact("processes", len(support.note(evidence, "processes")))


@check("space-walls", boots=(walls,), needs=("space-switch",))
def test_walls(case: Case) -> None:
    """Ring 3 reads, writes and jumps into the kernel, to its own code and data, to page
    0 and to what another process has: each is a page fault with the right code."""
    evidence = case.run(walls)
    for what, pc, address, error, past in support.note(evidence, "tries"):
        event = next(
            (
                e
                for e in support.interrupts(evidence)
                if e.cpl == 3
                and e.fault
                and (e.pc == pc or e.pc == past)
                and (e.v != PF or e.cr2 == address)
            ),
            None,
        )
        expect_wall(case, what, pc, address, error, event)
    case.fact("walls", sorted(what for what, *_ in support.note(evidence, "tries")))


def expect_wall(
    case: Case,
    what: str,
    pc: int,
    address: int,
    error: int | None,
    event: Interrupt | None,
) -> None:
    if error is None:  # no NX: the jump is allowed, and what stands there is a ud2
        case.expect(
            event is not None and event.v == UD,
            expected=f"A process that {what} executes it: this CPU's tables cannot "
            "forbid that.",
            seen=f"{support.show(event)}.",
            cause="The page is not there.",
            read=HEADER,
        )
        return
    case.expect(
        event is not None and (event.v, event.e) == (PF, error),
        expected=f"A process that {what} gets #PF with error code {error:#x} at "
        f"{pc:#x}, CR2 {address:#x}.",
        seen=f"{support.show(event)}.",
        cause="The wall is not there: a right too many at that address."
        if event is None or event.v == UD
        else "It is another wall than the one expected: compare the bits of the code "
        "(0 present, 1 write, 2 user, 4 fetch).",
        hint="The kernel's entries have no user bit; code no write; data no execution.",
        read=READ_PAGES,
    )


@check("space-end", boots=(walls,), needs=("space-walls",))
def test_end(case: Case) -> None:
    """A fault ends one process alone, and with it everything that was its own: in the
    end as many frames are free as before."""
    evidence = case.run(walls)
    before, after = free_pages(case, evidence, 0), free_pages(case, evidence, 2)
    lost = before - after
    case.expect(
        not lost,
        expected="All frames of the processes are free when the last one has ended.",
        seen=f"{len(lost)} are not.",
        cause="Something is not given back: pages, tables, or the stack.",
        hint="The end of a process calls space_destroy; which frames does it leave?",
        read=HEADER,
    )
    case.fact("ends", len(before))


@check("space-grub", boots=(grub,), needs=("space-switch",))
def test_grub(case: Case) -> None:
    """The same processes when GRUB has booted the kernel."""
    with support.only_by_grub():
        expect_roots(case, case.run(grub), 3)
