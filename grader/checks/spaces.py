# SPDX-License-Identifier: MIT
"""Boots of 08: pages for several spaces, processes with a probe each, and walks."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from grader.checks import exhibits, support
from grader.checks.api import Case, Plan
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence import paging
from grader.evidence.events import Interrupt
from grader.evidence.paging import Walk
from grader.machine import Boot, Limits, Module

HEADER = "kernel/include/course/08-address-spaces.h"
READ_PAGES = 'SDM 3A "Access Rights" (4.6)'
WRITE, EXEC, UNMAP = 1, 2, 0x100  # as in the scenario
PAGE = support.PAGE
RANGES, SPACES, PAGES = 128, 8, 128
TIMER = 0x20
LEVELS = {"i386": 2, "x86_64": 4}
LONG = Limits(cpu_s=4.0, log_bytes=16 << 20)


@dataclass(frozen=True)
class Page:
    """One call of space_map, or with UNMAP of space_unmap. why: it must be refused."""

    va: int
    space: int
    rights: int
    data: bytes = b""
    why: str = ""


@dataclass
class Script:
    """A boot in the making."""

    plan: Plan
    pages: list[Page] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def add(self, *pages: Page) -> None:
        self.pages += pages

    def boot(self, scenario: str, *words: str, **fields: object) -> Boot:
        """The boot with all this as modules, and noted for the checks."""
        self.plan.note("pages", list(self.pages))
        rows, blob = b"", b""
        for page in self.pages:
            rows += struct.pack(
                "<QIIII", page.va, page.space, page.rights, len(blob), len(page.data)
            )
            blob += page.data
        modules = [Module("pages", rows), Module("blob", blob or b"\0")]
        if self.starts:
            packed = b"".join(struct.pack("<Q", entry) for entry in self.starts)
            modules.append(Module("starts", packed))
        return self.plan.boot(
            scenario, *words, modules=tuple(modules), limits=LONG, **fields
        )


def user_pages(rng: random.Random, plan: Plan, count: int) -> list[int]:
    """Pages anywhere in ring 3's addresses, some of them side by side."""
    apart = support.user_pages(rng, plan, -(-count // 2), apart=3)
    pages = [va + n * PAGE for va in apart for n in range(2)]
    rng.shuffle(pages)
    return pages[:count]


def words(case: Case, evidence: Evidence, symbol: str, count: int) -> list[int]:
    """An array of machine words of the scenario."""
    return [v for (v,) in support.array(evidence, symbol, arch_of(case).word, count)]


def free_ranges(evidence: Evidence, when: int) -> list[tuple[int, ...]]:
    """Base and frames of each free range then, as the scenario stored it."""
    counts = support.array(evidence, "scenario_free_counts", "I", when + 1)
    pair = arch_of(evidence).words(2)
    rows = support.array(evidence, "scenario_free", pair, (when + 1) * RANGES)
    return rows[when * RANGES :][: min(counts[when][0], RANGES)]


def free_pages(case: Case, evidence: Evidence, when: int) -> set[int]:
    """The frames that were free then: before, in between, afterwards."""
    all_frames = support.of(case)["IDENTITY_END"] // PAGE  # whatever stands there
    return {
        base // PAGE + n
        for base, size in free_ranges(evidence, when)
        for n in range(min(size, all_frames))
    }


def frames_lost(evidence: Evidence) -> int:
    """How many frames fewer are free afterwards than before, by the ranges' sizes."""
    before, after = (
        sum(size for _, size in free_ranges(evidence, when)) for when in range(2)
    )
    return before - after


def kernel_root(evidence: Evidence) -> int:
    """The tree that the kernel came up with, by the core's own table."""
    return support.address_of(evidence, paging.KERNEL_ROOT[evidence.arch])


def walk(evidence: Evidence, root: int, va: int) -> Walk:
    return paging.translate(evidence.ram, root, va, evidence.arch)


def shown(found: Walk) -> str:
    return "; ".join(paging.explain(found))


def kernel_view(
    evidence: Evidence, root: int, below: int
) -> list[tuple[int, int, int, bool, bool]]:
    """What a tree says of the kernel's addresses: runs of pages with equal rights and
    physical addresses that follow each other. Ring 3's rights count where every level
    has the user bit."""
    found = []
    for part in paging.ranges(evidence.ram, root, evidence.arch):
        if part.start < below:
            pa = walk(evidence, root, part.start).pa or 0
            found.append((part.start, part.end, pa, part.user, part.writable))
    return found


def expect_tree(case: Case, evidence: Evidence, root: int) -> None:
    """From the root on no table is reached twice, so that a walk comes to an end."""
    found: dict[int, int] = {}  # table -> its level
    todo = [(root & ~(PAGE - 1), LEVELS[case.arch])]
    while todo:
        table, level = todo.pop()
        case.expect(
            table not in found,
            expected="Each table of a space serves one place of one level.",
            seen=f"The one at {table:#x} is reached at level {found.get(table)} and "
            f"at level {level}.",
            cause="The tree comes back to itself, by an entry for its own root "
            "perhaps, or two entries name one table.",
            hint="Tables are readable at their physical addresses: they need no entry "
            "for that.",
            read=HEADER,
        )
        found[table] = level
        if level > 1:
            todo += [(e, level - 1) for _, e in _entries(case.arch, evidence, table)]


def _entries(arch: str, evidence: Evidence, table: int) -> list[tuple[int, int]]:
    """Index and address of what a table names; large pages are left out."""
    form, mask = ("<%dI", 0xFFFFF000) if arch == "i386" else ("<%dQ", 0xFFFFFFFFFF000)
    raw = evidence.ram.read(table, PAGE).ljust(PAGE, b"\0")
    values = struct.unpack(form % (1024 if arch == "i386" else 512), raw)
    return [(n, v & mask) for n, v in enumerate(values) if v & 0x81 == 1]


def tables_of(evidence: Evidence, root: int, base: int) -> set[int]:
    """Frames of the tables that serve addresses from base on, the root included."""
    arch = evidence.arch
    bits = 10 if arch == "i386" else 9
    found: set[int] = set()
    todo = [(root & ~(PAGE - 1), LEVELS[arch], 0)]
    while todo:
        table, level, start = todo.pop()
        if table // PAGE in found:
            continue
        found.add(table // PAGE)
        size = 1 << 12 + bits * (level - 1)
        for index, entry in _entries(arch, evidence, table) if level > 1 else ():
            if start + (index + 1) * size > base:
                todo.append((entry, level - 1, start + index * size))
    return found


@dataclass
class Process:
    """A process of the plan, and each time the timer interrupted it in ring 3."""

    number: int
    entry: int
    low: int
    high: int
    data: int = 0  # what stands at the common address
    ticks: list[Interrupt] = field(default_factory=list)


def interruptions(evidence: Evidence) -> list[Interrupt]:
    """The timer's, in order."""
    return [
        event
        for event in evidence.events
        if isinstance(event, Interrupt) and event.hardware and event.v == TIMER
    ]


def expect_large(case: Case, found: Walk) -> None:
    """No large page serves ring 3: the course's trees have pages of 4 KiB."""
    large = [entry for entry in found.entries if entry.large]
    case.expect(
        not large,
        expected=f"{found.va:#x} is mapped by a page of 4 KiB.",
        seen=f"An entry names a large page: {large[0] if large else ''}.",
        cause="PTE_LARGE (PS) is set in an entry above level 1: the CPU ends its walk "
        "there, and ring 3 sees megabytes of memory.",
        hint="Entries above level 1 hold the address of a table, and the bits P, R/W "
        "and U/S.",
        read=READ_PAGES,
    )


def signed(case: Case, value: int) -> int:
    """A word that the scenario stored of an int."""
    bits = 8 * support.word_bytes(case.arch)
    return value - (1 << bits) if value >> bits - 1 else value


def expect_none_lost(
    case: Case, evidence: Evidence, first: int, then: int, what: str, cause: str
) -> None:
    """The frames that were free at the first note are free at the other."""
    lost = free_pages(case, evidence, first) - free_pages(case, evidence, then)
    case.expect(
        not lost,
        expected=f"A frame that {what} took before it failed is free again.",
        seen=f"{len(lost)} are not.",
        cause=cause,
        hint="Free what you have, then return 0.",
        read=HEADER,
    )


def want_kernel(
    case: Case, evidence: Evidence
) -> list[tuple[int, int, int, bool, bool]]:
    """What the kernel's own tree says of its addresses."""
    base = support.of(case)["USER_BASE"]
    return kernel_view(evidence, kernel_root(evidence), base)


def expect_kernel(case: Case, evidence: Evidence, root: int, what: str) -> None:
    """The tree maps the kernel as its own one does, by the very same tables."""
    own, at = kernel_root(evidence), support.of(case)["KERNEL_BASE"]
    expect_tree(case, evidence, root)
    want = want_kernel(case, evidence)
    have = kernel_view(evidence, root, support.of(case)["USER_BASE"])
    va = _first_difference(have, want)
    found, should = walk(evidence, root, va), walk(evidence, own, va)
    case.expect(
        have == want,
        expected=f"{what.capitalize()} says of the kernel's address {va:#x} what the "
        f"tree of paging_kernel_root() says: {shown(should)}.",
        seen=f"{shown(found)}." if found.entries else "Nothing can be read there.",
        cause=_kernel_cause(found, should),
        hint="The topmost entries that serve addresses below USER_BASE name the "
        "kernel's tables: copy them as they are. On x86_64 the first entry of two "
        "tables leads there.",
        read=HEADER,
    )
    mine, its = (walk(evidence, r, at).entries[-1] for r in (root, own))
    case.expect(
        mine.pa == its.pa,
        expected="The kernel's page tables are shared: a change in one is a change in "
        "all.",
        seen=f"The entry for {at:#x} stands at {its.pa:#x} in the kernel's tree, at "
        f"{mine.pa:#x} in {what}.",
        cause="The tables were copied. A guard page that the kernel makes later would "
        "be there in some spaces only.",
        hint="Copy entries that name tables, not the tables.",
        read=HEADER,
    )
    if case.arch == "x86_64":
        expect_own_pdpt(case, evidence, root, what)


def _first_difference(
    have: list[tuple[int, int, int, bool, bool]],
    want: list[tuple[int, int, int, bool, bool]],
) -> int:
    """The lowest address of which two kernel_views tell different things, or 0."""
    for mine, its in zip(have, want):
        if mine != its:
            shorter = mine[0] == its[0] and mine[2:] == its[2:]
            return min(mine[1], its[1]) if shorter else min(mine[0], its[0])
    rest = have[len(want) :] or want[len(have) :]
    return rest[0][0] if rest else 0


def expect_own_pdpt(case: Case, evidence: Evidence, root: int, what: str) -> None:
    """The first entry of the PML4 serves ring 3's addresses as well as the kernel's."""
    mine, its = (walk(evidence, r, 0).entries for r in (root, kernel_root(evidence)))
    case.expect(
        mine[1].pa != its[1].pa,
        expected=f"PML4E[0] of {what} names a PDPT of the space's own.",
        seen=f"PML4E[0] names {mine[1].pa:#x}, the kernel's PDPT.",
        cause="The entry was copied: what is mapped for ring 3 is then in each tree, "
        "the kernel's included, and space_destroy would free the kernel's table.",
        hint="space_create makes that table new, and copies its first entry only.",
        read=HEADER,
    )


def _kernel_cause(found: paging.Walk, should: paging.Walk) -> str:
    if should.present and not found.present:
        return (
            "A part of the kernel is missing. With this tree in CR3 the CPU would not "
            "find its next instruction, nor the handler of the fault: a triple fault."
        )
    if found.user and not should.user:
        return "The user bit is set on every level: ring 3 can use the kernel's pages."
    if should.writable and not found.writable:
        return "An entry above level 1 lacks PTE_WRITE: the kernel cannot write there."
    return "The entries were made anew, with other rights or other frames."


def unseen(found: Walk) -> str:
    """Why ring 3 does not see the frame that was mapped for it."""
    closed = next((entry for entry in found.entries if not entry.user), None)
    if found.present and closed:
        return (
            f"{closed.name}[{closed.index}] lacks the user bit, which counts on every "
            "level: in new tables, in those that space_create made, and in the page's "
            "own entry."
        )
    if found.present:
        return "The entry was overwritten by a later call, or stands in another table."
    if found.entries and found.entries[-1].shift == PAGE.bit_length() - 1:
        return (
            "The tables are there, but nothing in the last one: a later call has "
            "cleared the entry, or put an empty table in the place of the page's."
        )
    return (
        "A table on the way is absent: it was made in another tree, the one that CR3 "
        "names perhaps, or a later call took it out."
    )


def expect_page(
    case: Case, evidence: Evidence, root: int, va: int, frame: int, rights: int
) -> None:
    """One page of a space, as the CPU would see it."""
    found = walk(evidence, root, va)
    exhibits.walk(case, found, write=bool(rights & WRITE))
    expect_large(case, found)
    case.expect(
        found.pa == frame and found.user,
        expected=f"In the space at {root:#x} ring 3 sees the frame {frame:#x} at "
        f"{va:#x}.",
        seen=f"The page tables say: {shown(found)}.",
        cause=unseen(found),
        hint="Start at root_pa; every table is readable at its physical address.",
        read=READ_PAGES,
    )
    case.expect(
        found.writable == bool(rights & WRITE),
        expected=f"{va:#x} is {'writable' if rights & WRITE else 'read-only'}.",
        seen=f"The page tables say: {shown(found)}.",
        cause="Level 1 decides; the levels above allow everything.",
        read=READ_PAGES,
    )
    if case.arch == "x86_64":
        case.expect(
            found.executable == bool(rights & EXEC),
            expected=f"{va:#x} is {'' if rights & EXEC else 'not '}to execute.",
            seen=f"The page tables say: {shown(found)}.",
            cause="The bit that forbids execution (XD) belongs at level 1, in each "
            "page that was not asked for with SPACE_EXEC.",
            hint="paging_no_execute() is that bit.",
            read=READ_PAGES,
        )
