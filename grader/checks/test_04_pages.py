# SPDX-License-Identifier: MIT
"""04-ring3: the pages of ring 3, and that the kernel's stay closed."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.ring3 import (
    HEADER,
    KERNEL_PAGE,
    READ_PAGES,
    WRITE,
    finished,
    label,
    map_boot,
    run_boot,
)
from grader.evidence import paging
from grader.evidence.paging import Walk
from grader.machine import End

E_INVAL = -1
SOURCE = "user_map (user_map.c)"


@check("ring3-map", boots=(map_boot,))
def test_map(case: Case) -> None:
    """user_map makes exactly the asked page visible to ring 3, on every paging level,
    writable only on request, and refuses addresses that are not ring 3's."""
    expect_kernel(case)
    evidence = case.run(map_boot)
    good, bad = evidence.notes["good"], evidence.notes["bad"]
    count = len(good) + len(bad)
    results = [
        r[0] for r in support.array(evidence, "scenario_map_results", "i", count)
    ]
    layout = arch_of(case).word
    frames = [f[0] for f in support.array(evidence, "scenario_frames", layout, count)]
    space = support.space(evidence)
    walks: list[Walk] = []
    for (va, _, _), result, frame in zip(good, results, frames):
        walk = space.walk(va)
        assert walk is not None  # paging is on: the scenario came to its end
        case.expect(
            result == 0,
            expected=f"user_map({va:#x}, …) returns E_OK.",
            seen=f"It returned {result}.",
            cause="The address is a free page of ring 3, yet it was refused.",
            read=HEADER,
            source=SOURCE,
        )
        expect_present(case, walk, frame)
        walks.append(walk)
    for walk, (_, flags, _), frame in zip(walks, good, frames):
        expect_rights(case, walk, frame, flags)
    for (va, why), result in zip(bad.items(), results[len(good) :]):
        case.expect(
            result == E_INVAL,
            expected=f"user_map({va:#x}, …) returns E_INVAL.",
            seen=f"It returned {result}.",
            cause=f"This address must be refused: {why}.",
            hint="Check the address before you change any entry.",
            read=HEADER,
            source=SOURCE,
        )
    case.fact("mapped", [[va, flags] for va, flags, _ in good])


def expect_kernel(case: Case) -> None:
    """The kernel did not lose its own pages while it ran user_map."""
    evidence = case.run(map_boot, ends=support.ANY_END)
    if evidence.run.end not in (End.TRIPLE_FAULT, End.PANIC):
        return
    lost = next((e for e in support.interrupts(evidence) if e.fault), None)
    if lost is None or (lost.v, lost.e & 1, lost.cpl) != (14, 0, 0):
        return
    walk = evidence.scene.walk(lost.regs, lost.cr2)
    values = support.of(case)
    if walk is None or not values["KERNEL_BASE"] <= lost.cr2 < values["IDENTITY_END"]:
        return
    case.fail(
        expected="The kernel's own pages stay as they are while user_map runs.",
        seen=f"{support.show(lost)}, CR2 {lost.cr2:#x}. The page tables say: "
        f"{'; '.join(paging.explain(walk))}.",
        cause="The kernel cannot reach its own memory any more: an entry that led to "
        "it is absent. A new table was put in the place of one that was in use.",
        hint="Get a table from frame_alloc only where the entry is not present yet: "
        "the topmost entries serve kernel and user.",
        read=READ_PAGES,
        source=SOURCE,
    )


def expect_present(case: Case, walk: Walk, frame: int) -> None:
    """No entry on the way to the page is absent."""
    levels = "; ".join(paging.explain(walk))
    where = f"the page {walk.va:#x}"
    case.expect(
        walk.present,
        expected=f"After user_map {where} leads to the frame {frame:#x}.",
        seen=f"The page tables say: {levels}.",
        cause="An entry on the way is absent: it was never written, or a later call "
        "put a new table in the place of one that was in use.",
        hint="Get a table from frame_alloc only where the entry is not present yet.",
        read=READ_PAGES,
        source=SOURCE,
    )


def expect_rights(case: Case, walk: Walk, frame: int, flags: int) -> None:
    """The page tables lead to the frame, with the rights asked for."""
    levels = "; ".join(paging.explain(walk))
    where = f"the page {walk.va:#x}"
    case.expect(
        walk.pa == frame,
        expected=f"After user_map {where} leads to the frame {frame:#x}.",
        seen=f"It leads to {walk.pa or 0:#x}. The page tables say: {levels}.",
        cause="The entry of level 1 names another frame than the one passed. If that "
        "came with a second call for the same page: it has to be refused.",
        hint="The entry of level 1 holds frame_pa, those above the tables.",
        read=READ_PAGES,
        source=SOURCE,
    )
    missing = [entry.name for entry in walk.entries if not entry.user]
    case.expect(
        not missing,
        expected=f"The user bit is set for {where} on every level.",
        seen=f"It is missing in {', '.join(missing)}. The page tables say: {levels}.",
        cause="The CPU grants ring 3 access only if every level has the user bit.",
        hint="Set PTE_USER in each directory entry on the way, also in present ones.",
        read=READ_PAGES,
        source=SOURCE,
    )
    asked = bool(flags & WRITE)
    case.expect(
        walk.writable == asked,
        expected=f"{where} is {'writable' if asked else 'read-only'}, as asked.",
        seen=f"The page tables say: {levels}.",
        cause="The write bit of the page does not follow USER_MAP_WRITE."
        if walk.writable
        else "A page is writable only if every level has the write bit.",
        hint="Directory entries are writable; level 1 decides for the page.",
        read=READ_PAGES,
        source=SOURCE,
    )


@check("ring3-isolation", boots=(map_boot,), needs=("ring3-map",))
def test_isolation(case: Case) -> None:
    """No page but those that user_map was asked for is accessible to ring 3."""
    evidence = case.run(map_boot)
    want = {va for va, _, _ in evidence.notes["good"]}
    space = support.space(evidence)
    found: set[int] = set()
    for area in paging.user_ranges(space.ram, space.cr3 or 0, case.arch):
        last = min(area.end, area.start + (1 << 24))
        found.update(range(area.start, last, support.PAGE))
    extra = sorted(found - want)
    kernel = bool(extra) and extra[0] < support.of(case)["USER_BASE"]
    case.expect(
        not extra,
        expected=f"Ring 3 sees {len(want)} pages, those that were mapped for it.",
        seen=f"It sees {len(extra)} more, the first at {extra[0]:#x}, "
        + ("among the kernel's own." if kernel else "which nobody asked for.")
        if extra
        else "",
        cause="The user bit was set where the kernel's own pages are: ring 3 could "
        "read and change the kernel."
        if kernel
        else "More was mapped than the one page that was asked for.",
        hint="Set PTE_USER at level 1 only in the entry of the page asked for.",
        read=READ_PAGES,
        source=SOURCE,
    )
    case.fact("user_pages", sorted(found))


@check("ring3-kernel-page", boots=(run_boot,), needs=("ring3-enter",))
def test_kernel_page(case: Case) -> None:
    """Reading and writing a kernel page from ring 3 faults, with the user and present
    bits in the error code."""
    evidence = finished(case, run_boot)
    kernel = evidence.notes["kernel"]
    for start, error in KERNEL_PAGE.items():
        pc = label(evidence, start.removeprefix("try_") + "_at")
        event = support.user_fault(evidence.events, pc, 14, error)
        case.expect(
            event is not None and event.cr2 == kernel,
            expected=f"#PF with error code {error:#x} and CR2 {kernel:#x} at {pc:#x}, "
            "at CPL 3.",
            seen=seen_at(evidence, pc, kernel),
            cause="The kernel's page is open to ring 3, or not mapped any more: the "
            "page tables of the kernel were changed.",
            hint="user_map must leave every entry of the kernel's pages as it is.",
            read=READ_PAGES,
            source=SOURCE,
        )
    case.fact("kernel_page", sorted(KERNEL_PAGE.items()))


def seen_at(evidence: Evidence, pc: int, address: int) -> str:
    """What came of an access to an address of the kernel."""
    found = [e for e in support.interrupts(evidence) if e.pc == pc and e.fault]
    said = f"The CPU recorded {support.show(found[0])}." if found else "No fault came."
    walk = support.space(evidence).walk(address)
    levels = "; ".join(paging.explain(walk)) if walk else "no paging"
    return f"{said} The page tables say: {levels}."
