# SPDX-License-Identifier: MIT
"""Grades items: a line of JSON each on standard input, OUT/spool/<item>.json for each.

    python3 -m grader.cohort.worker OUT

The same command for every engine. All is imported once; each item is graded in a forked
process. Says the item's id on standard output when its outcome is spooled. Ends with
status 2 when nobody can be graded here, and then has spooled nothing for that item.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from grader.cohort.isolate import Ended, adopt, isolated, sweep
from grader.cohort.model import SUBMISSIONS, Attempt, Item, Outcome, spool_file
from grader.cohort.refused import command, refused
from grader.course import Course
from grader.engine import CORE_READY
from grader.errors import OperatorError, operator_fault, require_room
from grader.grading import Grading, specs_of
from grader.settings import ROOT, resolve
from grader.verdict.model import Status, Verdict
from grader.verdict.write import RUNS, exit_status, write_json, write_summary
from grader.verdict.write import write_verdict

TRIES = 2
LOG = "grader.log"
# Of a run these can be made again, from the frozen sources and the seed.
LARGE = ("boot.iso", "kernel.elf", "symbols.elf")
TRACE, TRACE_BYTES = "trace.log", 256 << 10
# What a run imports when it comes to it; _pytest's are those it loads for a session.
LATE = (
    *("grader.session", "grader.reports.write", "grader.reports.keep"),
    *("elftools.elf.elffile", "pexpect.fdpexpect", "encodings.cp437"),
    *("_pytest.helpconfig", "_pytest.python_path", "_pytest.skipping"),
    *("_pytest.threadexception", "_pytest.unraisableexception"),
)


class Worker:
    """Grades one item after the other, each in a folder of its own below OUT."""

    def __init__(self, out: Path, root: Path = ROOT) -> None:
        self.out = out
        self.course = Course.load(root)
        self.reference = root / "solutions"

    def prepare(self) -> None:
        """Import and look up what every item needs, before the first is forked for."""
        from grader.machine import Boot, IsoError, grub
        from grader.reports.page import template
        from grader.sandbox import detect
        from grader.tools import sandbox_tier, versions

        for name in LATE:
            with contextlib.suppress(ImportError):  # other versions lack some
                importlib.import_module(name)
        template()
        for stage in self.course.stages:
            specs_of(stage.id)
        sandbox_tier()
        versions(self.course.root)
        for arch in self.course.arches:
            with contextlib.suppress(IsoError, OSError):  # the first boot says so
                grub.waiting(arch, Boot.ram_mib, detect())

    def grade(self, item: Item) -> Outcome:
        """Try twice; then the reference in the same place tells whose fault it is.

        Raises OperatorError if the reference cannot be graded either.
        """
        attempts: list[Attempt] = []
        token = secrets.token_hex(8)
        for number in range(TRIES):
            folder = self._folder(item, f"{token}-{number}" if number else token)
            ended = self._try(item, folder)
            outcome = self._outcome(item, token, folder, ended)
            if outcome.status is not Status.HARNESS_ERROR:
                break
            if outcome.verdict is None:
                attempts.append(Attempt("died", ended.error))
            else:
                attempts.append(Attempt("harness error", _harness(outcome.verdict)))
            require_room(self.out)
            if number + 1 < TRIES:
                shutil.rmtree(folder, ignore_errors=True)
        if outcome.verdict is None:
            outcome = self._arbitrate(outcome, ended)
        return dataclasses.replace(outcome, attempts=tuple(attempts))

    def _arbitrate(self, outcome: Outcome, ended: Ended) -> Outcome:
        """The grader itself gave up twice. So does it with the reference, or not?"""
        item, folder = outcome.item, self.out / outcome.folder
        reference = str(self.reference)
        other = dataclasses.replace(item, src=reference, prior=reference)
        told = self._try(other, folder / "reference")
        shutil.rmtree(folder / "reference", ignore_errors=True)
        if told.operator:
            raise OperatorError(told.error, "")
        if told.data is None or told.data["verdict"]["status"] != Status.PASS.value:
            return outcome
        seen = f"The grader gave up twice over this submission: {ended.error}."
        hint = "The reference is graded in the same place. Ask the course's staff."
        verdict = refused(self.course, item, Status.FAIL, seen, hint)
        write_all(folder, verdict)
        return dataclasses.replace(outcome, verdict=verdict.to_json())

    def _folder(self, item: Item, token: str) -> Path:
        name = f"{item.stage}.{item.arch}.{item.carry.value}.{token}"
        return self.out / SUBMISSIONS / item.submission / name

    def _outcome(self, item: Item, token: str, folder: Path, ended: Ended) -> Outcome:
        data = ended.data
        return Outcome(
            item=item,
            token=token,
            verdict=data["verdict"] if data else None,
            folder=str(folder.relative_to(self.out)),
            cpu_s=round(ended.cpu_s + (data["qemu_cpu_s"] if data else 0.0), 3),
            wall_s=round(ended.wall_s, 3),
        )

    def _try(self, item: Item, folder: Path) -> Ended:
        folder.mkdir(parents=True, exist_ok=True)
        return isolated(lambda: self._graded(item, folder), folder / LOG)

    def _graded(self, item: Item, folder: Path) -> Mapping[str, Any]:
        """In the forked process: the verdict of one item, its reports written.

        One machine at a time, and none ahead: other workers keep the cores busy, and
        what hangs is not booted again for checks that it blocks.
        """
        from grader.session import run_checks

        settings = resolve(
            self.course,
            stages=item.stage,
            arches=item.arch,
            src=item.src,
            prior=item.prior,
            seed=item.seed,
            out=str(folder),
        )
        settings = dataclasses.replace(settings, parallel=1)
        grading = Grading({}, portraits=True, settings=settings, ahead=False)
        grading.open_out()
        try:
            error = run_checks(grading)
        finally:
            grading.close()
        if grading.fault or error:
            raise OperatorError(grading.fault or error, "")
        (verdict,) = grading.verdicts
        verdict = dataclasses.replace(verdict, command=command(item))
        write_all(folder, verdict)
        trim(folder, verdict)
        return {"verdict": verdict.to_json(), "qemu_cpu_s": grading.engine.cpu_s}


def write_all(folder: Path, verdict: Verdict) -> None:
    """The verdict of a run, and every report of it."""
    from grader.reports.write import write_reports

    write_verdict(folder, verdict)
    status = exit_status([verdict])
    write_summary(folder, [verdict], status=status, seed=verdict.seed)
    write_reports(folder)


def _harness(verdict: Mapping[str, Any]) -> str:
    """What the first check says that the grader failed at."""
    failed = Status.HARNESS_ERROR.value
    return next(str(c["seen"]) for c in verdict["checks"] if c["status"] == failed)


def trim(folder: Path, verdict: Verdict) -> None:
    """Remove what is large and can be made again; a log that explains a lost point
    stays, if it is short."""
    for file in folder.glob(f"*/*/{RUNS}/**/*"):
        long = file.name == TRACE and file.stat().st_size > TRACE_BYTES
        unread = file.name == TRACE and verdict.status is Status.PASS
        if file.name in LARGE or long or unread:
            file.unlink()
    log = folder / LOG
    if log.stat().st_size == 0:
        log.unlink()


def main(arguments: list[str]) -> int:
    os.environ[CORE_READY] = "ready"
    signal.signal(signal.SIGTERM, _stop)
    adopt()
    try:
        worker = Worker(Path(arguments[0]).resolve())
        worker.prepare()
        sweep()
        for line in iter(sys.stdin.readline, ""):
            item = Item.from_line(line)
            outcome = worker.grade(item)
            write_json(spool_file(worker.out, item), outcome.to_json())
            print(item.id, flush=True)
        return 0
    except Exception as error:
        fault = operator_fault(error, arguments[0])
        if fault is None:
            raise
        print(fault, file=sys.stderr)
        return 2


def _stop(_number: int, _frame: object) -> NoReturn:
    """Whoever is being graded is killed by the `finally` of its run."""
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
