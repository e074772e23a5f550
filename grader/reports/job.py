# SPDX-License-Identifier: MIT
"""A finished run as a job shows it: `python3 -m grader.reports.job github OUT`.

A job shows the stages that have been begun. One of which every task is still open says
nothing about the student's work: it neither fails the job nor fills its pages.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

from grader.errors import OperatorError
from grader.reports import junit, markdown
from grader.reports.annotations import Annotation, annotate, for_github, for_gitlab
from grader.reports.data import RunData, StageData, load
from grader.reports.screenshot import screenshot
from grader.verdict.model import CheckResult, Status
from grader.verdict.write import JUNIT, exit_status, write_text

PLATFORMS = ("github", "gitlab")
FOLDER = "job"  # below OUT
QUALITY = "codequality.json"
SCREENS = "screens"


def begun(run: RunData) -> RunData:
    """The run without the stages of which every task is open."""
    stages = [s for s in run.stages if s.verdict.status is not Status.NOT_IMPLEMENTED]
    return dataclasses.replace(
        run,
        stages=tuple(stages),
        points=sum(s.verdict.points for s in stages),
        max_points=sum(s.verdict.max_points for s in stages),
        bonus=sum(s.verdict.bonus for s in stages),
    )


def summary(run: RunData) -> str:
    """The run in Markdown, and which stages are not part of it."""
    shown = begun(run)
    untouched = {s.verdict.stage: "" for s in run.stages if s not in shown.stages}
    note = f"\nNot begun: {', '.join(untouched)}.\n" if untouched else ""
    if not shown.stages and not run.error:
        return f"# ringlab: nothing has been begun yet\n{note}"
    return markdown.render(shown) + note


def status(run: RunData) -> int:
    """0: full points for all that has been begun; 1: not; 2: it could not grade."""
    if run.error:
        return 2
    verdicts = [stage.verdict for stage in begun(run).stages]
    return exit_status(verdicts) if verdicts else 0


def show(platform: str, out: Path) -> int:
    """Give the platform what it shows, and return the job's exit status.

    GitHub: annotations to standard output, and Markdown to the file that
    GITHUB_STEP_SUMMARY names. GitLab: OUT/job/junit.xml and codequality.json, and the
    screens of boots whose checks failed, which it finds by the path from where it runs.
    """
    run = load(out)
    found = annotate(begun(run))
    if platform == "github":
        sys.stdout.write(for_github(found))
        with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
            file.write(summary(run))
    else:
        report = junit.render(
            begun(run), pictures=lambda stage, check: _screens(out, stage, check)
        )
        write_text(out / FOLDER / JUNIT, report)
        write_text(out / FOLDER / QUALITY, for_gitlab(found))
    return status(run)


def _screens(out: Path, stage: StageData, check: CheckResult) -> list[str]:
    """Leave the screens that a check reads in OUT/job/screens; returns their paths."""
    paths = []
    for boot in stage.boots:
        if boot.name in check.boots and boot.screen:
            name = f"{stage.key}-{boot.name}.svg"
            write_text(out / FOLDER / SCREENS / name, screenshot(boot.screen))
            paths.append((out / FOLDER / SCREENS / name).as_posix())
    return paths


def main(words: list[str]) -> int:
    if len(words) != 2 or words[0] not in PLATFORMS:
        print(f"usage: {'|'.join(PLATFORMS)} OUT", file=sys.stderr)
        return 2
    try:
        return show(words[0], Path(words[1]))
    except OperatorError as error:
        print(error, file=sys.stderr)
        if words[0] == "github":
            fault = Annotation("error", "", 0, "It could not grade", str(error))
            sys.stdout.write(for_github([fault]))
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
