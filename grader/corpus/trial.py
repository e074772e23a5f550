# SPDX-License-Identifier: MIT
"""Grades known submissions side by side: did each get the verdict it must get."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from grader import seed as seeds
from grader.course import Course, Stage
from grader.engine import CORE_READY, make_core
from grader.errors import OperatorError, require_room
from grader.verdict.model import Status, Verdict
from grader.verdict.write import VERDICT, read_verdict, write_json

FAILED = (Status.FAIL, Status.BUILD_ERROR)


@dataclass(frozen=True)
class Trial:
    """How one submission came out; `good` if that is as it must be.

    failed, passed: ids of the checks. detail: what is not as it must be.
    """

    stage: str
    name: str
    arch: str
    outcome: str
    good: bool
    failed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    detail: str = ""

    def bad(self, outcome: str, detail: str) -> Trial:
        """The same submission, but not as it must be."""
        return replace(self, outcome=outcome, good=False, detail=detail)


@dataclass(frozen=True)
class Entry(ABC):
    """A known submission for one stage and architecture."""

    stage: str
    name: str
    arch: str

    @abstractmethod
    def lay_out(self, root: Path, src: Path) -> str:
        """Write the gap files to src/<stage>; returns why that cannot be, or ""."""

    def command(self, words: list[str], out: Path) -> list[str]:
        """The command that grades it, given the usual one."""
        return words

    def ungraded(self, said: str) -> Trial:
        """How it came out if there is no verdict; said: what the grader wrote."""
        last = (said.strip().splitlines() or ["no message"])[-1]
        who = (self.stage, self.name, self.arch)
        return Trial(*who, "not graded", False, detail=last)

    def contained(self, trial: Trial, out: Path, printed: str) -> Trial:
        """The trial, unless what it did besides is not as it must be."""
        return trial

    def outcome(self, verdict: Verdict) -> Trial:
        """What `judge` says, of a verdict that the grader could reach."""
        if verdict.status is Status.HARNESS_ERROR:
            detail = "the grader itself failed"
            return self.trial(verdict, "harness error", False, detail)
        return self.judge(verdict)

    @abstractmethod
    def judge(self, verdict: Verdict) -> Trial:
        """Compare the verdict with the one that it must get."""

    def trial(self, verdict: Verdict, outcome: str, good: bool, detail: str) -> Trial:
        checks = verdict.checks
        failed = tuple(c.id for c in checks if c.status in FAILED)
        passed = tuple(c.id for c in checks if c.status is Status.PASS)
        who = (self.stage, self.name, self.arch)
        return Trial(*who, outcome, good, failed, passed, detail)


@dataclass(frozen=True)
class Corpus:
    """One set of known submissions.

    name: of the verb, and of build/<name>.json. find: all entries of a stage in a
    folder of the set's layout. home: the folder that it has in the repository.
    """

    name: str
    find: Callable[[Path, Stage], Sequence[Entry]]
    home: str

    def collect(
        self, course: Course, folder: Path, stage: str | None, arch: str | None
    ) -> list[Entry]:
        """The entries of one stage, or all; of one architecture, or all."""
        chosen = [course.stage(stage)] if stage else course.stages
        found = [e for s in chosen for e in self.find(folder, s)]
        found = [e for e in found if not arch or e.arch == arch]
        if not found:
            raise OperatorError(
                f"{folder} holds nothing for {self.name}",
                "lay it out as grader/README.md says, <stage>/<name>",
            )
        return found


def run(
    corpus: Corpus,
    root: Path,
    *,
    stage: str | None = None,
    arch: str | None = None,
    folder: Path | None = None,
    seed: str | None = None,
    jobs: int | None = None,
) -> int:
    """Grade them all, print and write build/<name>.json; 1 if one is not as it must."""
    course = Course.load(root)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "run this where they lie")
    given = folder or root / corpus.home
    if not given.is_dir():
        raise OperatorError(f"there is no folder {given}", "give one that exists")
    chosen = corpus.collect(course, given, stage, arch)
    seed = seeds.show(seeds.parse(seed) if seed else seeds.draw())
    work = root / "build" / corpus.name
    require_room(work)
    for each in sorted({entry.arch for entry in chosen}):
        make_core(root, each)
    trials = _side_by_side(chosen, root, work, seed, jobs or os.cpu_count() or 1)
    good = sum(trial.good for trial in trials)
    report = work.with_suffix(".json")
    data = {"seed": seed, "good": good, corpus.name: [asdict(t) for t in trials]}
    write_json(report, data)
    _table(trials)
    print(f"{good} of {len(trials)} got the verdict they must get  SEED={seed}")
    return 0 if good == len(trials) else 1


def _side_by_side(
    chosen: list[Entry], root: Path, work: Path, seed: str, jobs: int
) -> list[Trial]:
    trials: list[Trial] = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(grade, entry, root, work, seed) for entry in chosen]
        try:
            for future in as_completed(futures):
                trials.append(future.result())
                _progress(len(trials), len(chosen), trials[-1])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    order = {(e.stage, e.name, e.arch): n for n, e in enumerate(chosen)}
    return sorted(trials, key=lambda t: order[t.stage, t.name, t.arch])


def grade(entry: Entry, root: Path, work: Path, seed: str) -> Trial:
    """Grade one submission in a folder of its own below `work`."""
    who = (entry.stage, entry.name, entry.arch)
    out = work / entry.arch / entry.stage / entry.name
    shutil.rmtree(out, ignore_errors=True)
    said = entry.lay_out(root, out / "src")
    if said:
        return Trial(*who, "not applied", False, detail=said.splitlines()[0])
    options = {
        "stage": entry.stage,
        "arch": entry.arch,
        "src": str(out / "src"),
        "prior": str(root / "solutions"),
        "seed": seed,
        "out": str(out),
    }
    command = [sys.executable, "-m", "grader", "grade", "--verdicts-only"]
    command += [f"--{key}={value}" for key, value in options.items()]
    environment = {**os.environ, CORE_READY: "ready"}
    command = entry.command(command, out)
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    path = out / entry.arch / entry.stage / VERDICT
    if path.exists():
        trial = entry.outcome(read_verdict(path))
    else:
        trial = entry.ungraded(done.stderr)
    trial = entry.contained(trial, out, done.stdout) if trial.good else trial
    if trial.good:
        # Nobody will look into it, and a sweep of all ports alone leaves 64 MiB.
        shutil.rmtree(out, ignore_errors=True)
    return trial


def missing(words: Sequence[str], told: Sequence[str]) -> list[str]:
    """Those of `words` that do not occur in what the student is told."""
    text = " ".join("\n".join(told).lower().split())
    return [word for word in words if word.lower() not in text]


def _progress(done: int, total: int, trial: Trial) -> None:
    mark = "ok " if trial.good else "BAD"
    name = f"{trial.stage}/{trial.name}"
    failed = ", ".join(trial.failed)
    line = f"{done:3}/{total} {mark} {trial.arch:7}{name:36} {trial.outcome:18}"
    print(f"{line} {failed}".rstrip(), flush=True)
    if not trial.good and trial.detail:
        print(f"            {trial.detail}", flush=True)


def _table(trials: Sequence[Trial]) -> None:
    """How many came out how, by stage and architecture."""
    from rich.table import Table

    from grader.reports.terminal import console

    outcomes = sorted({t.outcome for t in trials})
    table = Table("stage", "arch", box=None, pad_edge=False)
    for outcome in outcomes:
        table.add_column(outcome, justify="right")
    counts = Counter((t.stage, t.arch, t.outcome) for t in trials)
    for stage, arch in sorted({(t.stage, t.arch) for t in trials}):
        numbers = (counts[stage, arch, outcome] for outcome in outcomes)
        table.add_row(stage, arch, *(str(n) if n else "" for n in numbers))
    totals = Counter(t.outcome for t in trials)
    table.add_row("all", "", *(str(totals[outcome]) for outcome in outcomes))
    console().print(table)
