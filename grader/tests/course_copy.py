# SPDX-License-Identifier: MIT
"""This work tree as a repository of its own, for tests that change or publish it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from grader.publish.dates import FILE
from grader.settings import ROOT

DATES = """\
author = "ringlab <ringlab@example.org>"
# term_start = 2026-10-12

[default]
fresh_online = "term start"
fresh_offline = "14 days after term start"
"""


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = ["git", "-C", str(folder), *who, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def copy_tree(root: Path) -> None:
    """Every file that git knows or would add, into `root`; no stage has dates there."""
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    (root / FILE).write_text(DATES, encoding="utf-8")


def begin(root: Path, message: str) -> None:
    """Make `root` a repository of one commit."""
    git(root, "init", "-q", "-b", "main")
    commit(root, message)


def tips(remote: Path) -> dict[str, str]:
    """Branch to commit."""
    lines = git(remote, "for-each-ref", "--format=%(refname:short) %(objectname)")
    return dict(line.split() for line in lines.splitlines())
