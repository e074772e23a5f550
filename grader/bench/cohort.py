# SPDX-License-Identifier: MIT
"""Throughput of a class run: 01-gdt on i386, right, wrong, broken, hanging, hostile.

The floor is what compiling and booting alone take, without a check or a report. What
hanging and hostile submissions take is told apart: it is what their limits allow.
"""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from grader.bench.figures import Figure
from grader.cohort.engine import Lost
from grader.cohort.local import Local
from grader.cohort.model import SPOOL, SUBMISSIONS, Carry
from grader.cohort.plan import Planner, grader_digest
from grader.cohort.run import Run, stoppable
from grader.cohort.store import Store
from grader.corpus.mutants import MUTANTS
from grader.course import Course, Stage
from grader.engine import Engine, make_core
from grader.grading import specs_of
from grader.intake.downloads import sources
from grader.settings import resolve

STAGE, ARCH, SEED = "01-gdt", "i386", 0x5EED
AIM_MS, RESIDENT_KIB, LINEAR = 500, 150 << 10, 85
FLOORS = 5
SAMPLE_S = 0.1
# The bodies of functions: what is put first in all of them.
BODY = re.compile(r"^\{$", re.MULTILINE)
HANGS = ("for (;;) {}", 'for (;;) { __asm__ volatile("nop"); }')
HOSTILE = (
    'for (;;) { kprintf("Total: 22/22\\n"); }',
    'for (;;) { __asm__ volatile("int3"); }',
    '__asm__ volatile("lidt 0; int3");',
    '__asm__(".incbin \\"/etc/shadow\\"");',
    "\n#include __FILE__\n",
)


@dataclass(frozen=True)
class Mix:
    """How many of each; the figures of the project are for 240, 30 and 30."""

    working: int
    broken: int
    apart: int

    @classmethod
    def of(cls, number: int) -> Mix:
        tenth = max(1, number // 10)
        return cls(max(1, number - 2 * tenth), tenth, tenth)


def throughput(course: Course, number: int, work: Path) -> list[Figure]:
    """The figures for a class of `number`; work: an empty folder."""
    mix = Mix.of(number)
    stage = course.stage(STAGE)
    make_core(course.root, ARCH)
    ordinary = work / "ordinary"
    _ordinary(course, stage, ordinary, mix)
    _apart(course, work / "apart", mix)
    some = work / "some"
    for place in sorted(ordinary.iterdir())[:: max(1, number // 60)]:
        shutil.copytree(place, some / place.name)
    floor = _floor(course, stage, work / "floor")
    one = _class(course, stage, some, Local(work / "one", 1))
    two = _class(course, stage, ordinary, Local(work / "two", 2))
    late = _class(course, stage, work / "apart", Local(work / "late", 2))
    # Looking at memory takes time itself.
    watched = _Watched(work / "watched", 1)
    _class(course, stage, some, watched)
    gain = 100 * one / (2 * two)
    what = f"a submission, of {mix.working + mix.broken}"
    return [
        Figure("compile and boot alone, one after the other", floor, "ms"),
        Figure("a submission, one worker", one, "ms", 2 * AIM_MS, floor),
        Figure(f"{what}, two workers", two, "ms", AIM_MS, floor / 2),
        Figure(f"of twice one worker (at least {LINEAR})", gain, "%"),
        Figure(f"hanging or hostile, of {mix.apart}", late, "ms"),
        Figure(
            "a worker and what it runs, resident", watched.most_kib, "KiB", RESIDENT_KIB
        ),
    ]


def _floor(course: Course, stage: Stage, work: Path) -> float:
    """Milliseconds (median) for the reference, compiled and booted anew each time."""
    taken = []
    for number in range(FLOORS):
        src = work / str(number) / "src"
        shutil.copytree(course.root / "solutions" / stage.id, src / stage.id)
        _marked(src, number)
        settings = resolve(
            course,
            stages=stage.id,
            arches=ARCH,
            src=str(src),
            prior=str(course.root / "solutions"),
            seed=f"{SEED:x}",
            out=str(work / str(number) / "out"),
        )
        began = time.monotonic()
        engine = Engine(replace(settings, parallel=1))
        boots = [boot for spec in specs_of(stage.id) for boot in spec.boots]
        engine.prefetch(ARCH, stage, boots)
        for boot in boots:
            engine.evidence(ARCH, stage, boot)
        taken.append((time.monotonic() - began) * 1000)
        engine.close()
    return sorted(taken)[FLOORS // 2]


def _marked(src: Path, number: int) -> None:
    """Make the sources unlike all others, so that nothing is built already."""
    gap = src / STAGE / "gdt.c"
    with gap.open("a", encoding="utf-8") as file:
        file.write(f"/* {SEED:x} {number} {time.time_ns()} */\n")


def _ordinary(course: Course, stage: Stage, place: Path, mix: Mix) -> None:
    root = course.root
    known = place.parent / "known"
    shutil.copytree(root / "solutions" / stage.id, known / "reference" / stage.id)
    for entry in MUTANTS.find(root / MUTANTS.home, stage):
        if entry.arch == ARCH:
            entry.lay_out(root, known / entry.name)
    every = sorted(known.iterdir())
    for number in range(mix.working):
        src = place / f"student-{number}"
        shutil.copytree(every[number % len(every)], src)
        _marked(src, number)
    for number in range(mix.broken):
        _changed(course, place / f"broken-{number}", number, "no such thing;")


def _apart(course: Course, place: Path, mix: Mix) -> None:
    every = [text for pair in zip(HANGS * 5, HOSTILE * 2) for text in pair]
    for number in range(mix.apart):
        text = every[number % len(every)]
        _changed(course, place / f"apart-{number}", number, text)


def _changed(course: Course, src: Path, number: int, first: str) -> None:
    """The reference, with that text first in each function."""
    shutil.copytree(course.root / "solutions" / STAGE, src / STAGE)
    gap = src / STAGE / "gdt.c"
    gap.write_text(BODY.sub(lambda _: "{" + first, gap.read_text("utf-8")), "utf-8")
    _marked(src, number)


def _class(course: Course, stage: Stage, place: Path, engine: Local) -> float:
    """Wall time, in milliseconds a submission."""
    out = engine.out
    for folder in (SPOOL, SUBMISSIONS):
        (out / folder).mkdir(parents=True)
    run = Run(course, stage, (ARCH,), out, Store.open(out), engine)
    planner = Planner(
        course, out, SEED, Carry.REFERENCE, grader_digest(course, (ARCH,))
    )
    every = sources(place)
    began = time.monotonic()
    with stoppable(engine, str):
        run.grade(run.take_in(every), planner)
        taken = time.monotonic() - began
    return taken * 1000 / len(every)


class _Watched(Local):
    """Looks at its workers' memory now and then: the most that one had, in KiB."""

    most_kib = 0

    def wait(self, timeout_s: float) -> list[Lost]:
        lost = super().wait(min(timeout_s, SAMPLE_S))
        for worker in self._workers:
            self.most_kib = max(self.most_kib, _pss_kib(worker.process.pid))
        return lost


def _pss_kib(pid: int) -> int:
    """Resident memory of a process and all below it; what is shared, by its share."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return 0
    own = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
    return int(own[1] if own else 0) + sum(_pss_kib(int(p)) for p in below.split())
