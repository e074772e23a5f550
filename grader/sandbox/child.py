# SPDX-License-Identifier: MIT
"""A running command of a sandbox, and the end of all of them at once (Ctrl-C)."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.sandbox.model import Stopped, Tier
from grader.sandbox.usage import alive

DYING_S = 10.0  # a killed process is gone after so long on the most loaded host
# Where everybody may write: what a user id leaves there goes with its command.
SHARED = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))


class Child:
    """A running sandboxed command; kill() takes its whole process tree.

    uid: the user id of this command alone, if it has one; lent: what belongs to it
    meanwhile. temporary: its own TMPDIR. info: in tier A a file in which bwrap names
    the first process of the namespace; it is closed by wait().
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        tier: Tier,
        uid: int | None = None,
        lent: Sequence[Path] = (),
        temporary: Path | None = None,
        info: int | None = None,
    ) -> None:
        self.process = process
        self.tier = tier
        self.uid = uid
        self.lent = lent
        self.temporary = temporary
        self.info = info
        self.cpu_s = 0.0
        self.rss_kib = 0
        self._lock = threading.Lock()

    def ended(self, timeout_s: float) -> bool:
        """Whether the command ends by itself within timeout_s (wall)."""
        if self.process.returncode is not None:
            return True
        return await_end(self.process.pid, timeout_s)

    def kill(self) -> None:
        """Send the end to the tree: in tier A the pid namespace dies with bwrap, else
        the group, and in tier B all that the user id runs."""
        with self._lock:
            if self.process.returncode is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        if self.tier is Tier.B and self.uid is not None:
            # One call of the kernel's, which no fork escapes.
            everything = ["kill", "-KILL", "--", "-1"]
            subprocess.run(become(self.uid) + everything, stderr=subprocess.DEVNULL)

    def wait(self) -> int:
        """Reap, and wait for what was killed; a status of 128 + n means signal n. Keeps
        the CPU time of the tree."""
        if self.process.returncode is None:
            # WNOWAIT first, so that kill() never meets a pid that is already reused.
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
            with self._lock:
                _, status, usage = os.wait4(self.process.pid, 0)
                self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime
            self.rss_kib = usage.ru_maxrss
            self._outlast()
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def _outlast(self) -> None:
        """Return when all processes of tiers A and B are gone, DYING_S at the latest.

        bwrap ends before its namespace does, whose first process ends last.
        """
        if self.info is not None:
            told = re.search(rb'"child-pid": *([0-9]+)', os.pread(self.info, 4096, 0))
            os.close(self.info)
            with contextlib.suppress(ProcessLookupError):
                if told:
                    await_end(int(told[1]), DYING_S)
        elif self.tier is Tier.B and self.uid is not None:
            end = time.monotonic() + DYING_S
            while alive(self.uid) and time.monotonic() < end:
                self.kill()

    def clean(self) -> None:
        """Take back what was lent, and remove what was left where all may write."""
        for path in self.lent if self.uid is not None else ():
            give(path, os.geteuid())
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
        if self.tier is Tier.B and self.uid is not None:
            for entry in (e for place in SHARED for e in os.scandir(place)):
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_uid == self.uid:
                        _remove(entry)


def await_end(pid: int, timeout_s: float, *, kill: bool = False) -> bool:
    """Whether a process, by itself or because it is killed now, ends within timeout_s
    (wall). Raises ProcessLookupError."""
    pidfd = os.pidfd_open(pid)
    try:
        if kill:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        return bool(select.select([pidfd], [], [], timeout_s)[0])
    finally:
        os.close(pidfd)


def become(uid: int) -> list[str]:
    """The words before a command that make it run as this user, and stay so."""
    ids = [f"--reuid={uid}", f"--regid={uid}"]
    return ["setpriv", *ids, "--clear-groups", "--no-new-privs"]


def give(path: Path, uid: int) -> None:
    """Make a file, or a folder with the files directly in it, belong to uid."""
    os.chown(path, uid, uid, follow_symlinks=False)
    if path.is_dir() and not path.is_symlink():
        for entry in os.scandir(path):
            os.chown(entry.path, uid, uid, follow_symlinks=False)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        os.unlink(entry.path)


_live: set[Child] = set()
_live_lock = threading.Lock()
_stopping = False


def start(make: Callable[[], Child]) -> Child:
    """The child that `make` starts, known to stop_all(). Raises Stopped after it."""
    with _live_lock:
        if _stopping:
            raise Stopped
        child = make()
        _live.add(child)
    return child


def forget(child: Child) -> None:
    with _live_lock:
        _live.discard(child)


def stop_all() -> None:
    """Kill every sandboxed command of this process and refuse new ones (Ctrl-C)."""
    global _stopping
    with _live_lock:
        _stopping = True
        for child in _live:
            child.kill()


def resume() -> None:
    """Allow commands again after stop_all()."""
    global _stopping
    _stopping = False


def stopping() -> bool:
    """Whether stop_all() was called: a command that died may have been killed by it."""
    return _stopping
