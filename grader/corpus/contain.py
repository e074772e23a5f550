# SPDX-License-Identifier: MIT
"""Runs a command that grades an attack, and writes what the attack did besides.

    python3 -m grader.corpus.contain REPORT SRC ARCHIVE COMMAND...

ARCHIVE: what is handed in, and taken in to SRC first; "": SRC is as it was handed in.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course
from grader.errors import OperatorError
from grader.git import git
from grader.settings import ROOT
from grader.verdict.write import write_json

# How every file is called that an attack tries to leave somewhere.
NAME = "ringlab-attack"
PLACES = ("/", "/tmp", "/var/tmp", "/dev/shm", "~", ".", "build", "build/cache")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans below come to this process
DYING_S = 2.0  # what was killed may need so long to be gone
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Report:
    """processes: command lines of those that outlived the command. files: what was left
    or changed. cpu_s: of all processes together."""

    processes: list[str]
    files: list[str]
    cpu_s: float


def main(words: list[str]) -> int:
    report, src, archive, *command = words
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    temporary = Path(report).parent / "tmp"
    temporary.mkdir(mode=0o755)
    status = _take(Path(archive), Path(src)) if archive else 0
    before = _state(Path(src))
    if status == 0:
        environment = {**os.environ, "TMPDIR": str(temporary)}
        status = _wait(subprocess.Popen(command, env=environment).pid)
    processes = _outliving()
    after = _state(Path(src))
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    files = sorted(changed) + [str(path) for path in temporary.rglob("*")] + left()
    shutil.rmtree(temporary)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = Report(processes, files, used.ru_utime + used.ru_stime)
    write_json(Path(report), vars(found))
    return status


def _take(archive: Path, src: Path) -> int:
    """Take in what is handed in, as a class run does: its regular files."""
    from grader.intake import submission
    from grader.intake.archive import lay

    try:
        found = submission.one(archive, Course.load(ROOT))
    except OperatorError as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    lay({p: data for p, data in found.files.items() if isinstance(data, bytes)}, src)
    return 0


def _state(src: Path) -> dict[str, str]:
    """What lies in the submission, what git sees of the repository, and its rights."""
    found = {"git status": git(ROOT, "status", "--porcelain", allowed=(0, 128))}
    for path in (src, *src.rglob("*")):
        state = path.lstat()
        text = f"{state.st_mode:o} {state.st_uid} {state.st_size}"
        if stat.S_ISLNK(state.st_mode):
            text += f" {os.readlink(path)}"
        elif stat.S_ISREG(state.st_mode):
            with open(path, "rb") as file:
                text += f" {hashlib.sha256(file.read(READ_BYTES)).hexdigest()}"
        found[str(path)] = text
    return found


def left() -> list[str]:
    """What attacks have put into places where they might write; it goes."""
    places = (Path(name).expanduser() for name in PLACES)
    found = [path for place in places for path in place.glob(f"*{NAME}*")]
    for path in found:
        path.unlink()
    return [str(path) for path in found]


def _wait(pid: int) -> int:
    """The status of the command; its orphans are reaped, and counted, meanwhile."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _outliving() -> list[str]:
    """Command lines of the processes that are left a while later; they are killed."""
    until = time.monotonic() + DYING_S
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
        except ChildProcessError:
            return []
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    found = []
    for pid in children:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        found.append(b" ".join(words).decode("utf-8", "replace"))
        os.kill(int(pid), 9)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
