# SPDX-License-Identifier: MIT
"""Submissions: each one's files, wherever its repository or its stages lie in it."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from grader.course import Course
from grader.errors import OperatorError
from grader.git import git, git_bytes
from grader.intake.archive import ALL_BYTES, COUNT, FILE_BYTES, Files
from grader.intake.archive import is_archive, read_archive
from grader.verdict.model import plain

# What is looked at of a repository; of a folder of stages, these.
TOPS = ("Makefile", "assignments", "kernel", "user", "grader", "ci")
NOT_SOURCES = (".git", "__pycache__")
DEPTH = 3  # how many folders may be wrapped around a repository
REGULAR = ("100644", "100755")


@dataclass(frozen=True)
class Submission:
    """files: by path below a repository's root, or, if it is not whole, by
    <stage>/<path>. A file of more than FILE_BYTES is None."""

    name: str
    files: Files
    whole: bool

    def path(self, stage: str, gap: str = "") -> str:
        """Where a gap file, or a stage's folder, stands in files."""
        return f"assignments/{stage}/{gap}" if self.whole else f"{stage}/{gap}"

    def has(self, stage: str) -> bool:
        return any(path.startswith(self.path(stage)) for path in self.files)


def commit(root: Path, name: str, course: Course) -> Submission:
    """What a branch or commit of our own repository `root` holds."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    found = git(root, *words, f"{name}^{{commit}}", allowed=(0, 1, 128))
    if not found:
        raise OperatorError(
            f"WITH={name} is no folder, no archive, and no branch or commit here",
            "give one that is there; `git branch -a` lists the branches",
        )
    listed = git_bytes(root, "ls-tree", "-r", "-z", "--long", "--full-tree", found)
    blobs: dict[str, str] = {}
    large: Files = {}
    for line in listed.decode("utf-8", "replace").split("\0")[:-1]:
        head, _, path = line.partition("\t")
        mode, _, blob, size = head.split()
        if mode in REGULAR and int(size) <= FILE_BYTES:
            blobs[path] = blob
        elif mode in REGULAR:
            large[path] = None
    asked = "".join(f"{blob}\n" for blob in blobs.values()).encode()
    answer = git_bytes(root, "cat-file", "--batch", "--buffer", given=asked)
    files: Files = {}
    start = 0
    for path in blobs:
        end = answer.index(b"\n", start)
        size_bytes = int(answer[start:end].split()[2])
        files[path] = answer[end + 1 : end + 1 + size_bytes]
        start = end + 2 + size_bytes
    return located(name, {**files, **large}, course)


def archive(file: Path, course: Course) -> Submission:
    return located(file.name, read_archive(file), course)


def folder(place: Path, course: Course) -> Submission:
    """The repository or the stages that lie in `place`, or wrapped in it, or in the
    one archive that it holds."""
    found = next(_roots([place.resolve()], course), None)
    if found is None:
        packed = [e.path for e in _entries(place) if is_archive(e.name) and _plain(e)]
        if len(packed) == 1:
            read = archive(Path(packed[0]), course)
            return Submission(place.name, read.files, read.whole)
        raise _nothing(place.name)
    tops = (*TOPS, *(stage.id for stage in course.stages))
    files: Files = {}
    total = 0
    for count, path in enumerate(_walk(found, tops), 1):
        if path:
            files[path] = data = _read(found / path)
            total += len(data or b"")
        if count > COUNT or total > ALL_BYTES:
            what = f"has more than {COUNT} files or {ALL_BYTES} bytes"
            raise OperatorError(f"{plain(place.name)} {what}", "remove what was built")
    return located(place.name, files, course)


def loose(place: Path, paths: Sequence[str]) -> Files:
    """Those of `paths` that lie in the folder itself, behind no link; or, where only
    one of them has that name, a file of its name alone."""
    names = Counter(PurePosixPath(path).name for path in paths)
    alone = {
        PurePosixPath(path).name: path
        for path in paths
        if names[PurePosixPath(path).name] == 1
    }
    wanted = alone | {path: path for path in paths}
    here = _walk(place, {path.partition("/")[0] for path in wanted})
    # The file with the whole path wins, as it comes last.
    found = sorted((p for p in here if p in wanted), key=lambda p: p == wanted[p])
    return {wanted[path]: _read(place / path) for path in found}


def is_one(place: Path, course: Course) -> bool:
    """Whether the folder is itself a repository, or holds stages."""
    names = [stage.id for stage in course.stages]
    homes = (place, place / "assignments")
    return any(os.path.isdir(home / name) for home in homes for name in names)


def inside(place: Path) -> list[Path]:
    """The submissions in a folder of them, links too; each is to be opened by one()."""
    found = [
        Path(entry.path)
        for entry in _entries(place)
        if not entry.name.startswith(".")
        and (entry.is_dir() or entry.is_symlink() or is_archive(entry.name))
    ]
    if not found:
        raise OperatorError(
            f"WITH={place} holds no submission",
            "give a repository, a folder of stages, or a folder of folders or archives",
        )
    return sorted(found)


def one(place: Path, course: Course) -> Submission:
    """The submission in a folder or archive. Raises OperatorError."""
    if place.is_symlink():
        raise OperatorError(f"{plain(place.name)} is a link", "give what it points to")
    return folder(place, course) if place.is_dir() else archive(place, course)


def located(name: str, files: Files, course: Course) -> Submission:
    """The submission in `files`, without what is wrapped around it."""
    stages = {stage.id for stage in course.stages}
    homes = {
        path.parts[:depth]
        for path in map(PurePosixPath, files)
        for depth, part in enumerate(path.parts[: DEPTH + 1])
        if part in stages
    }
    if not homes:
        raise _nothing(name)

    def wrapped(home: tuple[str, ...]) -> tuple[int, bool, tuple[str, ...]]:
        whole = home[-1:] == ("assignments",)
        return len(home) - whole, whole, home

    home = min(homes, key=wrapped)
    whole = home[-1:] == ("assignments",)
    start = "".join(f"{part}/" for part in (home[:-1] if whole else home))
    kept = {p[len(start) :]: data for p, data in files.items() if p.startswith(start)}
    return Submission(name, kept, whole)


def _nothing(name: str) -> OperatorError:
    return OperatorError(
        f"{plain(name)} holds no stage",
        "lay it out as <stage>/<file>, or as a repository with assignments/",
    )


def _roots(places: list[Path], course: Course, depth: int = DEPTH) -> Iterator[Path]:
    """Folders that are a submission, the outermost first."""
    yield from (place for place in places if is_one(place, course))
    entries = (entry for place in places for entry in _entries(place))
    inner = (
        Path(entry.path)
        for entry in entries
        if entry.is_dir(follow_symlinks=False) and entry.name not in NOT_SOURCES
    )
    if depth and places:
        yield from _roots([*islice(inner, COUNT)], course, depth - 1)


def _walk(root: Path, tops: Iterable[str]) -> Iterator[str]:
    """The regular files below root that lie in `tops`, behind no link; for all else
    that is there, ""."""
    todo = [""]
    while todo:
        below = todo.pop()
        for entry in _entries(root / below):
            wanted = (below or entry.name in tops) and entry.name not in NOT_SOURCES
            if wanted and entry.is_dir(follow_symlinks=False):
                todo.append(f"{below}{entry.name}/")
            yield f"{below}{entry.name}" if wanted and _plain(entry) else ""


def _plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return sorted(islice(entries, COUNT + 1), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(error) from None


def _read(path: Path) -> bytes | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(error) from None
    return data if len(data) <= FILE_BYTES else None


def _unreadable(error: OSError) -> OperatorError:
    name = plain(str(error.filename))
    return OperatorError(f"{name}: {error.strerror}", "see that it can be read")
