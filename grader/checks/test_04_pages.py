# SPDX-License-Identifier: MIT
"""04-ring3: the pages of ring 3, and that the kernel's stay closed."""

from __future__ import annotations

from grader.checks import exhibits, support
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

E_INVAL, E_NOMEM = -1, -2
IN_CALL = 1  # of scenario_map_no_frame: user_map has not returned
SOURCE = "user_map (user_map.c)"


@check("ring3-map", boots=(map_boot,))
def test_map(case: Case) -> None:
    """user_map makes exactly the asked page visible to ring 3, on every paging level,
    writable only on request, and refuses addresses that are not ring 3's."""
    expect_kernel(case)
    evidence = case.run(map_boot)
    asked = evidence.notes["asked"]
    results = support.array(evidence, "scenario_map_results", "i", len(asked))
    frames = support.array(evidence, "scenario_frames", arch_of(case).word, len(asked))
    space = support.space(evidence)
    mapped: list[tuple[Walk, int, int]] = []
    for (va, flags, why), (result,), (frame,) in zip(asked, results, frames):
        if why:
            continue
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
        exhibits.walk(case, walk, write=bool(flags & WRITE))
        expect_present(case, walk, frame)
        mapped.append((walk, frame, flags))
    for walk, frame, flags in mapped:
        exhibits.walk(case, walk, write=bool(flags & WRITE))
        expect_rights(case, walk, frame, flags)
    case.lay_open(None)
    taken = [
        f"{result} for {va:#x}: {why}"
        for (va, _, why), (result,) in zip(asked, results)
        if why and result != E_INVAL
    ]
    case.expect(
        not taken,
        expected="user_map returns E_INVAL for what it must refuse.",
        seen=f"It returned {'; '.join(taken)}.",
        cause="These addresses are not ring 3's to have, are none of a page, or are in "
        "use already.",
        hint="Check the address before you change any entry.",
        read=HEADER,
        source=SOURCE,
    )
    ((no_frame,),) = support.array(evidence, "scenario_map_no_frame", "i", 1)
    expect_no_frame(case, f"It returned {no_frame}.", no_frame == E_NOMEM)
    case.fact("mapped", [[va, flags] for va, flags, why in asked if not why])


def expect_no_frame(case: Case, seen: str, done: bool) -> None:
    """Without a frame for a table user_map says so."""
    case.expect(
        done,
        expected="user_map returns E_NOMEM if it needs a table and no frame is left.",
        seen=seen,
        cause="frame_alloc returned 0 because all frames were taken, and the 0 went "
        "into an entry as if it were the address of a table.",
        hint="Look at what frame_alloc returns before you use it.",
        read=HEADER,
        source=SOURCE,
    )


def expect_kernel(case: Case) -> None:
    """The kernel did not lose its own pages while it ran user_map."""
    evidence = case.run(map_boot, ends=support.ANY_END)
    if evidence.run.end not in (End.TRIPLE_FAULT, End.PANIC):
        return
    ((no_frame,),) = support.array(evidence, "scenario_map_no_frame", "i", 1)
    expect_no_frame(case, "The kernel crashed in the call.", no_frame != IN_CALL)
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
        hint="Set PTE_USER in the entry of every level: the last one, and those above, "
        "also where one is present already.",
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
    want = {va for va, _, why in evidence.notes["asked"] if not why}
    found = user_pages_of(evidence, evidence.registers.get("CR3", 0))
    extra = sorted(found - want)
    kernel = bool(extra) and extra[0] < support.of(case)["USER_BASE"]
    if extra:
        exhibits.open_page(case, support.space(evidence).walk(extra[0]))
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


def user_pages_of(evidence: Evidence, cr3: int) -> set[int]:
    """The pages that ring 3 sees under these tables; of a large area, its begin."""
    found: set[int] = set()
    for area in paging.user_ranges(evidence.ram, cr3, evidence.arch):
        last = min(area.end, area.start + (1 << 24))
        found.update(range(area.start, last, support.PAGE))
    return found


@check("ring3-kernel-page", boots=(run_boot,), needs=("ring3-enter",))
def test_kernel_page(case: Case) -> None:
    """Reading and writing a kernel page from ring 3 faults, with the user and present
    bits in the error code, and no other page of the kernel is open."""
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
    expect_closed(case, evidence)
    case.fact("kernel_page", sorted(KERNEL_PAGE.items()))


def expect_closed(case: Case, evidence: Evidence) -> None:
    """What ring 3 saw while it ran: nothing of the kernel but the frames of its own."""
    last = [e for e in support.interrupts(evidence) if e.cpl == 3][-1]
    seen = user_pages_of(evidence, last.regs.get("CR3", 0))
    frames = support.array(evidence, "scenario_frames", arch_of(case).word, 2)
    kernel = {va for va in seen if va < support.of(case)["USER_BASE"]}
    opened = sorted(kernel - {frame for (frame,) in frames})
    if opened:
        exhibits.open_page(case, evidence.scene.walk(last.regs, opened[0]))
    case.expect(
        not opened,
        expected="Every page of the kernel is closed to ring 3.",
        seen=f"{len(opened)} are open, the first at {opened[0]:#x}." if opened else "",
        cause="The page that the program tried is closed, but others are open: the "
        "user bit was set in entries of the kernel's.",
        hint="user_map must leave every entry of the kernel's pages as it is.",
        read=READ_PAGES,
        source=SOURCE,
    )


def seen_at(evidence: Evidence, pc: int, address: int) -> str:
    """What came of an access to an address of the kernel."""
    found = [e for e in support.interrupts(evidence) if e.pc == pc and e.fault]
    said = f"The CPU recorded {support.show(found[0])}." if found else "No fault came."
    walk = support.space(evidence).walk(address)
    levels = "; ".join(paging.explain(walk)) if walk else "no paging"
    return f"{said} The page tables say: {levels}."
