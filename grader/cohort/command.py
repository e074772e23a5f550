# SPDX-License-Identifier: MIT
"""The command `class`: its options, what it refuses, and what it says at the end."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from grader import seed as seeds
from grader.cohort import marks, regrade
from grader.cohort.engine import Engine
from grader.cohort.local import Local
from grader.cohort.model import STORE, Carry
from grader.cohort.plan import Planner, grader_digest
from grader.cohort.run import Run, held, stoppable
from grader.cohort.site import FILE, Site
from grader.cohort.slurm import Slurm
from grader.cohort.store import CANDIDATE, CURRENT, Store
from grader.course import Course, Stage
from grader.engine import make_core
from grader.errors import OperatorError
from grader.intake.downloads import sources
from grader.reports.terminal import console
from grader.sandbox import Tier, require_tier
from grader.settings import ROOT, cpus
from grader.tools import require

OUT = Path("build/class")
ENGINES = ("local", "slurm")
SHOWN = 20  # rows of a list


def class_run(root: Path, options: Mapping[str, Any]) -> int:
    """0 if everybody is scored, 1 if not."""
    course = Course.load(root)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "run this where they lie")
    if not options.get("stage"):
        raise OperatorError("A is missing: which stage", "give A=<stage>")
    stage = course.stage(options["stage"])
    arches = _arches(stage, options.get("arch"))
    if options.get("check") and course.stage_of_check(options["check"]) is not stage:
        what = f"CHECK={options['check']} is no check of {stage.id}"
        raise OperatorError(what, "see its assignment.toml")
    place = options.get("submissions")
    found = sources(Path(place)) if place else []
    require(arches)
    require_tier(Tier.A)
    for arch in arches:
        make_core(root, arch)
    out = Path(os.path.abspath(options.get("out") or root / OUT))
    with held(out):
        store = Store.open(out)
        seed = _seed(store, options.get("seed"))
        print(f"SEED={seeds.show(seed)} OUT={out}")
        engine = engine_of(options.get("engine") or ENGINES[0], out, options)
        state = CANDIDATE if options.get("check") else CURRENT
        run = Run(course, stage, arches, out, store, engine, state)
        carry = _carry(store, options.get("carry"))
        with stoppable(engine, lambda: _standing(store, course, stage)):
            run.recover()
            handed_in = run.take_in(found)
            if not handed_in:
                mend = "give the folder that has them"
                raise OperatorError("SUBMISSIONS is missing", mend)
            _late(store, stage, options)
            store.configure(**{marks.ARCHES_SETTING: " ".join(arches)})
            digest = grader_digest(course, arches)
            planner = Planner(course, out, seed, carry, digest)
            graded = run.grade(handed_in, planner)
        if options.get("check"):
            _regraded(store, out, stage, options["check"], options["accept"])
            if options["accept"]:
                _results(store, course, out, (), options)
            return 0
        print(f"{graded} graded now, {_standing(store, course, stage)}")
        status = _report(store, course, stage)
        _results(store, course, out, (stage.id,), options)
        return status


def class_results(root: Path, options: Mapping[str, Any]) -> int:
    """Write the results of a class run that is there anew; 0."""
    course = Course.load(root)
    out = Path(os.path.abspath(options.get("out") or root / OUT))
    if not (out / STORE).is_file():
        what = f"OUT={out} holds no class run"
        raise OperatorError(what, "grade first: make class SUBMISSIONS=… A=…")
    with held(out):
        store = Store.open(out)
        chosen = options.get("stage")
        stages = [course.stage(chosen).id] if chosen else store.stages()
        _results(store, course, out, stages, options)
    return 0


def _results(
    store: Store,
    course: Course,
    out: Path,
    compared: Sequence[str],
    options: Mapping[str, Any],
) -> None:
    from grader.cohort.results import write_results

    for line in write_results(store, course, out, compared, options):
        print(line)


def engine_of(name: str, out: Path, options: Mapping[str, Any]) -> Engine:
    if name not in ENGINES:
        what = f"ENGINE={name} is unknown"
        raise OperatorError(what, f"choose from {', '.join(ENGINES)}")
    jobs = str(options.get("jobs") or cpus())
    if not jobs.isdecimal() or not int(jobs):
        raise OperatorError(f"JOBS={jobs} is no number of workers", "write 2, say")
    if name == "slurm":
        site = Site.load(Path(options.get("site") or ROOT / FILE))
        return Slurm(out, site, int(jobs) if options.get("jobs") else None)
    return Local(out, int(jobs))


def _arches(stage: Stage, arch: str | None) -> tuple[str, ...]:
    if arch and arch not in stage.arches:
        known = ", ".join(stage.arches)
        what = f"{stage.id} is not offered for {arch!r}"
        raise OperatorError(what, f"choose ARCH from {known}")
    return (arch,) if arch else stage.arches


def _seed(store: Store, given: str | None) -> int:
    """The seed that is given, or that this class had before, or a new one; kept."""
    text = given or store.setting("seed")
    seed = seeds.parse(text) if text else seeds.draw()
    store.configure(seed=seeds.show(seed))
    return seed


def _carry(store: Store, given: str | None) -> Carry:
    """As it is given, or as this class had it before; kept, for its marks."""
    known = store.setting(marks.CARRY_SETTING)
    carry = Carry.parse(given or known or Carry.REFERENCE.value)
    store.configure(**{marks.CARRY_SETTING: carry.value})
    return carry


def _late(store: Store, stage: Stage, options: Mapping[str, Any]) -> None:
    if options.get("late_penalty"):
        try:
            penalty = float(options["late_penalty"])
            if not 0 <= penalty <= 100:
                raise ValueError
        except ValueError:
            what = f"LATE_PENALTY={options['late_penalty']} is no percentage"
            raise OperatorError(what, "write 10 for ten percent a day") from None
        store.configure(**{marks.PENALTY_SETTING: str(penalty)})
    if options.get("late"):
        every = store.handed_in(stage.id)
        every, unknown = marks.late(Path(options["late"]), every)
        store.hand_in(every)
        _list("in LATE, and handed nothing in", unknown)


def _standing(store: Store, course: Course, stage: Stage) -> str:
    every = marks.marks(store, course, stage.id)
    scored = sum(one.mark is not None for one in every)
    return f"{scored} of {len(every)} submissions scored"


def _report(store: Store, course: Course, stage: Stage) -> int:
    """What the class came to, and everything that somebody must look at."""
    every = marks.marks(store, course, stage.id)
    statuses = Counter(r.status for one in every for r in one.results)
    print(", ".join(f"{number} {status}" for status, number in statuses.most_common()))
    given = [float(one.mark) for one in every if one.mark is not None]
    if given:
        middle = statistics.median(given)
        full = every[0].max_points
        print(f"marks: {min(given):g} to {max(given):g} of {full}, median {middle:g}")
    problems = [one.handed_in for one in every if one.handed_in.problem]
    _list("nothing to grade", [f"{one.title}: {one.problem}" for one in problems])
    noted = [one.handed_in for one in every if one.handed_in.notes]
    _list("noted", [f"{one.title}: {'; '.join(one.notes)}" for one in noted])
    stale = [one.handed_in for one in every if one.handed_in.fault and one.results]
    lines = [f"{one.title}: {one.fault}" for one in stale]
    _list("not read today; what was read before counts", lines)
    died = {r["submission"] for r in store.attempts(stage.id) if r["what"] == "died"}
    _list("that the grader died over; look at these", sorted(died))
    last = {row["submission"]: row for row in store.attempts(stage.id)}
    unscored = [one.handed_in for one in every if one.mark is None]
    lines = [
        f"{one.title}: {one.fault or last.get(one.name, {}).get('detail', '')}"
        for one in unscored
    ]
    _list("NOT SCORED, no fault of theirs; the same command tries again", lines)
    print(f"store: {store.file}")
    return 1 if unscored else 0


def _list(what: str, lines: Sequence[str]) -> None:
    if lines:
        print(f"{len(lines)} {what}:")
        for line in lines[:SHOWN]:
            print(f"  {line}")
        if len(lines) > SHOWN:
            print(f"  and {len(lines) - SHOWN} more, in the store")


def _regraded(store: Store, out: Path, stage: Stage, check: str, accept: bool) -> None:
    every = regrade.changes(store, stage.id, check)
    changed = [each for each in every if each.changed]
    table = Table("submission", "arch", "before", "after", box=None, pad_edge=False)
    table.add_column("points", justify="right")
    for each in changed:
        new, old = each.result, each.old
        points = f"{old.points} → {new.points}"
        words = (each.before.status.value, each.after.status.value)
        table.add_row(new.submission, new.arch, *words, points)
    if changed:
        console().print(table)
    print(f"{check}: {len(changed)} of {len(every)} results change")
    others = Counter(check for each in every for check in each.others)
    lines = [f"{check}: {number}" for check, number in others.most_common()]
    _list("other checks came out otherwise too, and are left as they were", lines)
    if accept:
        regrade.accept(store, out, every)
        print("accepted: this check counts as it came out now")
    elif changed:
        print("nothing is changed yet; ACCEPT=1 lets it count")
