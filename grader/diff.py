# SPDX-License-Identifier: MIT
"""A student's gap files against the handout, and against the solution."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from grader.course import Course, Stage
from grader.errors import OperatorError
from grader.verdict.model import plain

OURS = ("Makefile", "assignments", "kernel", "user", "grader", "ci")
NOT_SOURCES = (".git", "__pycache__", "build")
FILE_BYTES = 1 << 20
SHOWN = 40


def diff(root: Path, stages: str | None, arch: str | None, student: str | None) -> int:
    """Print the comparison with `student`, a folder or a branch; always 0."""
    if not student:
        raise OperatorError(
            "there is nothing to compare with", "give WITH=<branch or folder>"
        )
    course = Course.load(root)
    chosen = [course.stage(stages)] if stages else list(course.stages)
    with tempfile.TemporaryDirectory(prefix="ringlab-diff-") as scratch:
        tree = _tree(root, student, Path(scratch))
        strangers = _changed(course, tree)
        if strangers:
            print("Changed, but not theirs to change; the grader uses its own:")
            for line in strangers[:SHOWN]:
                print(f"  {line}")
            if len(strangers) > SHOWN:
                print(f"  … and {len(strangers) - SHOWN} more")
            print()
        for stage in chosen:
            if len(chosen) == 1 or (_source(course, tree) / stage.id).is_dir():
                _compare(course, stage, arch, tree, Path(scratch))
    return 0


def _tree(root: Path, student: str, scratch: Path) -> Path:
    """The student's folder; a branch is unpacked. No git inside a submission."""
    if Path(student).is_dir():
        return Path(student).resolve()
    command = ["git", "-C", str(root), "archive", "--format=tar", f"{student}^{{tree}}"]
    done = subprocess.run(command, capture_output=True, check=False)
    if student.startswith("-") or done.returncode != 0:
        raise OperatorError(
            f"WITH={student} is neither a folder nor a branch here",
            "give a folder, or a branch that `git branch -a` shows",
        )
    tree = scratch / "branch"
    tree.mkdir()
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        for member in archive:
            path = tree / member.name
            data = archive.extractfile(member) if member.isreg() else None
            if data is not None and member.size <= FILE_BYTES:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data.read())
    return tree


def _source(course: Course, tree: Path) -> Path:
    here = any((tree / stage.id).is_dir() for stage in course.stages)
    return tree if here else tree / "assignments"


def _changed(course: Course, tree: Path) -> list[str]:
    """What a student changed outside of the gap files; only for a whole repository."""
    if _source(course, tree) == tree:
        return []
    gaps = {
        Path("assignments", stage.id, gap)
        for stage in course.stages
        for gap in stage.all_gaps()
    }
    ours = set(_files(course.root)) - gaps
    theirs = set(_files(tree)) - gaps
    found = {path: "changed" for path in ours & theirs}
    found.update({path: "added" for path in theirs - ours})
    # Handed-out branches lack the staff's part, so that what is missing says nothing.
    return [
        f"{kind:8} {plain(str(path))}"
        for path, kind in sorted(found.items())
        if kind == "added" or _bytes(course.root / path) != _bytes(tree / path)
    ]


def _files(root: Path) -> Iterator[Path]:
    for name in OURS:
        if (root / name).is_file():
            yield Path(name)
        for folder, folders, files in os.walk(root / name):
            folders[:] = [f for f in folders if f not in NOT_SOURCES]
            for file in files:
                yield (Path(folder) / file).relative_to(root)


def _bytes(path: Path) -> bytes | None:
    """The file's bytes; None for what is no regular file of a sensible size, or lies
    behind a link."""
    if path.resolve() != path or not path.is_file() or path.stat().st_size > FILE_BYTES:
        return None
    return path.read_bytes()


def _compare(
    course: Course, stage: Stage, arch: str | None, tree: Path, scratch: Path
) -> None:
    gaps = stage.gaps(arch) if arch in stage.arches and arch else stage.all_gaps()
    theirs = _source(course, tree) / stage.id
    work = scratch / stage.id
    sides = {"handout": course.root / "assignments" / stage.id, "student": theirs}
    if (course.root / "solutions" / stage.id).is_dir():
        sides["solution"] = course.root / "solutions" / stage.id
    for name, folder in sides.items():
        for gap in gaps:
            data = _bytes(folder / gap)
            if data is not None:
                copy = work / name / gap
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(plain(data.decode("utf-8", "replace"), FILE_BYTES))
        (work / name).mkdir(parents=True, exist_ok=True)
    for gap in gaps:
        if not (work / "student" / gap).exists():
            print(f"{stage.id}/{gap}: the student has no such file")
    for before, after in (("handout", "student"), ("student", "solution")):
        if after in sides:
            print(f"== {stage.id}: from {before} to {after}", flush=True)
            _show(work, before, after)


def _show(work: Path, before: str, after: str) -> None:
    """git diff in a scratch folder, where no configuration but git's own applies."""
    colour = "always" if sys.stdout.isatty() else "never"
    style = "--color-words" if sys.stdout.isatty() else "--patch"
    command = ["git", "--no-pager", "diff", "--no-index", "--no-ext-diff", style]
    command += [f"--color={colour}", "--no-prefix", "--", before, after]
    clean = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(work),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(work.parent),
    }
    done = subprocess.run(command, cwd=work, env=clean, stdout=subprocess.PIPE)
    if done.returncode > 1:
        raise OperatorError("git diff failed", "see its message above")
    text = done.stdout.decode("utf-8", "replace")
    sys.stdout.write(text or "no difference\n")
    sys.stdout.flush()
