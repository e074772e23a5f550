# SPDX-License-Identifier: MIT
"""Measures the grader: a table, and build/bench.json. Nothing here passes or fails."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.course import Course, Stage
from grader.engine import CORE_READY, Engine
from grader.errors import OperatorError
from grader.settings import resolve
from grader.verdict.write import write_json

REPORT = Path("build/bench.json")
WORK = Path("build/bench")
FEW, MANY = 3, 9
SWEEP = "ports"  # the boot whose log may be long: a record for each port
QEMU = "-accel tcg,tb-size=32 -nodefaults -no-user-config -display none".split()
# No IDT at all: the breakpoint cannot be delivered, nor what follows from that.
TRIPLE = """
    static const struct { unsigned short limit; unsigned long base; }
        __attribute__((packed)) none = { 0, 0 };
    __asm__ volatile("lidt %0; int3" : : "m"(none));
"""


@dataclass(frozen=True)
class Figure:
    """One measurement; `unit` is ms, KiB or B, `most` the budget in it (0: none)."""

    name: str
    value: float
    unit: str
    most: float = 0.0
    floor: float = 0.0

    @property
    def ratio(self) -> float:
        """How many times the floor; 0 where that means nothing."""
        return self.value / self.floor if self.floor else 0.0


def bench(root: Path) -> int:
    """Measure, print the table, write the JSON."""
    course = Course.load(root)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "run this where they lie")
    shutil.rmtree(root / WORK, ignore_errors=True)
    (root / WORK).mkdir(parents=True)
    figures = _measure(course, course.arches[0])
    shutil.rmtree(root / WORK, ignore_errors=True)
    rows = [{**asdict(f), "ratio": round(f.ratio, 2)} for f in figures]
    host = {"machine": platform.machine(), "cpus": os.cpu_count() or 1}
    write_json(root / REPORT, {"host": host, "figures": rows})
    _print(figures)
    print(f"written to {REPORT}")
    return 0


def _measure(course: Course, arch: str) -> list[Figure]:
    root, first = course.root, course.stages[0]
    qemu = [f"qemu-system-{arch}", "-M", "isapc", "-cpu", _cpu(arch), *QEMU]
    floor = _median(lambda: _start_and_stop(qemu), MANY)
    figures = [Figure("QEMU started and stopped", floor, "ms", floor=floor)]

    def add(name: str, value: float, unit: str = "ms", most: float = 0.0) -> None:
        figures.append(Figure(name, value, unit, most, floor if unit == "ms" else 0))

    with _scratch_engine(course, arch, first, "") as (engine, _):
        elf = engine.image(arch, first).elf
        kernel = [*qemu, "-m", "32", "-kernel", str(elf), "-serial", "stdio"]
        add("boot to the first serial byte", _median(lambda: _first_byte(kernel), MANY))
    for stage in course.stages:
        for one in stage.arches:
            pair = (f"--stage={stage.id}", f"--arch={one}")
            warm = _median(lambda: _grade(root, *pair), FEW, warm_up=True)
            add(f"{stage.id} on {one}, warm", warm, most=1500)
        logs = _logs(root)
        swept = logs.pop(SWEEP, 0.0)
        add(f"{stage.id}, longest log", max(logs.values(), default=0), "KiB", 8192)
        if swept:
            add(f"{stage.id}, log of the port sweep", swept, "KiB", 128 << 10)
    add("all stages, warm", _median(lambda: _grade(root), FEW), most=12000)
    last = course.stages[-1]
    add(
        f"{last.id}, from clean",
        _median(lambda: _from_clean(root, last), FEW),
        most=3000,
    )
    run_ms, told_ms = _triple_fault(course, arch, first)
    add("triple fault, QEMU", run_ms, most=1000)
    add("triple fault, explained", told_ms)
    python, machine = _resident(root)
    add("Python, resident", python, "KiB", 120 << 10)
    add("QEMU, resident", machine, "KiB", 64 << 10)
    return figures


def _cpu(arch: str) -> str:
    return "qemu32" if arch == "i386" else "qemu64"


def _median(measure: Callable[[], float], times: int, warm_up: bool = False) -> float:
    if warm_up:
        measure()
    return statistics.median(measure() for _ in range(times))


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _start_and_stop(qemu: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [*qemu, "-S", "-monitor", "stdio"],
        input=b"quit\n",
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return _since(began)


def _first_byte(kernel: list[str]) -> float:
    began = time.perf_counter()
    with subprocess.Popen(
        kernel, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        taken = _since(began)
        process.kill()
    return taken


def _command(root: Path, *words: str) -> list[str]:
    out = f"--out={root / WORK / 'out'}"
    return [sys.executable, "-m", "grader", "grade", out, *words]


def _grade(root: Path, *words: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        _command(root, *words),
        cwd=root,
        env={**os.environ, CORE_READY: "ready"},
        capture_output=True,
        text=True,
        check=False,
    )
    taken = _since(began)
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        mend = "mend the reference first: run `make grade`"
        raise OperatorError("the reference does not get full points", mend)
    return taken


def _logs(root: Path) -> dict[str, float]:
    """KiB of exception log by boot, of the run before."""
    found = (root / WORK / "out").rglob("trace*")
    return {file.parent.name: file.stat().st_size / 1024 for file in found}


def _from_clean(root: Path, stage: Stage) -> float:
    """`make grade` in a copy of the sources, where nothing has been built."""
    copy = root / WORK / "clean"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for entry in root.iterdir():
        if entry.name in ("build", ".git") or entry.name.endswith("_cache"):
            continue
        if entry.is_dir():
            skip = shutil.ignore_patterns("__pycache__")
            shutil.copytree(entry, copy / entry.name, ignore=skip)
        else:
            shutil.copy2(entry, copy)
    clean = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("MAKE", "MFLAGS", "RINGLAB", "PYTHONPYCACHE"))
    }
    began = time.perf_counter()
    subprocess.run(
        ["make", "-s", "-j2", "grade", f"A={stage.id}"],
        cwd=copy,
        env=clean,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return _since(began)


class _scratch_engine:
    """An engine for a copy of the first stage's solution, with `code` put into it."""

    def __init__(self, course: Course, arch: str, stage: Stage, code: str) -> None:
        work = course.root / WORK / "scratch"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(course.root / "solutions" / stage.id, work / "src" / stage.id)
        gap = work / "src" / stage.id / next(g for g in stage.gaps(arch))
        gap.write_text(gap.read_text("utf-8").replace("\n{\n", "\n{\n" + code, 1))
        self.settings = resolve(
            course,
            stages=stage.id,
            arches=arch,
            src=str(work / "src"),
            out=str(work / "out"),
        )

    def __enter__(self) -> tuple[Engine, Path]:
        self.engine = Engine(self.settings)
        return self.engine, self.settings.out

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def _triple_fault(course: Course, arch: str, stage: Stage) -> tuple[float, float]:
    """Milliseconds of QEMU until it ended, and until the explanation was there."""
    from grader.checks.api import BootSpec

    spec = BootSpec("triple", lambda plan: plan.boot(""))
    runs: list[float] = []
    told: list[float] = []
    for _ in range(FEW):
        with _scratch_engine(course, arch, stage, TRIPLE) as (engine, _out):
            engine.image(arch, stage)
            began = time.perf_counter()
            evidence = engine.evidence(arch, stage, spec)
            runs.append(evidence.run.wall_s * 1000)
            diagnosis = evidence.diagnosis
            told.append(_since(began))
            if evidence.run.end.name != "TRIPLE_FAULT" or not diagnosis.source:
                raise OperatorError("no triple fault was explained", diagnosis.seen)
    return statistics.median(runs), statistics.median(told)


def _resident(root: Path) -> tuple[float, float]:
    """Peaks of resident memory in KiB: the grader's Python, and QEMU."""
    python = machine = 0
    with subprocess.Popen(
        _command(root), cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            python = max(python, _peak(process.pid))
            for pid in _below(process.pid):
                if _status(pid, "Name").startswith("qemu"):
                    machine = max(machine, _peak(pid))
            time.sleep(0.01)
    return python, machine


def _status(pid: int, key: str) -> str:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2] for line in lines if line.startswith(f"{key}:"))
    return next(found, "").strip()


def _peak(pid: int) -> int:
    words = _status(pid, "VmHWM").split()
    return int(words[0]) if words else 0


def _below(pid: int) -> list[int]:
    """All descendants of a process."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for word in (task / "children").read_text("ascii").split():
                found += [int(word), *_below(int(word))]
    except OSError:
        pass  # it has just ended
    return found


def _print(figures: list[Figure]) -> None:
    from rich.table import Table

    from grader.reports.terminal import console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("what (medians)")
    for column in ("figure", "budget", "× floor"):
        table.add_column(column, justify="right")
    for f in figures:
        budget = f"{f.most:.0f}" if f.most else ""
        ratio = f"{f.ratio:.1f}" if f.ratio else ""
        table.add_row(f.name, f"{f.value:.0f} {f.unit}", budget, ratio)
    console().print(table)
