# SPDX-License-Identifier: MIT
"""Runs a command that handles hostile input: no network, few files, hard limits.

Tier A puts it into bubblewrap with namespaces of its own; tier C has limits alone. What
a command sees lies under the same path inside and outside, if not asked for otherwise,
so both tiers share command lines.
"""

from __future__ import annotations

import enum
import functools
import os
import secrets
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A command that has closed its outputs has so long to be gone, on the most loaded host.
ENDING_S = 10.0
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

# Each call as root gets one of these user ids: RLIMIT_NPROC does not hold for root, and
# two sandboxes with different ids cannot touch each other's files.
UID_BASE, UID_COUNT = 0x40000000, 1 << 24

# No --new-session: every command gets a session from Popen, and killpg then reaches all
# of bwrap, even before its inner process has tied its life to the outer one.
BWRAP = (
    "bwrap --unshare-all --unshare-user --disable-userns --die-with-parent"
    " --cap-drop ALL --uid 1000 --gid 1000 --ro-bind /usr /usr --symlink usr/bin /bin"
    " --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/lib32 /lib32"
    " --ro-bind-try /etc/alternatives /etc/alternatives --dev /dev"
    " --size 16777216 --tmpfs /tmp"
).split()


# A path that is seen under its own name, or (path, another name): see Sandbox.view.
Mount = Path | tuple[Path, Path]


class Tier(enum.Enum):
    """How well a command is confined; the verdict names it."""

    A = "A"  # bubblewrap and limits
    C = "C"  # limits alone


class Stop(enum.Enum):
    """Why a command was killed before it ended."""

    WALL = "wall-clock guard"
    OUTPUT = "output limit"


class Stopped(Exception):
    """The grading run was interrupted: stop_all() was called."""


@dataclass(frozen=True)
class Limits:
    """CPU in seconds, sizes in bytes; wall_s is only the guard behind cpu_s."""

    cpu_s: int = 20
    wall_s: float = 120.0
    memory_bytes: int = 1 << 30
    file_bytes: int = 16 << 20
    processes: int = 64
    files: int = 256
    output_bytes: int = 1 << 20


@dataclass(frozen=True)
class Result:
    """How a command ended; a status of 128 + n means signal n."""

    status: int
    stdout: bytes
    stderr: bytes
    stop: Stop | None
    cpu_s: float
    wall_s: float


class Child:
    """A running sandboxed command; kill() takes its whole process tree."""

    def __init__(self, process: subprocess.Popen[bytes], tier: Tier) -> None:
        self.process = process
        self.tier = tier
        self.cpu_s = 0.0
        self.rss_kib = 0
        self._lock = threading.Lock()

    def ended(self, timeout_s: float) -> bool:
        """Whether the command ends by itself within timeout_s (wall)."""
        if self.process.returncode is not None:
            return True
        pidfd = os.pidfd_open(self.process.pid)
        try:
            return bool(select.select([pidfd], [], [], timeout_s)[0])
        finally:
            os.close(pidfd)

    def kill(self) -> None:
        """End the tree: in tier A the pid namespace dies with bwrap, else the group."""
        with self._lock:
            if self.process.returncode is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Reap; a status of 128 + n means signal n. Keeps the CPU time of the tree."""
        if self.process.returncode is None:
            # WNOWAIT first, so that kill() never meets a pid that is already reused.
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
            with self._lock:
                _, status, usage = os.wait4(self.process.pid, 0)
                self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime
            self.rss_kib = usage.ru_maxrss
        code = self.process.returncode
        return code if code >= 0 else 128 - code


_live: set[Child] = set()
_live_lock = threading.Lock()
_stopping = False


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


@dataclass(frozen=True)
class Sandbox:
    """A tier, and whether each call can have a user id of its own (root only)."""

    tier: Tier
    own_uid: bool = False

    def view(self, path: Path, name: str) -> Path:
        """Where a command sees `path` if mounted as (path, view): `name` in tier A."""
        return Path(name) if self.tier is Tier.A else path

    def spawn(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        ro: Sequence[Mount] = (),
        rw: Sequence[Path] = (),
        limits: Limits = Limits(),
        pass_fds: Sequence[int] = (),
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        outlive_full_files: bool = False,
    ) -> Child:
        """Start argv in cwd, which lies in one of ro or rw. All paths are absolute.

        outlive_full_files: a write beyond file_bytes fails, and does not kill.
        The caller ends it with release(). Raises Stopped, and OSError when the tools of
        the tier are missing.
        """
        command = self._command(list(argv), cwd, ro, rw, limits)
        with _live_lock:
            if _stopping:
                raise Stopped
            process = subprocess.Popen(
                command,
                cwd=cwd if self.tier is Tier.C else "/",
                env=ENVIRONMENT,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
                start_new_session=True,
                # Python ignores SIGXFSZ, and the command inherits that if not restored.
                restore_signals=not outlive_full_files,
            )
            child = Child(process, self.tier)
            _live.add(child)
        return child

    @staticmethod
    def release(child: Child, grace_s: float = 0.0) -> int:
        """Wait grace_s (wall) for a natural end, kill what is left, reap, forget.

        Returns the status; a killed command has 128 + 9.
        """
        if grace_s:
            child.ended(grace_s)
        child.kill()
        status = child.wait()
        with _live_lock:
            _live.discard(child)
        return status

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        ro: Sequence[Mount] = (),
        rw: Sequence[Path] = (),
        limits: Limits = Limits(),
    ) -> Result:
        """Run argv to its end, or to its limits, and return what it printed."""
        began = time.monotonic()
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        child = None
        try:
            try:
                child = self.spawn(
                    argv,
                    cwd=cwd,
                    ro=ro,
                    rw=rw,
                    limits=limits,
                    stdout=out_write,
                    stderr=err_write,
                )
            finally:
                os.close(out_write)
                os.close(err_write)
            output, stop = _collect(child, out_read, err_read, limits, began)
        finally:
            os.close(out_read)
            os.close(err_read)
            if child is not None:
                # At the end of file the command is over, and its status its own.
                status = self.release(child, grace_s=ENDING_S)
        if _stopping:
            raise Stopped
        wall_s = time.monotonic() - began
        return Result(status, output[0], output[1], stop, child.cpu_s, wall_s)

    def _command(
        self,
        argv: list[str],
        cwd: Path,
        ro: Sequence[Mount],
        rw: Sequence[Path],
        limits: Limits,
    ) -> list[str]:
        # As an ordinary user, RLIMIT_NPROC counts all that the user runs, unless it is
        # set inside a user namespace: tier C leaves it alone.
        limited = ["prlimit", "--core=0", f"--cpu={limits.cpu_s}"]
        limited += [f"--as={limits.memory_bytes}", f"--fsize={limits.file_bytes}"]
        limited += [f"--nofile={limits.files}"]
        if self.tier is Tier.C:
            return ["setpriv", "--pdeathsig", "KILL", *limited, *argv]
        command = list(BWRAP)
        for mount in ro:
            outside, inside = mount if isinstance(mount, tuple) else (mount, mount)
            command += ["--ro-bind", str(outside), str(inside)]
        for path in rw:
            command += ["--bind", str(path), str(path)]
        command += ["--chdir", str(cwd), *limited, f"--nproc={limits.processes}"]
        return self._as_nobody(ro, rw) + command + argv

    def _as_nobody(self, ro: Sequence[Mount], rw: Sequence[Path]) -> list[str]:
        """A user id for this call alone, if that user can reach every path."""
        outside = [m[0] if isinstance(m, tuple) else m for m in (*ro, *rw)]
        if not (self.own_uid and all(_open_to_all(p.parent) for p in outside)):
            return []
        uid = UID_BASE + secrets.randbelow(UID_COUNT)
        for path in rw:
            give(path, uid)
        ids = [f"--reuid={uid}", f"--regid={uid}"]
        return ["setpriv", *ids, "--clear-groups", "--no-new-privs"]


def give(path: Path, uid: int) -> None:
    """Make a file, or a folder with the files directly in it, belong to uid."""
    os.chown(path, uid, uid, follow_symlinks=False)
    if path.is_dir() and not path.is_symlink():
        for entry in os.scandir(path):
            os.chown(entry.path, uid, uid, follow_symlinks=False)


@functools.lru_cache(maxsize=512)
def _open_to_all(folder: Path) -> bool:
    return all(p.stat().st_mode & 0o001 for p in (folder, *folder.parents))


def _collect(
    child: Child, out_fd: int, err_fd: int, limits: Limits, began: float
) -> tuple[tuple[bytes, bytes], Stop | None]:
    """Read both pipes to their end; a limit kills the tree and reads on to the end."""
    parts: dict[int, list[bytes]] = {out_fd: [], err_fd: []}
    waiting = [out_fd, err_fd]
    size = 0
    stop: Stop | None = None
    while waiting:
        left = began + limits.wall_s - time.monotonic()
        ready = select.select(waiting, [], [], max(0.0, left) if not stop else 1.0)[0]
        if not ready:
            if stop:
                break
            stop = Stop.WALL
            child.kill()
        for fd in ready:
            data = os.read(fd, 65536)
            if not data:
                waiting.remove(fd)
            elif size < limits.output_bytes:
                parts[fd].append(data[: limits.output_bytes - size])
            size += len(data)
            if size > limits.output_bytes and stop is None:
                stop = Stop.OUTPUT
                child.kill()
    return (b"".join(parts[out_fd]), b"".join(parts[err_fd])), stop


def _works(sandbox: Sandbox) -> bool:
    usr = Path("/usr")
    try:
        # The first child of sh proves that RLIMIT_NPROC leaves room inside.
        result = sandbox.run(["sh", "-c", "true & wait"], cwd=usr, ro=[usr])
    except OSError:
        return False
    return result.status == 0


@functools.lru_cache(maxsize=1)
def detect() -> Sandbox:
    """The best tier that works here, found by running each (6 ms, once a process)."""
    if os.geteuid() == 0 and _works(Sandbox(Tier.A, own_uid=True)):
        return Sandbox(Tier.A, own_uid=True)
    if _works(Sandbox(Tier.A)):
        return Sandbox(Tier.A)
    return Sandbox(Tier.C)
