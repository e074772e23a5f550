# SPDX-License-Identifier: MIT
"""Measures what is taught, in instructions, and the grader, in time and memory.

A table, and build/bench.json. Nothing here passes or fails; that the kernel costs no
more instructions than were recorded is a test (grader/tests/test_bench.py).
"""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import asdict
from pathlib import Path

from grader.bench.figures import Figure, show
from grader.bench.instructions import RECORDED, Costs, compilers, recorded, reference
from grader.course import Course
from grader.errors import OperatorError
from grader.verdict.write import write_json

REPORT = Path("build/bench.json")
WORK = Path("build/bench")


def bench(root: Path, record: bool = False, number: int = 0) -> int:
    """Measure, print the table, write the JSON; record: only what a release records;
    number: only a class of so many submissions."""
    course = Course.load(root)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "run this where they lie")
    work = root / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        if number:
            figures = _class(course, number, work)
        else:
            figures = _alone(course, work, record)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    rows = [{**asdict(f), "ratio": round(f.ratio, 2)} for f in figures]
    host = {"machine": platform.machine(), "cpus": os.cpu_count() or 1}
    write_json(root / REPORT, {"host": host, "figures": rows})
    show(figures)
    print(f"written to {REPORT}")
    return 0


def _alone(course: Course, work: Path, record: bool) -> list[Figure]:
    costs = {arch: reference(course, arch, work) for arch in course.arches}
    if record:
        told = {"compilers": compilers(course.root), "instructions": costs}
        write_json(RECORDED, told)
    return _counted(costs) + ([] if record else _timed(course, work))


def _class(course: Course, number: int, work: Path) -> list[Figure]:
    from grader.bench.cohort import throughput

    return throughput(course, number, work)


def _counted(costs: dict[str, Costs]) -> list[Figure]:
    _, before = recorded()
    return [
        Figure(f"{name}, {arch}", cost, "instructions", before[arch].get(name, 0))
        for arch in costs
        for name, cost in costs[arch].items()
    ]


def _timed(course: Course, work: Path) -> list[Figure]:
    from grader.bench.memory import resident
    from grader.bench.wall import command, measure

    python, machine = resident(command(work), course.root)
    return [
        *measure(course, course.arches[0], work),
        Figure("Python, resident", python, "KiB", 120 << 10),
        Figure("QEMU, resident", machine, "KiB", 64 << 10),
    ]
