# SPDX-License-Identifier: MIT
"""One grading run, from chosen checks to written verdicts; pytest only drives it."""

from __future__ import annotations

import fcntl
import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from grader import seed as seeds
from grader.checks.api import MARK, BootSpec, Case, CheckSpec
from grader.course import STAFFS, Course, Stage
from grader.engine import Engine
from grader.errors import OperatorError, operator_fault, require_room
from grader.judge import Function, Judge
from grader.settings import ROOT, Settings, resolve
from grader.spread import CHECK
from grader.verdict import write
from grader.verdict.collect import Collector, Record
from grader.verdict.model import Verdict

Follow = Callable[[list[Verdict]], None]

LOCK = ".lock"
CHECKS = Path(__file__).with_name("checks")


class Grading:
    """Holds the settings, the engine, and what came out; everything is made late."""

    def __init__(
        self,
        options: Mapping[str, str | None],
        *,
        root: Path = ROOT,
        is_worker: bool = False,
        portraits: bool = False,
        settings: Settings | None = None,
        ahead: bool = True,
        follow: Follow | None = None,
    ) -> None:
        """settings: what the options mean, if that has been settled before. ahead: boot
        before a check asks; else what only blocked checks would read is never booted.
        follow: is told after each check what has been judged so far.
        """
        self.is_worker = is_worker
        self.fault = ""
        self.verdicts: list[Verdict] = []
        self._root = root
        self._portraits = portraits
        self._ahead = ahead
        self._follow = follow
        self._options = dict(options)
        seed = seeds.show(settings.seed) if settings else self._options.get("seed")
        self._options["seed"] = seeds.show(seeds.parse(seed) if seed else seeds.draw())
        self._settings = settings
        self._engine: Engine | None = None
        self._judge: Judge | None = None
        self._collector: Collector | None = None
        self._boots: dict[tuple[str, str], list[BootSpec]] = {}
        self._lock: IO[str] | None = None

    def seed_text(self) -> str:
        return self._options["seed"] or ""

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            o = self._options
            self._settings = resolve(
                Course.load(self._root),
                stages=o.get("stage"),
                arches=o.get("arch"),
                src=o.get("src"),
                prior=o.get("prior"),
                seed=o.get("seed"),
                out=o.get("out"),
            )
        return self._settings

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = Engine(self.settings, portraits=self._portraits)
        return self._engine

    def cases(self, spec: CheckSpec) -> list[Case]:
        """The check on each architecture that its manifest offers it for."""
        course = self.settings.course
        stage = course.stage_of_check(spec.id)
        if stage is None:
            raise OperatorError(
                f"the check {spec.id!r} stands in no manifest",
                "add it to an assignment.toml, with its points",
            )
        entry = next(c for c in stage.checks if c.id == spec.id)
        before = [c.id for c in stage.checks[: stage.checks.index(entry)]]
        for need in spec.needs:
            if need not in before:
                raise OperatorError(
                    f"the check {spec.id!r} needs {need!r}, which does not stand "
                    f"before it in the manifest of {stage.id}",
                    "mend needs=, or the order there",
                )
        seed = self.settings.seed
        return [
            Case(entry, spec, stage, arch, seed, self.engine) for arch in entry.arches
        ]

    def wanted(self, case: Case) -> bool:
        return (case.arch, case.stage) in self.settings.pairs()

    def position(self, case: Case) -> tuple[int, int, bool, int]:
        """When the check is judged: by architecture, stage, manifest; but what needs no
        boot first, while the first ones run."""
        arch = self.settings.course.arches.index(case.arch)
        number = case.stage.checks.index(case.entry)
        return arch, case.stage.order, bool(case.spec.boots), number

    def open_out(self) -> None:
        """Take OUT for this run, and remove what an earlier one left there."""
        if self._lock is not None:
            return
        settings = self.settings
        try:
            settings.out.mkdir(parents=True, exist_ok=True)
            require_room(settings.out)
            self._lock = (settings.out / LOCK).open("w", encoding="ascii")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            course = settings.course
            write.clear(settings.out, course.arches, [s.id for s in course.stages])
            self._close_staffs()
        except BlockingIOError:
            raise OperatorError(
                f"another run is writing to OUT={settings.out}",
                "wait for it, or choose another folder with OUT=<folder>",
            ) from None
        except OSError as error:
            raise operator_fault(error, str(settings.out)) or OperatorError(
                f"OUT={settings.out} cannot be written: {error.strerror}",
                "choose another folder with OUT=<folder>",
            ) from None

    def _close_staffs(self) -> None:
        from grader.sandbox import Tier, close_staffs, detect

        if detect().tier is Tier.B:
            close_staffs(self.settings.course.root)

    def anticipate(self) -> None:
        """Start all boots of the chosen stages, before pytest is even imported."""
        pairs = self.settings.pairs()
        for arch, stage in pairs:
            self.engine.prefetch_image(arch, stage)
        for arch, stage in pairs:
            offered = {entry.id for entry in stage.checks_for(arch)}
            specs = [spec for spec in specs_of(stage.id) if spec.id in offered]
            self.engine.prefetch(arch, stage, [b for s in specs for b in s.boots])

    def begin(self, cases: list[Case]) -> None:
        """Start what the checks need; a worker starts a stage when it gets one."""
        for case in cases:
            boots = self._boots.setdefault((case.arch, case.stage.id), [])
            boots += [spec for spec in case.spec.boots if spec not in boots]
            names = [spec.name for spec in boots]
            if len(set(names)) != len(names):
                raise OperatorError(
                    f"two boots of {case.stage.id} have the same name",
                    f"rename one of {', '.join(sorted(names))}",
                )
        if cases and not self.is_worker:
            self.open_out()
            for arch, stage in self._groups(cases):
                self._prefetch(arch, stage)

    def begin_remote(self, ids: Iterable[str]) -> None:
        if any(CHECK.match(nodeid) for nodeid in ids):
            self.open_out()

    def _groups(self, cases: list[Case]) -> list[tuple[str, Stage]]:
        known = {(case.arch, case.stage.id): case.stage for case in cases}
        return [(arch, stage) for (arch, _), stage in known.items()]

    def _prefetch(self, arch: str, stage: Stage) -> None:
        boots = self._boots.get((arch, stage.id), [])
        if self._ahead:
            self.engine.prefetch(arch, stage, boots)
        else:
            self.engine.prefetch_discs(arch, stage, boots)

    def judge(self, case: Case, function: Function) -> Record:
        """Raises OperatorError if nobody can be graded like this."""
        if self._judge is None:
            self._judge = Judge(self.settings, self.engine)
        self._prefetch(case.arch, case.stage)
        outcome = self._judge.judge(case, function)
        return Record(
            arch=case.arch,
            stage=case.stage.id,
            result=outcome.result,
            facts=outcome.facts,
            messages=outcome.messages,
            boots=tuple(spec.name for spec in case.spec.boots),
        )

    def add(self, record: Record) -> None:
        if self._collector is None:
            self._collector = Collector(self.settings)
        self._collector.add(record)
        if self._follow:
            self._follow(self._judged(self._collector, unfinished=True))

    def finish(self) -> None:
        """Stop the machines, then write the verdict of each complete stage."""
        self._stop()
        if self._collector is None or self.is_worker:
            return
        self.verdicts = self._judged(self._collector)
        for verdict in self.verdicts:
            write.write_verdict(self.settings.out, verdict)
        self.write_summary()

    def _judged(
        self, collector: Collector, *, unfinished: bool = False
    ) -> list[Verdict]:
        from grader.tools import sandbox_tier, versions

        return collector.verdicts(sandbox_tier(), versions(), unfinished=unfinished)

    def status(self) -> int:
        """The exit status that the outcome so far amounts to."""
        if self.fault or len(self.verdicts) < len(self.settings.pairs()):
            return 2
        return write.exit_status(self.verdicts, bool(self._options.get("bonus")))

    def write_summary(self) -> None:
        write.write_summary(
            self.settings.out,
            self.verdicts,
            status=self.status(),
            seed=self.seed_text(),
            error=self.fault,
        )

    def summary_lines(self) -> list[str]:
        """For plain pytest: where the verdicts lie, and which stages have none."""
        if self._collector is None:
            return []
        lines = [
            f"{v.arch} {v.stage}: {v.points}/{v.max_points} points, {v.status.value}"
            for v in self.verdicts
        ]
        for arch, stage in self._collector.partial():
            lines.append(f"{arch} {stage}: no verdict, not every check was judged")
        lines.append(f"verdicts: {self.settings.out}  SEED={self.seed_text()}")
        return lines

    def _stop(self) -> None:
        if self._judge is not None:
            self._judge.close()
        if self._engine is not None:
            self._engine.close()

    def close(self) -> None:
        self._stop()
        if self._lock is not None:
            write.sweep(self.settings.out)
            self._lock.close()
            self._lock = None


def check_files(stage: str) -> list[Path]:
    """grader/checks/test_<NN>_*.py for the stage NN-name, then the staff's."""
    name = f"test_{stage[:2]}_*.py"
    return sorted(CHECKS.glob(name)) + sorted((CHECKS / STAFFS.name).glob(name))


def specs_of(stage: str) -> list[CheckSpec]:
    """What the stage's check files declare; one that is broken is left to pytest."""
    found: list[CheckSpec] = []
    for file in check_files(stage):
        try:
            parts = file.relative_to(CHECKS).with_suffix("").parts
            module = importlib.import_module(".".join(("grader.checks", *parts)))
        except Exception:
            continue
        marks = (getattr(each, MARK, None) for each in vars(module).values())
        found += [mark for mark in marks if isinstance(mark, CheckSpec)]
    return found
