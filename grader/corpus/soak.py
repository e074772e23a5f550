# SPDX-License-Identifier: MIT
"""Grades the same again and again, idle and under load: does anything differ."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from grader import seed as seeds
from grader.course import Course
from grader.engine import CORE_READY, make_core
from grader.errors import OperatorError, require_room
from grader.verdict.write import VERDICT, write_json

WORK = Path("build/soak")
REPORT = Path("build/soak.json")
IDLE, LOADED = "idle", "loaded"
# Where a run was, with which tools and how long it took is no part of a verdict.
CIRCUMSTANCES = ("command", "logs", "sandbox", "tools")
BURST = 200_000


@dataclass(frozen=True)
class Round:
    """One repetition: what every pair's verdict said, circumstances apart."""

    seed: str
    load: str
    said: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """A pair that did not always say the same, or not what full points say.

    kind: "deterministic" (always so with this seed), "load-dependent" (all idle rounds
    agree, and a loaded one does not), "random" (idle rounds differ among themselves).
    """

    pair: str
    seed: str
    kind: str
    detail: str


def soak(
    root: Path,
    *,
    stage: str | None = None,
    arch: str | None = None,
    src: str | None = None,
    seed: str | None = None,
    repeats: int = 3,
    seeds_count: int = 1,
) -> int:
    """Grade `repeats` times idle and as often loaded, for each seed; 1 if any differs.

    src: whose work (default: the reference, which must get full points each time).
    """
    course = Course.load(root)
    if repeats < 2:
        raise OperatorError("one repeat shows no difference", "give N=2 or more")
    for each in [arch] if arch else course.arches:
        make_core(root, each)
    require_room(root / WORK)
    first = seeds.parse(seed) if seed else seeds.draw()
    chosen = [
        seeds.show((first + n) % 2**seeds.SEED_BITS) for n in range(seeds_count)
    ]
    plan = [
        (s, load) for s in chosen for load in (IDLE, LOADED) for _ in range(repeats)
    ]
    rounds: list[Round] = []
    began = time.monotonic()
    options = {"stage": stage, "arch": arch, "src": src}
    try:
        for number, (each, load) in enumerate(plan, 1):
            with _competition() if load == LOADED else _silence():
                rounds.append(_round(root, each, load, options))
            spent = time.monotonic() - began
            left = spent / number * (len(plan) - number)
            pairs = len(rounds[-1].said)
            print(
                f"{number:3}/{len(plan)} {load:6} SEED={each} {pairs} verdicts, "
                f"about {left / 60:.0f} min left",
                flush=True,
            )
    finally:
        shutil.rmtree(root / WORK, ignore_errors=True)
    found = compare(rounds, must_pass=src is None)
    _report(root, rounds, found)
    return 1 if found else 0


def _round(root: Path, seed: str, load: str, options: dict[str, str | None]) -> Round:
    out = root / WORK
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "grader", "grade", "--verdicts-only"]
    command += [f"--seed={seed}"]
    command += [f"--{key}={text}" for key, text in options.items() if text]
    command += [f"--out={out}"]
    environment = {**os.environ, CORE_READY: "ready"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    files = sorted(out.glob(f"*/*/{VERDICT}"))
    if not files:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OperatorError(f"nothing was graded: {last}", "see `make grade`")
    return Round(seed, load, {_name(file): _said(file) for file in files})


def _name(file: Path) -> str:
    return f"{file.parent.name} {file.parent.parent.name}"


def _said(file: Path) -> str:
    """The verdict's text without its circumstances; its digest is part of it."""
    data = json.loads(file.read_text("utf-8"))
    return json.dumps({k: v for k, v in data.items() if k not in CIRCUMSTANCES})


def compare(rounds: Sequence[Round], *, must_pass: bool) -> list[Difference]:
    """What differs between rounds of one seed, and what never gets full points."""
    found = []
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for each in rounds:
        for pair, said in each.said.items():
            groups[pair, each.seed].append((each.load, said))
    for (pair, seed), runs in groups.items():
        idle = {said for load, said in runs if load == IDLE}
        every = {said for _, said in runs}
        if len(every) > 1:
            kind = "random" if len(idle) > 1 else "load-dependent"
            found.append(Difference(pair, seed, kind, _where(runs)))
        elif must_pass and json.loads(runs[0][1])["status"] != "pass":
            detail = "the reference does not get full points"
            found.append(Difference(pair, seed, "deterministic", detail))
    return found


def _where(runs: Sequence[tuple[str, str]]) -> str:
    """Which checks, or only the digest, differ from what most rounds say."""
    usual = json.loads(Counter(said for _, said in runs).most_common(1)[0][0])
    ids = set()
    for _, said in runs:
        for check, other in zip(usual["checks"], json.loads(said)["checks"]):
            if check != other:
                ids.add(check["id"])
    return ", ".join(sorted(ids)) or "the evidence digest alone"


def _report(root: Path, rounds: list[Round], found: list[Difference]) -> None:
    verdicts = Counter(each.load for each in rounds for _ in each.said)
    data = {
        "seeds": sorted({each.seed for each in rounds}),
        "verdicts": dict(verdicts),
        "differences": [asdict(each) for each in found],
    }
    write_json(root / REPORT, data)
    for each in found:
        print(f"{each.kind}: {each.pair} SEED={each.seed}: {each.detail}")
    counts = ", ".join(f"{number} {load}" for load, number in verdicts.items())
    print(f"{len(found)} differences in {counts} verdicts")


@contextmanager
def _silence() -> Iterator[None]:
    yield


@contextmanager
def _competition() -> Iterator[None]:
    """Keep every core busy with other work, twice over, until left."""
    busy = [
        multiprocessing.Process(target=_burn, args=(os.getpid(),), daemon=True)
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()
        for process in busy:
            process.join()


def _burn(parent: int) -> None:
    """Arithmetic and memory traffic in bursts; ends with the process that wants it."""
    block = bytearray(8 << 20)
    while os.getppid() == parent:
        sum(range(BURST))
        block = bytearray(reversed(block[:BURST])) + block[BURST:]
