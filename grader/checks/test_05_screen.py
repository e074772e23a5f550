# SPDX-License-Identifier: MIT
"""05-threads to look at: the demo's rows of K and U, read from VGA memory."""

from __future__ import annotations

from pathlib import Path

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.checks.threads import ticks
from grader.evidence import paging
from grader.evidence.screen import Screen
from grader.machine import Boot, End, Limits

SHEET = "assignments/05-threads/README.md, “What you should see”"
KERNEL_ROW = "demo_kernel_row"
# The demo's layout: kind, number, rows below the first.
ROWS = (
    ("kernel", 1, 0),
    ("user", 1, 1),
    ("kernel", 1, 3),
    ("kernel", 2, 4),
    ("user", 1, 5),
    ("user", 2, 6),
    ("user", 3, 7),
)
TOP_ROW, FIRST_CELL = 12, 17
VGA_PAGE = 0xB8000
HANGS = (End.DONE, End.CPU_LIMIT, End.LOG_LIMIT)


@boot("screen")
def screen(plan: Plan) -> Boot:
    """The demo, with rows of a length that only this run has."""
    cells = plan.note("cells", plan.rng().randrange(30, 50))
    return plan.boot(
        "demo",
        *support.hexadecimal(cells=cells, pace=3),
        screen=True,
        icount_shift=7,
        limits=Limits(cpu_s=2.0, log_bytes=4 << 20),
    )


def lines(evidence: Evidence) -> list[str]:
    """The demo's rows as the screen shows them."""
    dump: Path | None = evidence.run.screen
    shown = Screen(dump.read_bytes() if dump else b"")
    return [shown.line(TOP_ROW + below) for _, _, below in ROWS]


@check(
    "thread-screen",
    boots=(screen,),
    needs=("thread-exit", "thread-registers", "thread-drift"),
)
def test_screen(case: Case) -> None:
    """Rows of K and U fill the screen while both kinds of thread run, each in its ring
    and seeing no page of the kernel but the screen."""
    evidence = case.run(screen, ends=HANGS)
    cells = support.note(evidence, "cells")
    for (kind, number, _), have in zip(ROWS, lines(evidence)):
        letter, ring = ("K", 0) if kind == "kernel" else ("U", 3)
        want = (
            f"{kind} thread {number}".ljust(FIRST_CELL)
            + f"{letter * cells} ring {ring}"
        )
        case.expect(
            have == want,
            expected=f"The row of {kind} thread {number}: {cells} {letter} and ring "
            f"{ring}.",
            seen=f"The screen shows “{have}”: {have.count(letter)} {letter}.",
            cause="The row stops where its thread stopped: it had no more turns, or "
            "what it keeps in its registers was lost.",
            hint="Watch it: make run A=05-threads",
            read=SHEET,
        )
    case.run(screen)
    expect_rings(case, evidence, cells)
    expect_isolation(case, evidence)
    case.fact("rows", [cells, len(ROWS)])


def expect_rings(case: Case, evidence: Evidence, cells: int) -> None:
    """The letters were written by code that the timer found in the right ring."""
    code = evidence.symbols.get(KERNEL_ROW)
    if code is None:
        raise LookupError(f"the image has no symbol {KERNEL_ROW}")
    base = support.of(case)["USER_BASE"]
    pages = {base + below * support.PAGE for kind, _, below in ROWS if kind == "user"}
    found: dict[tuple[int, int], int] = {}
    for tick in ticks(evidence):
        page = tick.pc // support.PAGE * support.PAGE
        if page in pages:
            found[page, tick.cpl] = found.get((page, tick.cpl), 0) + 1
        elif code.address <= tick.pc < code.address + code.size:
            found[0, tick.cpl] = found.get((0, tick.cpl), 0) + 1
    for page in (0, *sorted(pages)):
        who, ring = (f"at {page:#x}", 3) if page else (f"in {KERNEL_ROW}", 0)
        other = sorted(cpl for place, cpl in found if place == page and cpl != ring)
        count = found.get((page, ring), 0)
        case.expect(
            count >= cells // 3 and not other,
            expected=f"While the rows fill, the timer finds the code {who} at CPL "
            f"{ring}, at least {cells // 3} times.",
            seen=f"It did so {count} times"
            + (f", and found it at CPL {other[0]}." if other else "."),
            cause="The letters on the screen were not written by threads that take "
            "turns.",
            hint="Kernel threads run in ring 0, user threads in ring 3, each until the "
            "timer takes the turn away.",
            read=SHEET,
        )


def expect_isolation(case: Case, evidence: Evidence) -> None:
    """Ring 3 sees frames of its own, and of the kernel's memory the screen only."""
    area = support.space(evidence)
    values = support.of(case)
    own = range(values["FRAME_POOL_BASE"], values["IDENTITY_END"])
    for part in paging.user_ranges(area.ram, area.cr3 or 0, case.arch):
        # Far more than the demo maps: what is beyond is wrong at its first pages too.
        for va in range(part.start, min(part.end, part.start + 2**20), support.PAGE):
            pa = paging.translate(area.ram, area.cr3 or 0, va, case.arch).pa
            case.expect(
                pa == VGA_PAGE or pa in own,
                expected="Of the kernel's memory ring 3 sees the page of the screen "
                "only.",
                seen=f"It sees {pa or 0:#x}, at {va:#x}.",
                cause="The user bit was set on a page of the kernel.",
                hint="Threads need no user bit on kernel stacks, code or data: the CPU "
                "changes the stack and the ring together.",
                read='SDM 3A "Access Rights" (4.6)',
            )
