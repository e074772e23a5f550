# SPDX-License-Identifier: MIT
"""The proof that each branch works by itself: a clean clone of it, and its own verbs.

`make test` there must find every check of an open task not implemented and every other
one passed; with the reference as SRC, `make grade` must find every check passed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course, Stage
from grader.errors import OperatorError
from grader.verdict.model import CheckResult, Status, Verdict
from grader.verdict.write import VERDICT, read_verdict

FRESH = "fresh/"
DESK = Path("build/desk")  # where grader/desk.mk has `make test` leave its verdicts
FULL = Path("build/reference")
TASK = re.compile(r"\bTASK(?:_OPEN\W+|\s+)(\d+\.\d+)\b")
KEPT = ("PATH", "HOME", "TMPDIR")
LIMIT_S = 3600  # wall clock, for one command of a branch


@dataclass(frozen=True)
class Fault:
    """What is wrong with a branch; log: all that its commands printed."""

    branch: str
    what: str
    log: Path


def prove(
    repository: Path,
    branches: Sequence[str],
    solutions: Path,
    work: Path,
    arch: str | None = None,
) -> list[Fault]:
    """Prove the branches of `repository`, one after the other, and say so.

    solutions: the reference. work: gets a clone of each, and keeps those with faults.
    arch: only this one (default: all that the branch offers).
    """
    found: list[Fault] = []
    for number, branch in enumerate(branches, 1):
        began = time.monotonic()
        faults = _Branch(repository, branch, solutions, work, arch).faults()
        seconds = time.monotonic() - began
        result = f"{len(faults)} faults" if faults else "proven"
        count = f"{number:{len(str(len(branches)))}}/{len(branches)}"
        print(f"{count} {branch:28} {result} ({seconds:.0f} s)", flush=True)
        found += faults
    return found


class _Branch:
    def __init__(
        self,
        repository: Path,
        branch: str,
        solutions: Path,
        work: Path,
        arch: str | None,
    ) -> None:
        self.repository, self.name, self.solutions = repository, branch, solutions
        self.folder = work.resolve() / branch
        self.log = self.folder.with_name(f"{self.folder.name}.log")
        self.choice = [f"ARCH={arch}"] if arch else []

    def faults(self) -> list[Fault]:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        source = self.repository.resolve().as_uri()
        words = ("git", "clone", "-q", "--single-branch", "-b", self.name, source)
        said = self._run(self.folder.parent, *words, str(self.folder))
        try:
            told = [said] if said else [*self._handouts(), *self._reference()]
        except OperatorError as error:
            told = [str(error)]
        if not told:
            shutil.rmtree(self.folder)
            self.log.unlink()
        return [Fault(self.name, what, self.log) for what in told]

    def _run(self, place: Path, *command: str) -> str:
        """Why the command failed, or ""; in an environment that knows nothing of us."""
        clean = {name: os.environ[name] for name in KEPT if name in os.environ}
        with self.log.open("a", encoding="utf-8") as log:
            try:
                done = subprocess.run(
                    command,
                    cwd=place,
                    env=clean,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=LIMIT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"`{' '.join(command[:2])}` does not end"
        if done.returncode == 0:
            return ""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        told = [line for line in lines if re.search(r"rror\b|^grader:|missing", line)]
        first = (told or lines[-1:] or ["it says nothing"])[0].strip()
        return f"`{' '.join(command[:2])}` fails: {first}"

    def _handouts(self) -> Iterator[str]:
        """As the branch is: what is open is not implemented, all else is right."""
        said = self._run(self.folder, "make", "test", *self.choice)
        if said:
            yield said
            return
        unsolved: set[str] = set()
        for stage, verdict in self._verdicts(DESK):
            tasks = open_tasks(stage, verdict.arch)
            for check in verdict.checks:
                is_open = check.task in tasks or verdict.arch in unsolved
                wanted = Status.NOT_IMPLEMENTED if is_open else Status.PASS
                if check.status is not wanted:
                    yield _told(verdict, check, wanted)
            if tasks:
                unsolved.add(verdict.arch)

    def _reference(self) -> Iterator[str]:
        """With the reference as SRC; on a fresh branch its own earlier stages count."""
        words = [f"SRC={self.solutions.resolve()}", f"OUT={FULL}", *self.choice]
        if self.name.startswith(FRESH):
            words += [f"A={self.name.removeprefix(FRESH)}", "PRIOR=assignments"]
        said = self._run(self.folder, "make", "grade", *words)
        told = [
            _told(verdict, check, Status.PASS)
            for _, verdict in self._verdicts(FULL)
            for check in verdict.checks
            if check.status is not Status.PASS
        ]
        if said and not told:
            told = [said]
        for what in told:
            yield f"with the reference, {what}"

    def _verdicts(self, out: Path) -> Iterator[tuple[Stage, Verdict]]:
        """Those of a run, an architecture's stages in their order."""
        found = [read_verdict(f) for f in (self.folder / out).glob(f"*/*/{VERDICT}")]
        course = Course.load(self.folder)
        for verdict in sorted(found, key=lambda v: (v.arch, v.stage)):
            yield course.stage(verdict.stage), verdict


def open_tasks(stage: Stage, arch: str) -> set[str]:
    """The tasks that the gap files of `stage` leave to the student."""
    texts = ((stage.folder / gap).read_text("utf-8") for gap in stage.gaps(arch))
    return {task for text in texts for task in TASK.findall(text)}


def _told(verdict: Verdict, check: CheckResult, wanted: Status) -> str:
    status = f"{check.status.value}, and must be: {wanted.value}"
    return f"{verdict.arch} {check.id}: {status}. {check.seen}".strip()
