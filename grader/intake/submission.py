# SPDX-License-Identifier: MIT
"""Submissions: each one's files, wherever its repository or its stages lie in it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from grader.course import Course
from grader.errors import OperatorError
from grader.git import git, git_bytes
from grader.intake.archive import ALL_BYTES, COUNT, FILE_BYTES, Files, Untaken
from grader.intake.archive import is_archive, read_archive
from grader.verdict.model import plain

# What is looked at of a repository; of a folder of stages, these.
TOPS = ("Makefile", "assignments", "kernel", "user", "grader", "ci")
NOT_SOURCES = (".git", "__pycache__")
DEPTH = 3  # how many folders may be wrapped around a repository
REGULAR, LINK = ("100644", "100755"), "120000"
# A stage, and those of its gap files that are looked for without its folder.
Gaps = tuple[str, Sequence[str]]
NO_GAPS: Gaps = ("", ())
ALONE = "hand in one archive, and nothing beside it"
LISTED_BYTES = 8 << 20


class Unreadable(OperatorError):
    """What lies here cannot be read, which is no fault of who handed it in."""


@dataclass(frozen=True)
class Submission:
    """files: by path below a repository's root, or, if it is not whole, by
    <stage>/<path>."""

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
    # Trees as well: a tree that names itself by many ways soon says too much.
    listing = ("ls-tree", "-r", "-t", "-z", "--long", "--full-tree", found)
    listed = git_bytes(root, *listing, most=LISTED_BYTES)
    blobs: dict[str, str] = {}
    untaken: Files = {}
    total = 0
    for line in listed.decode("utf-8", "replace").split("\0")[:-1]:
        head, _, path = line.partition("\t")
        mode, _, blob, size = head.split()
        if mode in REGULAR and int(size) <= FILE_BYTES:
            blobs[path] = blob
            total += int(size)
        elif mode in REGULAR:
            untaken[path] = Untaken.LARGE
        elif mode == LINK:
            untaken[path] = Untaken.LINK
    if len(blobs) > COUNT or total > ALL_BYTES:
        raise _endless(name)
    asked = "".join(f"{blob}\n" for blob in blobs.values()).encode()
    answer = git_bytes(root, "cat-file", "--batch", "--buffer", given=asked)
    files: Files = {}
    start = 0
    for path in blobs:
        end = answer.index(b"\n", start)
        size_bytes = int(answer[start:end].split()[2])
        files[path] = answer[end + 1 : end + 1 + size_bytes]
        start = end + 2 + size_bytes
    return located(name, {**files, **untaken}, course)


def archive(file: Path, course: Course, gaps: Gaps = NO_GAPS) -> Submission:
    return located(file.name, read_archive(file), course, gaps)


def folder(place: Path, course: Course, gaps: Gaps = NO_GAPS) -> Submission:
    """The repository or the stages that lie in `place`, or wrapped in it, or in the
    one archive that it holds; with `gaps`, also these without their stage's folder."""
    found = next(_roots([place.resolve()], course), None)
    if found is None:
        return _without_stage(place, course, gaps)
    tops = (*TOPS, *(stage.id for stage in course.stages))
    return located(place.name, _all(place, found, tops), course)


def _without_stage(place: Path, course: Course, gaps: Gaps) -> Submission:
    packed = [e.path for e in _entries(place) if is_archive(e.name) and _plain(e)]
    if len(packed) > 1:
        what = f"{plain(place.name)} holds {len(packed)} archives"
        raise OperatorError(what, ALONE)
    if packed:
        read = archive(Path(packed[0]), course, gaps)
        return Submission(place.name, read.files, read.whole)
    return located(
        place.name, _all(place, place, None) if gaps[1] else {}, course, gaps
    )


def _all(place: Path, root: Path, tops: Sequence[str] | None) -> Files:
    """The files and links below root that lie in `tops` (None: anywhere)."""
    files: Files = {}
    total = 0
    for count, path in enumerate(_walk(root, tops), 1):
        if path:
            files[path] = data = _read(root / path)
            total += len(data) if isinstance(data, bytes) else 0
        if count > COUNT or total > ALL_BYTES:
            raise _endless(place.name)
    return files


def beside(
    places: Sequence[Path], named: Callable[[str], str], course: Course, gaps: Gaps
) -> Submission:
    """Files that were handed in each by itself; named: the name that each one had."""
    first = places[0].name
    if any(is_archive(place.name) for place in places):
        raise OperatorError(f"{plain(first)} is one of {len(places)} files", ALONE)
    files = {named(place.name): _read(place) for place in places[:COUNT]}
    return located(first, files, course, gaps)


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


def one(place: Path, course: Course, gaps: Gaps = NO_GAPS) -> Submission:
    """The submission in a folder or archive. Raises OperatorError."""
    if place.is_symlink():
        raise OperatorError(f"{plain(place.name)} is a link", "give what it points to")
    opened = folder if place.is_dir() else archive
    return opened(place, course, gaps)


def located(
    name: str, files: Files, course: Course, gaps: Gaps = NO_GAPS
) -> Submission:
    """The submission in `files`, without what is wrapped around it."""
    stages = {stage.id for stage in course.stages}
    homes = {
        path.parts[:depth]
        for path in map(PurePosixPath, files)
        for depth, part in enumerate(path.parts[: DEPTH + 1])
        if part in stages
    }
    if not homes:
        loose = _loose(files, gaps)
        if not loose:
            raise _nothing(name)
        return Submission(name, loose, whole=False)

    def wrapped(home: tuple[str, ...]) -> tuple[int, bool, tuple[str, ...]]:
        whole = home[-1:] == ("assignments",)
        return len(home) - whole, whole, home

    home = min(homes, key=wrapped)
    whole = home[-1:] == ("assignments",)
    start = "".join(f"{part}/" for part in (home[:-1] if whole else home))
    kept = {p[len(start) :]: data for p, data in files.items() if p.startswith(start)}
    return Submission(name, kept, whole)


def _endless(name: str) -> OperatorError:
    what = f"{plain(name)} has more than {COUNT} files or {ALL_BYTES} bytes"
    return OperatorError(what, "remove what was built")


def _loose(files: Files, gaps: Gaps) -> Files:
    """The gap files of one stage that lie somewhere by their path, such as
    i386/load.asm, or else by their name, if only one gap and one file have that."""
    stage, wanted = gaps
    found: Files = {}
    names = [PurePosixPath(gap).name for gap in wanted]
    for gap, name in zip(wanted, names):
        there = [path for path in files if f"/{path}".endswith(f"/{gap}")]
        if not there and names.count(name) == 1:
            there = [path for path in files if PurePosixPath(path).name == name]
        if len(there) == 1:
            found[f"{stage}/{gap}"] = files[there[0]]
    return found


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


def _walk(root: Path, tops: Sequence[str] | None) -> Iterator[str]:
    """The files and links below root that lie in `tops` (None: anywhere), nothing
    behind a link; for all else that is there, ""."""
    todo = [""]
    while todo:
        below = todo.pop()
        for entry in _entries(root / below):
            wanted = below or tops is None or entry.name in tops
            wanted = wanted and entry.name not in NOT_SOURCES
            if wanted and entry.is_dir(follow_symlinks=False):
                todo.append(f"{below}{entry.name}/")
            known = _plain(entry) or entry.is_symlink()
            yield f"{below}{entry.name}" if wanted and known else ""


def _plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return sorted(islice(entries, COUNT + 1), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(error) from None


def _read(path: Path) -> bytes | Untaken:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Untaken.LARGE
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Untaken.LINK
        raise _unreadable(error) from None
    return data if len(data) <= FILE_BYTES else Untaken.LARGE


def _unreadable(error: OSError) -> Unreadable:
    name = plain(str(error.filename))
    return Unreadable(f"{name}: {error.strerror}", "see that it can be read")
