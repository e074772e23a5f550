# SPDX-License-Identifier: MIT
"""Takes the gap files of every submission into OUT, where nothing changes them again.

Windows line ends are taken as they are: compiler and assembler read them, and so does a
student's own `make grade`. Another encoding than UTF-8 is a build error, at the line.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader.build.image import feed
from grader.cohort.model import SUBMISSIONS, HandedIn
from grader.course import Course, Stage
from grader.errors import OperatorError, operator_fault
from grader.intake.archive import Files, lay
from grader.intake.downloads import Source
from grader.intake.submission import Submission, Unreadable
from grader.verdict.model import plain

NAME_BYTES = 90


def take_in(
    source: Source, course: Course, stage: Stage, arches: Sequence[str], out: Path
) -> HandedIn:
    """Read one submission and freeze it. What is wrong with it is in the result;
    raises OperatorError if OUT cannot be written."""
    gaps = [gap for gap in stage.all_gaps() if _offered(stage, gap, arches)]
    title = plain(source.title, 200).replace("\n", " ")
    taken = HandedIn(
        name=name_of(source.title), stage=stage.id, title=title, people=source.people
    )
    try:
        found = source.read(course, (stage.id, gaps), out)
        if not found.has(stage.id):
            raise OperatorError(_wrong(found, course, stage), "")
    except Unreadable as error:
        return replace(taken, fault=str(error))
    except OperatorError as error:
        return replace(taken, problem=str(error))
    except (OSError, ValueError) as error:
        fault = operator_fault(error, str(out))
        if fault:
            raise fault from error
        return replace(taken, fault=f"it could not be read: {plain(str(error), 300)}")
    files = {
        f"{one.id}/{gap}": found.files[found.path(one.id, gap)]
        for one in course.upto(stage)
        for gap in one.all_gaps()
        if found.path(one.id, gap) in found.files
    }
    digest = _digest(files)
    src = Path(SUBMISSIONS, taken.name, f"src-{digest[:12]}")
    _freeze(files, [one.id for one in course.upto(stage)], out / src)
    notes = tuple(_notes(files, stage))
    return replace(taken, src=str(src), digest=digest, notes=notes)


def _offered(stage: Stage, gap: str, arches: Sequence[str]) -> bool:
    return any(gap in stage.gaps(arch) for arch in arches if arch in stage.arches)


def name_of(title: str) -> str:
    """A file name that is the same each time, and another for another title."""
    text = unicodedata.normalize("NFC", title)
    kept = re.sub(r"[^\w.-]+", "-", text).strip("-.")
    while len(kept.encode("utf-8")) > NAME_BYTES:
        kept = kept[:-1]
    if kept == title:
        return kept
    mark = hashlib.sha256(os.fsencode(title)).hexdigest()[:6]
    return f"{kept or 'submission'}-{mark}"


def _wrong(found: Submission, course: Course, stage: Stage) -> str:
    others = [one.id for one in course.stages if found.has(one.id)]
    return f"it holds {', '.join(others)}, and nothing of {stage.id}"


def _digest(files: Files) -> str:
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        feed(digest, path, data if isinstance(data, bytes) else data.name)
    return digest.hexdigest()


def _freeze(files: Files, stages: list[str], src: Path) -> None:
    """Write them whole, or not at all; a stage of which there is nothing is a folder
    without files, so that the build names what is missing."""
    if src.is_dir():
        return
    made = src.with_name(f".{src.name}.{secrets.token_hex(4)}")
    try:
        for stage in stages:
            (made / stage).mkdir(parents=True, exist_ok=True)
        lay(files, made)
        made.rename(src)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _notes(files: Files, stage: Stage) -> Iterator[str]:
    for path, data in sorted(files.items()):
        text = data if isinstance(data, bytes) else b""
        if path.startswith(f"{stage.id}/") and b"\r\n" in text:
            yield f"{path} has Windows line ends; they are read as they are"
