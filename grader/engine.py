# SPDX-License-Identifier: MIT
"""Builds images and runs boots ahead of the checks, on a pool of threads."""

from __future__ import annotations

import contextlib
import enum
import functools
import itertools
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import seed as seeds
from grader.checks.api import BootSpec
from grader.checks.plan import Plan
from grader.course import Stage
from grader.errors import OperatorError, operator_fault
from grader.settings import Settings, cpus
from grader.verdict.write import RUNS, stage_folder

if TYPE_CHECKING:
    from grader.build import Image, Message
    from grader.checks.record import Evidence
    from grader.machine import Boot
    from grader.sandbox import Result

CORE_READY = "RINGLAB_CORE"


class Engine:
    """One submission's images and boots: each made once, and asked for often."""

    def __init__(
        self, settings: Settings, runs: str = RUNS, portraits: bool = False
    ) -> None:
        self.settings = settings
        self._runs = runs
        self._portraits = portraits
        self._pool = ThreadPoolExecutor(max_workers=settings.parallel)
        self._waiting = queue.PriorityQueue[_Task]()
        self._numbers = itertools.count()
        # The tool that writes a CD is asleep most of the time: it takes no one's place.
        self._burner = ThreadPoolExecutor(max_workers=settings.parallel)
        self._lock = threading.RLock()
        self._core_lock = threading.Lock()
        self._core_ready = set[str]()
        self._images: dict[tuple[str, str], Future[Image]] = {}
        self._boots: dict[tuple[str, str, str], Future[Evidence]] = {}
        self._discs: dict[tuple[str, str, str], Future[Planned]] = {}

    @property
    def cpu_s(self) -> float:
        """CPU seconds that QEMU has used in the boots that are over."""
        done = [boot for boot in self._boots.values() if boot.done()]
        return sum(boot.result().run.cpu_s for boot in done if _succeeded(boot))

    def runs_folder(self, arch: str, stage: Stage) -> Path:
        return stage_folder(self.settings.out, arch, stage.id) / self._runs

    def prefetch_image(self, arch: str, stage: Stage) -> Future[Image]:
        """Start to build the image, unless that has begun."""
        with self._lock:
            key = (arch, stage.id)
            if key not in self._images:
                future = self._images[key] = Future()
                task = functools.partial(self._build, arch, stage, future)
                self._submit(arch, stage, _Step.IMAGE, (future,), task)
            return self._images[key]

    def prefetch(self, arch: str, stage: Stage, specs: Iterable[BootSpec]) -> None:
        """Start the boots that have not begun, once their image is there."""
        with self._lock:
            fresh: dict[BootSpec, Future[Evidence]] = {}
            for spec in specs:
                key = (arch, stage.id, spec.name)
                if key not in self._boots:
                    self._boots[key] = fresh[spec] = Future()
            if not fresh:
                return

            def go_on(image: Future[Image]) -> None:
                task = functools.partial(self._launch, arch, stage, image, fresh)
                self._submit(arch, stage, _Step.PLAN, fresh.values(), task)

            self.prefetch_image(arch, stage).add_done_callback(go_on)

    def prefetch_discs(
        self, arch: str, stage: Stage, specs: Iterable[BootSpec]
    ) -> None:
        """Start to make the CDs of these boots, once their image is there."""
        for spec in specs:
            if spec.disc:
                self._disc(arch, stage, spec)

    def _disc(self, arch: str, stage: Stage, spec: BootSpec) -> Future[Planned]:
        """The boot's plan, once its CD is made."""
        with self._lock:
            key = (arch, stage.id, spec.name)
            if key not in self._discs:
                future = self._discs[key] = Future()

                def go_on(image: Future[Image]) -> None:
                    try:
                        self._burner.submit(
                            self._burn, arch, stage, spec, image, future
                        )
                    except RuntimeError:
                        future.cancel()

                self.prefetch_image(arch, stage).add_done_callback(go_on)
            return self._discs[key]

    def _burn(
        self,
        arch: str,
        stage: Stage,
        spec: BootSpec,
        image: Future[Image],
        future: Future[Planned],
    ) -> None:
        from grader.machine import make_disc
        from grader.sandbox import detect

        with _into(future):
            plan = self._plan(arch, stage, spec, image.result())
            boot = spec(plan)
            disc = make_disc(boot, plan.folder, detect())
            future.set_result(Planned(plan, boot, disc))

    def image(self, arch: str, stage: Stage) -> Image:
        return self.prefetch_image(arch, stage).result()

    def evidence(self, arch: str, stage: Stage, spec: BootSpec) -> Evidence:
        self.prefetch(arch, stage, (spec,))
        return self._boots[arch, stage.id, spec.name].result()

    def host(
        self, arch: str, stage: Stage, source: str, names: Sequence[str], data: bytes
    ) -> Result:
        """What a program of grader/scenarios/host/ says of these gap files."""
        from grader.build.host import run_host

        root = self.settings.course.root
        return run_host(root, arch, stage, self.settings.src, source, names, data)

    def settle(self, arch: str, stage: Stage) -> None:
        """The stage is judged: its evidence need not be in memory any more.

        What a report wants of it is kept, if the engine was made with portraits.
        """
        for (of_arch, of_stage, _), future in self._boots.items():
            if (of_arch, of_stage) == (arch, stage.id) and future.done():
                if _succeeded(future):
                    self._forget(future.result())

    def _forget(self, evidence: Evidence) -> None:
        if self._portraits:
            from grader.reports.keep import keep

            keep(evidence)
        evidence.forget()

    def warnings(self, arch: str, stage: Stage) -> tuple[Message, ...]:
        """The compiler's warnings about the stage's image, if that was built."""
        future = self._images.get((arch, stage.id))
        if future is None or not future.done() or not _succeeded(future):
            return ()
        return future.result().warnings

    def close(self) -> None:
        """Cancel what has not begun, kill what runs; nothing is left behind."""
        from grader import sandbox

        pools = (self._burner, self._pool)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        self._cancel()
        futures: list[Future[Any]] = [*self._images.values(), *self._boots.values()]
        futures += self._discs.values()
        if any(not future.done() for future in futures):
            sandbox.stop_all()
        for pool in pools:
            pool.shutdown(wait=True)
        sandbox.resume()
        for boot in self._boots.values():
            # Guest memory is 32 MiB a boot, and the same seed makes it again.
            if not boot.cancel() and _succeeded(boot):
                boot.result().run.ram.unlink(missing_ok=True)

    def _submit(
        self,
        arch: str,
        stage: Stage,
        step: _Step,
        futures: Iterable[Future[Any]],
        run: Callable[[], object],
    ) -> None:
        """Hand it to the pool, which does first what is judged first; when the pool is
        closed, cancel the futures instead."""
        pairs = self.settings.pairs()
        place = pairs.index((arch, stage)) if (arch, stage) in pairs else len(pairs)
        number = next(self._numbers)
        self._waiting.put(_Task((place, step, number), tuple(futures), run))
        try:
            self._pool.submit(self._work)
        except RuntimeError:
            self._cancel()

    def _work(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._waiting.get_nowait().run()

    def _cancel(self) -> None:
        """What waits will not be done; who waits for it hears so."""
        with contextlib.suppress(queue.Empty):
            while True:
                for future in self._waiting.get_nowait().futures:
                    future.cancel()

    def _build(self, arch: str, stage: Stage, future: Future[Image]) -> None:
        from grader.build import build_image

        with _into(future):
            self._require_core(arch)
            where = self.settings
            out = stage_folder(where.out, arch, stage.id) / self._runs / "image"
            out.mkdir(parents=True, exist_ok=True)
            made = build_image(where.course, arch, stage, where.src, where.prior, out)
            future.set_result(made)

    def _require_core(self, arch: str) -> None:
        with self._core_lock:
            if arch not in self._core_ready:
                make_core(self.settings.course.root, arch)
                self._core_ready.add(arch)

    def _launch(
        self,
        arch: str,
        stage: Stage,
        image: Future[Image],
        fresh: dict[BootSpec, Future[Evidence]],
    ) -> None:
        """Plan the boots, and run them."""
        for spec, future in fresh.items():
            if spec.disc:
                disc = self._disc(arch, stage, spec)
                disc.add_done_callback(functools.partial(self._burnt, future))
                continue
            with _into(future):
                plan = self._plan(arch, stage, spec, image.result())
                self._boot(Planned(plan, spec(plan)), future)

    def _burnt(self, future: Future[Evidence], disc: Future[Planned]) -> None:
        with _into(future):
            self._boot(disc.result(), future)

    def _boot(self, planned: Planned, future: Future[Evidence]) -> None:
        plan = planned.plan
        step = _Step.LONG if planned.disc or _long(planned.boot) else _Step.BOOT
        task = functools.partial(self._run, planned, future)
        self._submit(plan.arch, plan.stage, step, (future,), task)

    def _plan(self, arch: str, stage: Stage, spec: BootSpec, image: Image) -> Plan:
        return Plan(
            root=self.settings.course.root,
            boot_name=spec.name,
            arch=arch,
            stage=stage,
            image=image,
            seed=self.settings.seed,
            nonce=seeds.nonce(self.settings.seed, arch, stage.id),
            folder=self.runs_folder(arch, stage) / spec.name,
            programs=functools.partial(self._program, arch, stage),
        )

    def _program(
        self,
        arch: str,
        stage: Stage,
        source: str,
        optimise: str,
        base: int | None,
        elf: bool,
    ) -> bytes:
        from grader.build import build_program

        where, how = self.settings, (source, optimise, base, elf)
        return build_program(where.course, arch, stage, where.src, where.prior, *how)

    def _run(self, planned: Planned, future: Future[Evidence]) -> None:
        from grader import machine
        from grader.checks.record import Evidence
        from grader.machine.command import RAM
        from grader.sandbox import detect

        plan, boot = planned.plan, planned.boot
        with _into(future):
            if (boot.via is machine.Via.GRUB) != bool(planned.disc):
                raise ValueError(
                    "@boot(…, disc=True) is for boots by GRUB, and for all"
                )
            plan.folder.mkdir(parents=True, exist_ok=True)
            try:
                run = machine.run(boot, plan.folder, detect(), planned.disc)
            except BaseException:
                (plan.folder / RAM).unlink(missing_ok=True)
                raise
            future.set_result(Evidence(run, boot, plan.image, plan.notes))


class _Step(enum.IntEnum):
    """In this order for each pair; what takes long begins first."""

    IMAGE = 0
    PLAN = 1
    LONG = 2
    BOOT = 3


@dataclass(frozen=True, order=True)
class _Task:
    """What a thread of the pool does, and whose futures it sets."""

    rank: tuple[int, _Step, int]
    futures: tuple[Future[Any], ...] = field(compare=False)
    run: Callable[[], object] = field(compare=False)


@dataclass(frozen=True)
class Planned:
    """A boot that can run: by GRUB, its CD lies in the plan's folder."""

    plan: Plan
    boot: Boot
    disc: Path | None = None


def _long(boot: Boot) -> bool:
    """Whoever may write a long log does so, and that takes time."""
    from grader.machine import Limits

    return boot.limits.log_bytes > Limits().log_bytes


@contextlib.contextmanager
def _into(future: Future[Any]) -> Any:
    """What goes wrong inside goes into `future`."""
    try:
        yield
    except BaseException as error:
        future.set_exception(error)


def _succeeded(future: Future[Any]) -> bool:
    return not future.cancelled() and future.exception() is None


def make_core(root: Path, arch: str) -> None:
    """Have make bring the provided part of the kernel up to date."""
    if os.environ.get(CORE_READY) == "ready":
        return
    # Not the flags of a make that may have called us: its job server is not ours.
    clean = {**os.environ, "MAKEFLAGS": f"-j{cpus()}", "MFLAGS": ""}
    command = ["make", "-s", "core", f"ARCH={arch}"]
    try:
        done = subprocess.run(
            command, cwd=root, env=clean, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise operator_fault(error, str(root)) or error from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "rror" in line]
        first = (lines or done.stderr.splitlines() or ["no message"])[0]
        raise OperatorError(
            f"the kernel core for {arch} does not build: {first}",
            f"see `{' '.join(command)}`",
        )
