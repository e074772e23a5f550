# SPDX-License-Identifier: MIT
"""`grader advance`: the next assignment, merged into the branch that is checked out."""

from __future__ import annotations

import re
from pathlib import Path

from grader.course import Course
from grader.errors import OperatorError
from grader.git import git, uncommitted

UPSTREAM = "upstream"
ASSIGNMENT = re.compile(r"[0-9a-f]+\s+refs/heads/assignment/((\d\d)-[a-z][a-z0-9-]*)")


def advance(root: Path, to: str | None, remote: str | None) -> int:
    """Fetch from the course and merge; 1 if a gap file is left with a conflict.

    to: the stage to go on to (default: the next that is published). remote: name of the
    course's remote, or its URL (default: upstream, else origin).
    """
    course = Course.load(root)
    _require_committed(root)
    place = _remote(root, remote)
    target = _target(root, place, course, to)
    git(root, "fetch", "-q", place, f"refs/heads/assignment/{target}")
    new = git(root, "rev-parse", "FETCH_HEAD")
    base = git(root, "merge-base", "HEAD", new, allowed=(0, 1))
    if base == new:
        print(f"assignment/{target} is merged already")
        return 0
    theirs = _not_theirs(root, course, base)
    message = f"Merge assignment/{target}"
    words = ["merge", "-q", "--no-ff", "--no-edit", "-m", message]
    words += [] if base else ["--allow-unrelated-histories"]
    git(root, *words, new, allowed=(0, 1))
    left = _settle(root, course, new, related=bool(base))
    for path in theirs:
        print(f"{path} is not yours to change; the grader uses its own")
    if left:
        for path in left:
            print(f"{path}: you and the course changed the same lines")
        print(
            "mend these between the marks <<<<<<< and >>>>>>>, then git add and commit"
        )
        return 1
    if git(root, "ls-files", "--unmerged") or (_merging(root)):
        git(root, "commit", "-q", "--no-edit", "-m", message)
    print(f"merged assignment/{target}; its sheet: assignments/{target}/README.md")
    return 0


def _settle(root: Path, course: Course, new: str, related: bool) -> list[str]:
    """Take the course's version of what is the course's; gap files that conflict are
    left to the student, and stay as they are where no history joins the two."""
    gaps = _gaps(course)
    left = []
    names = git(root, "diff", "--name-only", "--diff-filter=U", "-z")
    for path in filter(None, names.split("\0")):
        if path in gaps and related:
            left.append(path)
            continue
        side = "--ours" if path in gaps else "--theirs"
        if side == "--theirs" and not git(root, "ls-tree", new, "--", path):
            git(root, "rm", "-q", "--", path)
            continue
        git(root, "checkout", "-q", side, "--", path, allowed=(0, 1))
        git(root, "add", "--", path)
    return left


def _gaps(course: Course) -> set[str]:
    return {f"assignments/{s.id}/{gap}" for s in course.stages for gap in s.all_gaps()}


def _not_theirs(root: Path, course: Course, base: str) -> list[str]:
    """Files of the course that the student changed since the last assignment."""
    if not base:
        return []
    names = git(root, "diff", "--name-only", "--diff-filter=MDT", "-z", base, "HEAD")
    return sorted({*filter(None, names.split("\0"))} - _gaps(course))


def _target(root: Path, remote: str, course: Course, to: str | None) -> str:
    listed = git(root, "ls-remote", "--heads", remote, "assignment/*")
    known = {found[1]: int(found[2]) for found in ASSIGNMENT.finditer(listed)}
    if not known:
        mend = "give COURSE=<name or URL of the course's remote>"
        raise OperatorError(f"{remote} has no assignment branch", mend)
    if to:
        if to not in known:
            names = ", ".join(sorted(known))
            raise OperatorError(
                f"there is no assignment/{to}", f"choose TO from {names}"
            )
        return to
    here = course.stages[-1].order
    later = sorted((order, name) for name, order in known.items() if order > here)
    if later:
        return later[0][1]
    # Nothing newer: what was mended in the assignment at hand.
    newest = max((order, name) for name, order in known.items())
    return newest[1]


def _remote(root: Path, remote: str | None) -> str:
    names = git(root, "remote").splitlines()
    if remote:
        return remote
    for name in (UPSTREAM, "origin"):
        if name in names:
            return name
    mend = "git remote add upstream <the course's URL>, or give COURSE=<URL>"
    raise OperatorError("this repository knows no course", mend)


def _require_committed(root: Path) -> None:
    if _merging(root):
        mend = "finish it with git commit, or leave it with git merge --abort"
        raise OperatorError("a merge is under way", mend)
    changed = uncommitted(root)
    if changed:
        mend = "commit it first, with git commit -a"
        raise OperatorError(f"{changed} has changes that are in no commit", mend)


def _merging(root: Path) -> bool:
    path = git(root, "rev-parse", "--git-path", "MERGE_HEAD")
    return (root / path).exists()
