# SPDX-License-Identifier: MIT
"""Submissions that are git repositories: fetched bare, and read from there.

No command ever runs inside a student's tree: not even `git status`, which starts what
its configuration names. What is fetched lies in a new bare repository of our own, and
goes when it has been read.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from grader.course import Course
from grader.errors import OperatorError
from grader.git import git
from grader.intake.submission import Submission, Unreadable, commit
from grader.verdict.model import plain

BUNDLE = ".bundle"
FETCH_S = 120.0  # wall: a remote that answers slowly
FETCH_CPU_S = 60
FETCHED_BYTES = 64 << 20
HEAD = "refs/ringlab/head"
SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"),
    *("-c", "transfer.bundleURI=false", "-c", "fetch.recurseSubmodules=false"),
)
MAINS = ("main", "master")


def bundle(file: Path, course: Course, scratch: Path) -> Submission:
    """What a bundle's HEAD holds, or its only branch. Raises OperatorError."""
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        bare = _empty(Path(place))
        said = _fetch(bare, str(file.resolve()), f"+HEAD:{HEAD}", depth=False)
        if said:
            said = _fetch(
                bare, str(file.resolve()), "+refs/heads/*:refs/heads/*", False
            )
            if said:
                what = f"{plain(file.name, 200)} is no bundle that git can read: {said}"
                mend = "make it with `git bundle create work.bundle HEAD main`"
                raise OperatorError(what, mend)
            git(bare, "update-ref", HEAD, f"refs/heads/{_branch(bare, file.name)}")
        return _held(bare, file.name, course)


def remote(name: str, url: str, ref: str, course: Course, scratch: Path) -> Submission:
    """What `ref` (branch, tag or full commit; "": HEAD) of a remote holds.

    Raises Unreadable if it cannot be fetched.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        bare = _empty(Path(place))
        said = _fetch(bare, url, f"+{ref or 'HEAD'}:{HEAD}", depth=True)
        if said:
            raise Unreadable(
                f"{plain(name)} cannot be fetched: {said}", "see that it can"
            )
        return _held(bare, name, course)


def _empty(place: Path) -> Path:
    git(place, "init", "--quiet", "--bare", "--template=")
    return place


def _held(bare: Path, name: str, course: Course) -> Submission:
    found = commit(bare, HEAD, course)
    return Submission(name, found.files, found.whole)


def _branch(bare: Path, name: str) -> str:
    branches = git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads")
    known = branches.splitlines()
    for branch in known if len(known) == 1 else MAINS:
        if branch in known:
            return branch
    what = f"{plain(name)} has {len(known)} branches, and none is {' or '.join(MAINS)}"
    raise OperatorError(what, "make it with `git bundle create work.bundle HEAD main`")


def _fetch(bare: Path, url: str, refspec: str, depth: bool) -> str:
    """Fetch; returns what went wrong, in git's last words, "" if nothing did."""
    limits = [f"--fsize={FETCHED_BYTES}", f"--cpu={FETCH_CPU_S}"]
    command = ["prlimit", *limits, "git", *SAFE, "-C", str(bare), "fetch", "--quiet"]
    command += ["--no-tags", *(["--depth=1"] if depth else []), "--", url, refspec]
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    process = subprocess.Popen(
        command,
        env={**quiet, **os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        errors = process.communicate(timeout=FETCH_S)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"it took more than {FETCH_S:g} s"
    if process.returncode == 0:
        return ""
    lines = errors.strip().splitlines() or [f"status {process.returncode}"]
    return plain(lines[-1], 200)
