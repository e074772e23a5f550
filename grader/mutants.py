# SPDX-License-Identifier: MIT
"""Runs the wrong solutions: does each fail the checks it must, for the right reason."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from grader import seed as seeds
from grader.course import Course, Stage
from grader.engine import CORE_READY, make_core
from grader.errors import OperatorError, require_room
from grader.verdict.model import Status, Verdict
from grader.verdict.write import VERDICT, read_verdict, write_json

FOLDER = Path("grader/mutants")
WORK = Path("build/mutants")
REPORT = Path("build/mutants.json")
KEYS = ("arch", "fails", "says", "why", "survives")
FIELD = re.compile(r"([A-Z][a-z]+):\s*(.*)")
BODY = re.compile(r"(diff |--- |Index: )")
FAILED = (Status.FAIL, Status.BUILD_ERROR)
ALONGSIDE = (Status.PASS, Status.BLOCKED, Status.NOT_IMPLEMENTED)
ALL = "all"


@dataclass(frozen=True)
class Mutant:
    """A wrong solution: the patch, and the verdict that it must get.

    fails: ids of exactly those checks that must fail, or "all". says: words that must
    all occur in what these tell. survives: why the patch changes nothing.
    """

    stage: str
    name: str
    arch: str
    patch: Path
    fails: tuple[str, ...]
    says: tuple[str, ...]
    survives: str


@dataclass(frozen=True)
class Trial:
    """How one mutant came out; `good` if that is as its header states."""

    stage: str
    name: str
    arch: str
    outcome: str
    good: bool
    failed: tuple[str, ...] = ()
    detail: str = ""


def read(patch: Path, stage: Stage, course: Course) -> list[Mutant]:
    """The mutants of a patch, one for each architecture in its header."""

    def bad(what: str, mend: str) -> OperatorError:
        return OperatorError(f"{patch}: {what}", mend)

    fields = _header(patch)
    for key in fields:
        if key not in KEYS:
            raise bad(f"{key.title()}: is unknown", "use Arch Fails Says Why Survives")
    arches = tuple(fields.get("arch", " ".join(stage.arches)).replace(",", " ").split())
    for arch in arches:
        if arch not in stage.arches:
            raise bad(f"Arch: {arch} is not offered", f"use {' '.join(stage.arches)}")
    survives = fields.get("survives", "")
    fails = tuple(fields.get("fails", "").replace(",", " ").split())
    if bool(fails) == bool(survives):
        raise bad("neither or both of Fails: and Survives:", "give one of them")
    says = _words(fields.get("says", ""))
    if fails and not (says and fields.get("why")):
        raise bad("Says: or Why: is missing", "add it to the header")
    known = {check.id for check in stage.checks} | {ALL}
    for check in fails:
        if check not in known:
            raise bad(f"Fails: {check} is no check", f"see {stage.id}'s manifest")
    return [
        Mutant(stage.id, patch.stem, a, patch, fails, says, survives) for a in arches
    ]


def _header(patch: Path) -> dict[str, str]:
    """The lines `Key: text` before the patch; an indented one goes on with the last."""
    fields: dict[str, str] = {}
    last = ""
    for line in patch.read_text(encoding="utf-8").splitlines():
        if BODY.match(line):
            break
        found = FIELD.match(line)
        if found:
            last = found[1].lower()
            fields[last] = found[2].strip()
        elif line.startswith((" ", "\t")) and last:
            fields[last] += " " + line.strip()
    return fields


def _words(text: str) -> tuple[str, ...]:
    """Words, or "several of them" in quotes; commas separate too."""
    lexer = shlex.shlex(text.replace(",", " "), posix=True)
    lexer.whitespace_split = True
    lexer.quotes = '"'
    lexer.escape = ""
    lexer.commenters = ""
    return tuple(lexer)


def collect(
    course: Course, folder: Path, stages: str | None, arch: str | None
) -> list[Mutant]:
    found: list[Mutant] = []
    chosen = [course.stage(stages)] if stages else list(course.stages)
    for stage in chosen:
        for patch in sorted((folder / stage.id).glob("*.patch")):
            found += [
                m for m in read(patch, stage, course) if arch in (None, "", m.arch)
            ]
    if not found:
        raise OperatorError(f"no mutant in {folder}", "add <stage>/<name>.patch there")
    return found


def apply(mutant: Mutant, root: Path, src: Path) -> str:
    """Copy solutions/<stage> to src and patch it; returns what git said if it cannot.

    Paths in the patch are relative to the stage's folder, or to the repository's root.
    """
    target = src / mutant.stage
    shutil.rmtree(src, ignore_errors=True)
    shutil.copytree(root / "solutions" / mutant.stage, target)
    text = mutant.patch.read_text(encoding="utf-8")
    prefix = f"b/solutions/{mutant.stage}/"
    depth = 3 if f"+++ {prefix}" in text else 1
    # Outside of any repository git applies to plain files, whatever is tracked.
    clean = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(src)}
    patch = str(mutant.patch.resolve())
    command = ["git", "apply", "--whitespace=nowarn", f"-p{depth}", patch]
    done = subprocess.run(
        command, cwd=target, env=clean, capture_output=True, text=True, check=False
    )
    return done.stderr.strip() if done.returncode else ""


def judge(mutant: Mutant, verdict: Verdict) -> Trial:
    """Compare a verdict with what the mutant's header states."""

    def trial(outcome: str, good: bool, detail: str = "") -> Trial:
        return Trial(
            mutant.stage, mutant.name, mutant.arch, outcome, good, failed, detail
        )

    failed = tuple(c.id for c in verdict.checks if c.status in FAILED)
    if verdict.status is Status.HARNESS_ERROR:
        return trial("harness error", False, "the grader itself failed")
    if mutant.survives:
        if all(c.status is Status.PASS for c in verdict.checks):
            return trial("survived", True, mutant.survives)
        return trial("killed", False, "it is stated to survive")
    if not failed:
        return trial("survived", False, f"nothing of {', '.join(mutant.fails)} fails")
    named = tuple(c.id for c in verdict.checks) if ALL in mutant.fails else mutant.fails
    if set(failed) != set(named):
        return trial("wrong checks", False, f"stated: {', '.join(named)}")
    told = [c.explanation() for c in verdict.checks if c.id in named]
    told += [m.text for m in verdict.messages]
    text = " ".join("\n".join(told).lower().split())
    missing = [w for w in mutant.says if w.lower() not in text]
    if missing:
        return trial("wrongly explained", False, f"never says {', '.join(missing)}")
    return trial("killed", True)


def mutants(
    root: Path,
    stages: str | None,
    arch: str | None,
    folder: Path | None,
    seed: str | None,
) -> int:
    """Run them all, print and write build/mutants.json; 1 if one is not as stated."""
    course = Course.load(root)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "run this where they lie")
    chosen = collect(course, folder or root / FOLDER, stages, arch)
    seed = seeds.show(seeds.parse(seed) if seed else seeds.draw())
    require_room(root / WORK)
    for each in sorted({m.arch for m in chosen}):
        make_core(root, each)
    trials: list[Trial] = []
    jobs = os.cpu_count() or 1
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_run, mutant, root, seed) for mutant in chosen]
        try:
            for future in as_completed(futures):
                trials.append(future.result())
                _progress(len(trials), len(chosen), trials[-1])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    order = {(m.stage, m.name, m.arch): n for n, m in enumerate(chosen)}
    trials.sort(key=lambda t: order[t.stage, t.name, t.arch])
    good = sum(trial.good for trial in trials)
    data = {"seed": seed, "good": good, "mutants": [asdict(t) for t in trials]}
    write_json(root / REPORT, data)
    print(f"{good} of {len(trials)} mutants got their verdict  SEED={seed}")
    return 0 if good == len(trials) else 1


def _run(mutant: Mutant, root: Path, seed: str) -> Trial:
    work = root / WORK / mutant.arch / mutant.stage / mutant.name
    said = apply(mutant, root, work / "src")
    if said:
        name, detail = "not applied", said.splitlines()[0]
        return Trial(mutant.stage, mutant.name, mutant.arch, name, False, (), detail)
    options = {
        "stage": mutant.stage,
        "arch": mutant.arch,
        "src": str(work / "src"),
        "prior": str(root / "solutions"),
        "seed": seed,
        "out": str(work),
    }
    command = [sys.executable, "-m", "grader", "grade"]
    command += [f"--{key}={value}" for key, value in options.items()]
    done = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, CORE_READY: "ready"},
        capture_output=True,
        text=True,
        check=False,
    )
    path = work / mutant.arch / mutant.stage / VERDICT
    if not path.exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        name = "not graded"
        return Trial(mutant.stage, mutant.name, mutant.arch, name, False, (), last)
    trial = judge(mutant, read_verdict(path))
    if trial.good:
        # Nobody will look into it, and a sweep of all ports alone leaves 64 MiB.
        shutil.rmtree(work, ignore_errors=True)
    return trial


def _progress(done: int, total: int, trial: Trial) -> None:
    mark = "ok " if trial.good else "BAD"
    name = f"{trial.stage}/{trial.name}"
    failed = ", ".join(trial.failed)
    line = (
        f"{done:3}/{total} {mark} {trial.arch:7}{name:36} {trial.outcome:18} {failed}"
    )
    print(line.rstrip(), flush=True)
    if not trial.good and trial.detail:
        print(f"            {trial.detail}", flush=True)
