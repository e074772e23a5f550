# SPDX-License-Identifier: MIT
"""OUT/feedback/<name>/: what a student may see of all stages, for mail or upload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from grader import reports
from grader.build.image import feed
from grader.cohort.marks import Mark
from grader.cohort.results.gather import StageResults
from grader.cohort.store import Result
from grader.reports import markdown, page
from grader.reports.data import RunData, seen_by_student, stage_data
from grader.verdict.model import Verdict
from grader.verdict.view import for_student
from grader.verdict.write import HTML, MARKDOWN, stage_folder, write_json, write_text

FOLDER = "feedback"
MADE = ".made.json"  # of each folder, what it was made from
NOTES = "notes.txt"
# Names that Windows has for devices, whatever follows behind a dot.
DEVICES = {"con", "prn", "aux", "nul"}
DEVICES |= {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}


def write(out: Path, stages: Sequence[StageResults], day: date) -> dict[str, str]:
    """Write the folders that are not up to date; each submission's, by name.

    day: the one whose view of the staff's checks it is.
    """
    every: dict[str, list[Mark]] = {}
    for stage in stages:
        for mark in stage.marks:
            every.setdefault(mark.handed_in.name, []).append(mark)
    folders = safe(every)
    before = _made(out / FOLDER / MADE)
    now = {}
    source = _source()
    for name, marks in every.items():
        verdicts = [*_verdicts(marks)]
        seen = [for_student(verdict, day) for verdict, _ in verdicts]
        digest = hashlib.sha256()
        feed(digest, source, *(result.token for _, result in verdicts), _notes(marks))
        feed(digest, *(json.dumps(each.to_json(), sort_keys=True) for each in seen))
        now[folders[name]] = digest.hexdigest()
        if before.get(folders[name]) != digest.hexdigest():
            run = seen_by_student(_run(out, verdicts), day)
            _write(out / FOLDER / folders[name], run, _notes(marks))
    write_json(out / FOLDER / MADE, now)
    return folders


def safe(names: Iterable[str]) -> dict[str, str]:
    """Folder names that any file system takes and tells apart."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        device = name.partition(".")[0].casefold() in DEVICES
        folder = name
        if device or name.casefold() in taken:
            folder = f"{hashlib.sha256(name.encode()).hexdigest()[:6]}-{name}"
        taken.add(folder.casefold())
        found[name] = folder
    return found


def _verdicts(marks: Sequence[Mark]) -> Iterator[tuple[Verdict, Result]]:
    for result in (result for mark in marks for result in mark.results):
        if result.verdict:
            yield Verdict.from_json(result.verdict), result


def _run(out: Path, graded: Sequence[tuple[Verdict, Result]]) -> RunData:
    """What was graded, as one run with all stages and architectures."""
    stages = [
        stage_data(verdict, stage_folder(out / r.folder, r.arch, r.stage))
        for verdict, r in graded
    ]
    verdicts = [verdict for verdict, _ in graded]
    return RunData(
        seed=", ".join(dict.fromkeys(verdict.seed for verdict in verdicts)),
        points=sum(verdict.points for verdict in verdicts),
        max_points=sum(verdict.max_points for verdict in verdicts),
        bonus=sum(verdict.bonus for verdict in verdicts),
        error="",
        stages=tuple(stages),
    )


def _notes(marks: Sequence[Mark]) -> str:
    """What no report says: it is about the submission."""
    lines = []
    for mark in marks:
        one = mark.handed_in
        told = [*one.notes, one.problem and f"nothing was graded: {one.problem}"]
        if mark.percent:
            late = f"{one.late_days:g} days late, which takes {mark.percent:g} %"
            told.append(f"{late} of the points")
        if mark.mark is None:
            told.append("not graded yet, which is no fault of yours")
        lines += [f"{one.stage}: {text}.\n" for text in told if text]
    return "".join(lines)


def _write(folder: Path, run: RunData, notes: str) -> None:
    for name, text in (
        (NOTES, notes),
        (MARKDOWN, markdown.render(run) if run.stages else ""),
        (HTML, page.render(run) if run.stages else ""),
    ):
        if text:
            write_text(folder / name, text)
        else:
            (folder / name).unlink(missing_ok=True)


def _source() -> str:
    """A digest of what makes reports."""
    digest = hashlib.sha256()
    for file in sorted(Path(reports.__file__).parent.iterdir()):
        if file.is_file():
            feed(digest, file.name, file.read_bytes())
    return digest.hexdigest()


def _made(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
