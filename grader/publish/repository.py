# SPDX-License-Identifier: MIT
"""A bare repository of its own, in which branches are made before anyone gets them."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.errors import OperatorError

PREFIXES = ("assignment", "fresh")
# Git's own configuration alone applies: the same input gives the same commits.
NEUTRAL = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


class Repository:
    """Raises OperatorError with git's own words when git refuses."""

    def __init__(self, folder: Path, author: str, date: str) -> None:
        self.folder = folder
        name, _, address = author.partition(" <")
        self._environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        self._environment.update(NEUTRAL)
        for who in ("AUTHOR", "COMMITTER"):
            self._environment[f"GIT_{who}_NAME"] = name
            self._environment[f"GIT_{who}_EMAIL"] = address.rstrip(">")
            self._environment[f"GIT_{who}_DATE"] = date
        folder.mkdir(parents=True)
        self._run("init", "-q", "--bare")

    def _run(self, *words: str, allowed: Sequence[int] = (0,), **extra: str) -> str:
        done = subprocess.run(
            ["git", f"--git-dir={self.folder}", *words],
            env={**self._environment, **extra},
            capture_output=True,
            check=False,
        )
        if done.returncode not in allowed:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise OperatorError(
                f"git {words[0]}: {said}", "mend that, then publish again"
            )
        return done.stdout.decode("utf-8", "replace").strip()

    def fetch(self, remote: str) -> None:
        """Take over what the remote already has of ours."""
        specs = [f"+refs/heads/{p}/*:refs/heads/{p}/*" for p in PREFIXES]
        self._run("fetch", "-q", "--no-tags", remote, *specs)

    def branches(self) -> dict[str, str]:
        """Name to commit."""
        pattern = "--format=%(refname:short) %(objectname)"
        lines = self._run("for-each-ref", pattern, "refs/heads").splitlines()
        return dict(line.split() for line in lines)

    def tree(self, folder: Path) -> str:
        """Store all files of `folder`; the id of their tree."""
        index = str(self.folder / "publish.index")
        Path(index).unlink(missing_ok=True)
        work = f"--work-tree={folder}"
        settings = ("-c", "core.autocrlf=false", "-c", "core.fileMode=true")
        self._run(work, *settings, "add", "-A", "-f", ".", GIT_INDEX_FILE=index)
        return self._run("write-tree", GIT_INDEX_FILE=index)

    def tree_of(self, commit: str) -> str:
        return self._run("rev-parse", f"{commit}^{{tree}}")

    def contains(self, commit: str, ancestor: str) -> bool:
        found = self._run("merge-base", commit, ancestor, allowed=(0, 1))
        return found == ancestor

    def commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        return self._run("commit-tree", tree, *words, "-m", message)

    def point(self, branch: str, commit: str | None) -> None:
        """Set the branch, or remove it."""
        ref = f"refs/heads/{branch}"
        if commit is None:
            self._run("update-ref", "-d", ref)
        else:
            self._run("update-ref", ref, commit)

    def push(self, remote: str, changed: dict[str, str | None]) -> None:
        """All or nothing; only a fresh branch may be moved back or removed."""
        specs = []
        for branch, commit in changed.items():
            force = "+" if branch.startswith("fresh/") and commit else ""
            specs.append(f"{force}{commit or ''}:refs/heads/{branch}")
        self._run("push", "-q", "--atomic", remote, *specs)

    def objects(self, commits: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
        """Id, path (of a commit: its id) and content of all blobs and commits that the
        commits reach."""
        listed = self._run("rev-list", "--objects", *commits).splitlines()
        paths = dict(line.partition(" ")[::2] for line in listed)
        command = ["git", f"--git-dir={self.folder}", "cat-file", "--batch", "--buffer"]
        done = subprocess.run(
            command, input="\n".join(paths).encode(), capture_output=True, check=True
        )
        stream = io.BytesIO(done.stdout)
        while head := stream.readline():
            name, kind, size = head.decode().split()
            data = stream.read(int(size) + 1)[:-1]
            if kind != "tree":
                yield name, paths[name] or f"{kind} {name}", data
