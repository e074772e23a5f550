# SPDX-License-Identifier: MIT
"""Time on the wall: boots, gradings, a triple fault. It depends on host and load."""

from __future__ import annotations

import os
import resource
import select
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from grader.bench.figures import Figure
from grader.course import Course, Stage
from grader.engine import CORE_READY, Engine
from grader.errors import OperatorError
from grader.machine.command import CPU
from grader.settings import resolve

FEW, MANY = 3, 9
GUARD_S = 60.0  # behind a boot that never gets there
PROMPT, PROMPT_MS = b"$ ", 1000
PAIR_MS, ALL_MS = 2000, 20000
SWEEP = "ports"  # the boot whose log may be long: a record for each port
QEMU = "-accel tcg,tb-size=32 -nodefaults -no-user-config -display none".split()
# No IDT at all: the breakpoint cannot be delivered, nor what follows from that.
TRIPLE = """
    static const struct { unsigned short limit; unsigned long base; }
        __attribute__((packed)) none = { 0, 0 };
    __asm__ volatile("lidt %0; int3" : : "m"(none));
"""


def measure(course: Course, arch: str, work: Path) -> list[Figure]:
    """All of them; arch: for what is measured on one alone. work: an empty folder."""
    root, first, last = course.root, course.stages[0], course.stages[-1]
    qemu = [f"qemu-system-{arch}", "-M", "isapc", "-cpu", CPU[arch], *QEMU]
    floor = _median(lambda: _start_and_stop(qemu), MANY)
    figures = [Figure("QEMU started and stopped", floor, "ms", floor=floor)]

    def add(name: str, value: float, unit: str = "ms", most: float = 0.0) -> None:
        figures.append(Figure(name, value, unit, most, floor if unit == "ms" else 0))

    with _scratch_engine(course, arch, first, "", work) as engine:
        elf = engine.image(arch, first).elf
        kernel = [*qemu, "-m", "32", "-kernel", str(elf), "-serial", "stdio"]
        add("boot to the first serial byte", _median(lambda: _until(kernel), MANY))
    for one in last.arches:
        disc = _disc(root, one, last, work)
        taken = _median(lambda: _until(disc, PROMPT), MANY)
        add(f"boot by GRUB to the shell's prompt, {one}", taken, most=PROMPT_MS)
    for stage in course.stages:
        for one in stage.arches:
            pair = (f"--stage={stage.id}", f"--arch={one}")
            warm = _median(lambda: _grade(root, work, *pair), FEW, warm_up=True)
            add(f"{stage.id} on {one}, warm", warm, most=PAIR_MS)
        logs = _logs(work)
        swept = logs.pop(SWEEP, 0.0)
        add(f"{stage.id}, longest log", max(logs.values(), default=0), "KiB", 8192)
        if swept:
            add(f"{stage.id}, log of the port sweep", swept, "KiB", 32 << 10)
    used = _cpu_ms()
    add("all stages, warm", _median(lambda: _grade(root, work), FEW), most=ALL_MS)
    add("all stages, warm, CPU time", (_cpu_ms() - used) / FEW)
    clean = _median(lambda: _from_clean(root, first, work), FEW)
    add(f"{first.id}, from clean", clean)
    run_ms, told_ms = _triple_fault(course, arch, first, work)
    add("triple fault, QEMU", run_ms, most=1000)
    add("triple fault, explained", told_ms)
    return figures


def _median(measure: Callable[[], float], times: int, warm_up: bool = False) -> float:
    if warm_up:
        measure()
    return statistics.median(measure() for _ in range(times))


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _cpu_ms() -> float:
    """CPU time of all processes that were waited for: depends less on the load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def _start_and_stop(qemu: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [*qemu, "-S", "-monitor", "stdio"],
        input=b"quit\n",
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return _since(began)


def _until(qemu: list[str], text: bytes = b"") -> float:
    """Milliseconds until QEMU's console ends with the text, or says anything at all."""
    began = time.perf_counter()
    seen = b""
    with subprocess.Popen(
        qemu, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        while not (seen and seen.endswith(text)):
            left = began + GUARD_S - time.perf_counter()
            ready = select.select([process.stdout], [], [], max(0.0, left))[0]
            data = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not data:
                process.kill()
                last = seen[-200:].decode("utf-8", "replace")
                raise OperatorError(f"the console came to {last!r}", "see `make run`")
            seen += data
        taken = _since(began)
        process.kill()
    return taken


def _disc(root: Path, arch: str, stage: Stage, work: Path) -> list[str]:
    """The machine of `make run`, without a window, with the stage's demo on its CD."""
    iso = work / f"{arch}.iso"
    chosen = [f"--stage={stage.id}", f"--arch={arch}", f"--iso={iso}"]
    _call([sys.executable, "-m", "grader", "build", *chosen], root)
    machine = "-M pc -accel tcg -m 32 -nic none -vga std -no-reboot -display none"
    qemu = [f"qemu-system-{arch}", *machine.split(), "-cdrom", str(iso)]
    return [*qemu, "-serial", "stdio", "-monitor", "none"]


def command(work: Path, *words: str) -> list[str]:
    """Grade, as make does it once the core is there."""
    return [sys.executable, "-m", "grader", "grade", f"--out={work / 'out'}", *words]


def _grade(root: Path, work: Path, *words: str) -> float:
    began = time.perf_counter()
    _call(command(work, *words), root)
    return _since(began)


def _call(argv: list[str], root: Path) -> None:
    ready = {**os.environ, CORE_READY: "ready"}
    done = subprocess.run(
        argv, cwd=root, env=ready, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        mend = "mend the reference first: run `make grade`"
        raise OperatorError("the reference does not get full points", mend)


def _logs(work: Path) -> dict[str, float]:
    """KiB of exception log by boot, of the run before."""
    found = (work / "out").rglob("trace*")
    return {file.parent.name: file.stat().st_size / 1024 for file in found}


def _from_clean(root: Path, stage: Stage, work: Path) -> float:
    """`make grade` in a copy of the sources, where nothing has been built."""
    copy = work / "clean"
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

    def __init__(
        self, course: Course, arch: str, stage: Stage, code: str, folder: Path
    ) -> None:
        work = folder / "scratch"
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

    def __enter__(self) -> Engine:
        self.engine = Engine(self.settings)
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def _triple_fault(
    course: Course, arch: str, stage: Stage, work: Path
) -> tuple[float, float]:
    """Milliseconds of QEMU until it ended, and until the explanation was there."""
    from grader.checks.api import BootSpec

    spec = BootSpec("triple", lambda plan: plan.boot(""))
    runs: list[float] = []
    told: list[float] = []
    for _ in range(FEW):
        with _scratch_engine(course, arch, stage, TRIPLE, work) as engine:
            engine.image(arch, stage)
            began = time.perf_counter()
            evidence = engine.evidence(arch, stage, spec)
            runs.append(evidence.run.wall_s * 1000)
            diagnosis = evidence.diagnosis
            told.append(_since(began))
            if evidence.run.end.name != "TRIPLE_FAULT" or not diagnosis.source:
                raise OperatorError("no triple fault was explained", diagnosis.seen)
    return statistics.median(runs), statistics.median(told)
