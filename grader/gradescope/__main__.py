# SPDX-License-Identifier: MIT
"""What runs in Gradescope's container: `python3 -m grader.gradescope [--prepare]`.

The platform gives a run that it has to end a zero. So the run ends itself before, and
each check that was judged leaves a result with the points so far. A run that cannot
grade leaves none, and the platform says that the autograder failed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from grader import interrupt
from grader.course import Course
from grader.errors import OperatorError
from grader.grade import grade
from grader.gradescope import JOB
from grader.intake import submission
from grader.intake.archive import lay
from grader.reports.data import RunData, StageData, seen_by_student
from grader.reports.platforms import export
from grader.reports.platforms.gradescope import results
from grader.reports.platforms.told import fault
from grader.sandbox import Tier, detect
from grader.settings import ROOT
from grader.verdict.model import Verdict
from grader.verdict.write import write_text

PLATFORM = Path("/autograder")
RESERVE_S = 45  # between our end and the platform's
WORK = ROOT / "build" / "gradescope"
REFERENCE = ROOT / "solutions"


def main(words: Sequence[str], platform: Path = PLATFORM) -> int:
    try:
        job = json.loads((ROOT / JOB).read_text(encoding="utf-8"))
    except OSError:
        print(f"{JOB} is missing; this runs in a zip of make gradescope")
        return 2
    # Of the host's cores the container gets a part of one, and memory for one machine.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    signal.signal(signal.SIGINT, interrupt.interrupt)
    signal.signal(signal.SIGALRM, interrupt.interrupt)
    try:
        return prepare(job) if words else run(job, platform)
    except OperatorError as error:
        print(f"grader: {error}")
        return 2


def prepare(job: dict[str, Any]) -> int:
    """In the image, once: the reference must have full points here."""
    out = WORK / "prepare"
    words = {"stage": job["stage"], "arch": " ".join(job["arches"]), "out": str(out)}
    try:
        return grade({**words, "src": str(REFERENCE), "verdicts_only": True})
    finally:
        # What was built of the reference is no one's to find.
        shutil.rmtree(out, ignore_errors=True)
        for arch in job["arches"]:
            shutil.rmtree(ROOT / "build" / "cache" / arch, ignore_errors=True)


def run(job: dict[str, Any], platform: Path) -> int:
    """Grade what lies in `platform`/submission, and leave results/results.json."""
    file = platform / "results" / "results.json"
    file.unlink(missing_ok=True)
    if detect().tier is Tier.C:
        # Nothing keeps its compiler from reading what the grader reads.
        shutil.rmtree(REFERENCE / job["stage"], ignore_errors=True)
    source = collect(platform / "submission", job)
    partial = Partial(file, job)
    out = WORK / "grade"
    signal.setitimer(signal.ITIMER_REAL, job["minutes"] * 60 - RESERVE_S)
    try:
        grade(
            {
                "stage": job["stage"],
                "arch": " ".join(job["arches"]),
                "src": str(source),
                "prior": str(REFERENCE),
                "out": str(out),
                "verdicts_only": True,
            },
            partial.follow,
        )
    except KeyboardInterrupt:
        print("grader: time is up; what was judged so far stands in the result")
        return 0 if file.exists() else 2
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return export("gradescope", out, file, date.today())


def collect(place: Path, job: dict[str, Any]) -> Path:
    """Copy the gap files that were handed in, as regular files; returns SRC.

    They lie as in the repository, or without folders around them.
    """
    course = Course.load(ROOT)
    stage = course.stage(job["stage"])
    gaps = [*dict.fromkeys(gap for arch in job["arches"] for gap in stage.gaps(arch))]
    try:
        handed = submission.folder(place, course, (stage.id, gaps))
    except OperatorError as error:
        print(f"grader: {error}")
        handed = submission.Submission(place.name, {}, whole=False)
    paths = {handed.path(stage.id, gap): gap for gap in gaps}
    found = {paths[path]: handed.files[path] for path in paths.keys() & handed.files}
    print(f"handed in, of {stage.id}: {', '.join(sorted(found)) or 'no file'}")
    target = WORK / "submission"
    shutil.rmtree(target, ignore_errors=True)
    (target / stage.id).mkdir(parents=True)
    lay(found, target / stage.id)
    return target


class Partial:
    """Leaves a result after each check, in case that nothing comes after it."""

    def __init__(self, file: Path, job: dict[str, Any]) -> None:
        self._file = file
        stage = Course.load(ROOT).stage(job["stage"])
        self._total = sum(len(stage.checks_for(arch)) for arch in job["arches"])

    def follow(self, verdicts: list[Verdict]) -> None:
        shown = seen_by_student(_so_far(verdicts), date.today())
        if fault(shown):
            return
        judged = sum(len(stage.verdict.checks) for stage in shown.stages)
        note = (
            f"Not finished: {judged} of {self._total} checks are judged, and these are "
            "the points so far. A program that hangs uses up the time of the others."
        )
        write_text(self._file, results(shown, note))


def _so_far(verdicts: list[Verdict]) -> RunData:
    return RunData(
        seed=verdicts[0].seed if verdicts else "",
        points=sum(v.points for v in verdicts),
        max_points=sum(v.max_points for v in verdicts),
        bonus=sum(v.bonus for v in verdicts),
        error="",
        stages=tuple(StageData(verdict, ()) for verdict in verdicts),
    )


if __name__ == "__main__":
    ended = main(sys.argv[1:])
    interrupt.settle()
    sys.exit(ended)
