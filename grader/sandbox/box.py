# SPDX-License-Identifier: MIT
"""Starts a command in a tier, and collects what it prints until it ends.

Tier A puts it into bubblewrap with namespaces of its own, tier B gives it a user id of
its own, tier C has limits alone. What a command sees lies under the same path inside
and outside, if not asked for otherwise, so all tiers share command lines.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import OperatorError
from grader.sandbox import child as children
from grader.sandbox.child import Child, become, give
from grader.sandbox.model import Limits, Result, Stop, Stopped, Tier
from grader.sandbox.usage import usage

# A command that has closed its outputs has so long to be gone, on the most loaded host.
ENDING_S = 10.0
WATCH_S = 0.25  # between looks at what a command's processes use together
IDLE_S = 5.0  # a command none of whose processes does anything for so long waits
LAST_S = 1.0  # for the last output of one that is over
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


@dataclass(frozen=True)
class Sandbox:
    """A tier; whether each call can have a user id of its own (root only), and whether
    a /proc: of tier A its own, which a container that hides parts of /proc forbids.
    """

    tier: Tier
    own_uid: bool = False
    proc: bool = True

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
        proc: bool = False,
        pass_fds: Sequence[int] = (),
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        outlive_full_files: bool = False,
    ) -> Child:
        """Start argv in cwd, which lies in one of ro or rw. All paths are absolute.

        proc: tier A has a /proc too, of this command alone, if the sandbox says it can.
        outlive_full_files: a write beyond file_bytes fails, and does not kill.
        The caller ends it with release(). Raises Stopped, and OSError when the tools of
        the tier are missing.
        """
        uid = self._user(ro, rw)
        with contextlib.ExitStack() as undo:
            place, info, fds = {}, None, [*pass_fds]
            if temporary := self._temporary(uid):
                undo.callback(temporary.rmdir)
                # A compiler that is killed leaves its files behind: they go with it.
                place = {"TMPDIR": str(temporary)}
            if self.tier is Tier.A:
                info = os.memfd_create("info")
                undo.callback(os.close, info)
                fds.append(info)
            command = self._command(list(argv), cwd, ro, rw, limits, proc, uid, info)

            def begin() -> Child:
                process = subprocess.Popen(
                    command,
                    cwd=cwd if self.tier is not Tier.A else "/",
                    env=ENVIRONMENT | place,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=fds,
                    start_new_session=True,
                    # Python ignores SIGXFSZ, and the command inherits that if not
                    # restored.
                    restore_signals=not outlive_full_files,
                )
                return Child(process, self.tier, uid, tuple(rw), temporary, info)

            child = children.start(begin)
            undo.pop_all()
        return child

    @staticmethod
    def release(child: Child, grace_s: float = 0.0) -> int:
        """Wait grace_s (wall) for a natural end, kill what is left, reap, forget. In
        tiers A and B nothing of it runs any more then.

        Returns the status; a killed command has 128 + 9.
        """
        if grace_s:
            child.ended(grace_s)
        child.kill()
        status = child.wait()
        child.clean()
        children.forget(child)
        return status

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        ro: Sequence[Mount] = (),
        rw: Sequence[Path] = (),
        limits: Limits = Limits(),
        proc: bool = False,
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
                    proc=proc,
                    stdout=out_write,
                    stderr=err_write,
                )
            finally:
                os.close(out_write)
                os.close(err_write)
            watch = _Watch(child, limits, began)
            output = watch.collect(out_read, err_read)
        finally:
            os.close(out_read)
            os.close(err_read)
            if child is not None:
                # At the end of file the command is over, and its status its own.
                status = self.release(child, grace_s=ENDING_S)
        if children.stopping():
            raise Stopped
        wall_s = time.monotonic() - began
        cpu_s = max(child.cpu_s, watch.cpu_s)
        return Result(status, *output, watch.stop, cpu_s, wall_s, limits)

    def _command(
        self,
        argv: list[str],
        cwd: Path,
        ro: Sequence[Mount],
        rw: Sequence[Path],
        limits: Limits,
        proc: bool,
        uid: int | None,
        info: int | None,
    ) -> list[str]:
        limited = ["prlimit", "--core=0", f"--cpu={limits.cpu_s}"]
        limited += [f"--as={limits.memory_bytes}", f"--fsize={limits.file_bytes}"]
        limited += [f"--nofile={limits.files}"]
        # As an ordinary user, RLIMIT_NPROC counts all that the user runs, unless it is
        # set inside a user namespace: tier C leaves it alone.
        if self.tier is Tier.C:
            return ["setpriv", "--pdeathsig", "KILL", *limited, *argv]
        limited += [f"--nproc={limits.processes}"]
        owner = [] if uid is None else become(uid)
        if self.tier is Tier.B:
            return [*owner, "--pdeathsig", "KILL", *limited, *argv]
        command = [*BWRAP, "--info-fd", str(info)]
        command += ["--proc", "/proc"] if proc and self.proc else []
        for mount in ro:
            outside, inside = mount if isinstance(mount, tuple) else (mount, mount)
            command += ["--ro-bind", str(outside), str(inside)]
        for path in rw:
            command += ["--bind", str(path), str(path)]
        return [*owner, *command, "--chdir", str(cwd), *limited, *argv]

    def _user(self, ro: Sequence[Mount], rw: Sequence[Path]) -> int | None:
        """A user id for this call alone, if that user can reach every path."""
        if not self.own_uid:
            return None
        outside = [m[0] if isinstance(m, tuple) else m for m in (*ro, *rw)]
        shut = [path for path in outside if not open_to_all(path.parent)]
        if shut and self.tier is Tier.B:
            what = f"sandbox tier B: no other user can reach {shut[0]}"
            raise OperatorError(what, "open the folders above it (chmod o+x)")
        if shut:
            return None
        uid = UID_BASE + secrets.randbelow(UID_COUNT)
        for path in rw:
            give(path, uid)
        return uid

    def _temporary(self, uid: int | None) -> Path | None:
        """A TMPDIR for this call alone; tier A has a /tmp of its own."""
        if self.tier is Tier.A:
            return None
        usual = Path(tempfile.gettempdir())
        place = usual if uid is None or open_to_all(usual) else Path("/tmp")
        made = Path(tempfile.mkdtemp(prefix="sandbox-", dir=place))
        if uid is not None:
            give(made, uid)
        return made


@functools.lru_cache(maxsize=512)
def open_to_all(folder: Path) -> bool:
    """Whether every user may pass through it."""
    return all(p.stat().st_mode & 0o001 for p in (folder, *folder.parents))


class _Watch:
    """Reads what a command prints, and ends it at a limit; stop says at which."""

    def __init__(self, child: Child, limits: Limits, began: float) -> None:
        self.child = child
        self.limits = limits
        self.stop: Stop | None = None
        self.cpu_s = 0.0
        self._over = began + limits.wall_s
        self._next = began + WATCH_S
        self._busy = began

    def collect(self, out_fd: int, err_fd: int) -> tuple[bytes, bytes]:
        """Both pipes to their end; a limit kills the tree and reads on to the end."""
        parts: dict[int, list[bytes]] = {out_fd: [], err_fd: []}
        waiting = [out_fd, err_fd]
        size = 0
        over = False
        while waiting:
            left = min(self._over, self._next) - time.monotonic()
            pause = LAST_S if over else max(0.0, left)
            ready = select.select(waiting, [], [], pause)[0]
            if not ready and over:
                break
            for fd in ready:
                data = os.read(fd, 65536)
                if not data:
                    waiting.remove(fd)
                elif size < self.limits.output_bytes:
                    parts[fd].append(data[: self.limits.output_bytes - size])
                size += len(data)
            if not over:
                self.stop = self._exceeded(size)
                # What it started must not hold the pipes open when it has ended.
                over = bool(self.stop) or not ready and self.child.ended(0.0)
                if over:
                    self.child.kill()
        return b"".join(parts[out_fd]), b"".join(parts[err_fd])

    def _exceeded(self, size: int) -> Stop | None:
        """The limit that is exceeded now, if one is."""
        now = time.monotonic()
        if size > self.limits.output_bytes:
            return Stop.OUTPUT
        if now >= self._over:
            return Stop.WALL
        if now < self._next:
            return None
        self._next = now + WATCH_S
        used = usage(self.child.process.pid, self.child.uid)
        if not used.asleep or used.cpu_s != self.cpu_s:
            self._busy = now
        self.cpu_s = max(self.cpu_s, used.cpu_s)
        if used.cpu_s > self.limits.cpu_s:
            return Stop.CPU
        if used.resident_bytes > self.limits.resident_bytes:
            return Stop.MEMORY
        if used.processes >= self.limits.processes:
            return Stop.PROCESSES
        return Stop.IDLE if now - self._busy >= IDLE_S else None
