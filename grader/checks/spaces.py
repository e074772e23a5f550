# SPDX-License-Identifier: MIT
"""Boots of 08: pages for several spaces, processes with a probe each, and walks."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from grader.checks import support
from grader.checks.api import Case, Plan
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


def word(place: Plan | Case) -> str:
    return "I" if support.word_bytes(place.arch) == 4 else "Q"


def words(case: Case, evidence: Evidence, symbol: str, count: int) -> list[int]:
    """An array of machine words of the scenario."""
    return [v for (v,) in support.array(evidence, symbol, word(case), count)]


def free_pages(case: Case, evidence: Evidence, when: int) -> set[int]:
    """The frames that were free then: before, in between, afterwards."""
    counts = support.array(evidence, "scenario_free_counts", "I", when + 1)
    most = min(counts[when][0], RANGES)
    rows = support.array(
        evidence, "scenario_free", 2 * word(case), (when + 1) * RANGES
    )[when * RANGES :][:most]
    all_frames = support.of(case)["IDENTITY_END"] // PAGE  # whatever stands there
    return {
        base // PAGE + n for base, size in rows for n in range(min(size, all_frames))
    }


def kernel_root(evidence: Evidence) -> int:
    """The tree that the kernel came up with, by the core's own table."""
    name = "directory" if evidence.arch == "i386" else "pml4"
    return support.address_of(evidence, name)


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


def tables_of(evidence: Evidence, root: int, base: int) -> set[int]:
    """Frames of the tables that serve addresses from base on, the root included."""
    entry = support.word_bytes(evidence.arch)
    bits = 10 if entry == 4 else 9
    levels = 2 if entry == 4 else 4
    mask = 0xFFFFF000 if entry == 4 else 0x000FFFFFFFFFF000

    def visit(table: int, level: int, start: int) -> Iterable[int]:
        yield table // PAGE
        if level == 1:
            return
        size = 1 << 12 + bits * (level - 1)
        raw = evidence.ram.read(table, PAGE).ljust(PAGE, b"\0")
        for index in range(PAGE // entry):
            value = int.from_bytes(raw[index * entry :][:entry], "little")
            va = start + index * size
            if value & 1 and not value & 0x80 and va + size > base:
                yield from visit(value & mask, level - 1, va)

    return set(visit(root & mask, levels, 0))


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
