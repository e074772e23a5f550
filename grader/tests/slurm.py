# SPDX-License-Identifier: MIT
"""A private Slurm cluster of one node, in a folder of its own, for tests.

    with Cluster(folder) as cluster: ...

munged, slurmctld and slurmd run in the foreground as this process's children, on
ports and sockets of their own. They die with this process, the node with all that it
runs (a pid namespace), and whatever knows of the folder is killed at the end.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from grader.sandbox import await_end

DAEMONS = ("munged", "slurmctld", "slurmd")
CPUS, MOST_JOBS, MAX_ARRAY = 2, 1000, 2
GUARD_S = 60.0
SAVED_S = 1.0  # its state is saved at once, and then it may wait for others
ALONE = "unshare --pid --fork --kill-child=KILL --mount-proc".split()
OWN_USER = ("--user", "--map-current-user")
# Without these two jobs are started every three seconds.
AT_ONCE = "batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1"
CONFIGURATION = """\
ClusterName=ringlab
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=2
MaxArraySize={max_array}
MaxJobCount={most_jobs}
SlurmdParameters=config_overrides
SchedulerParameters={at_once}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=20000
PartitionName=grade Nodes=ALL Default=YES MaxTime=02:00:00 State=UP
"""


def missing() -> str:
    """Why there can be no cluster here, or ""."""
    absent = [name for name in DAEMONS if not shutil.which(name, path=_path())]
    return f"not installed (ci/setup class): {', '.join(absent)}" if absent else ""


def _path() -> str:
    """Debian keeps daemons where an ordinary user does not look."""
    return os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


class Cluster:
    """environment: with it Slurm's commands speak to this cluster. node: its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = socket.gethostname().split(".")[0]
        self.environment = {**os.environ, "PATH": _path()}
        self.environment["SLURM_CONF"] = str(folder / "slurm.conf")
        self._ports = _free_ports()
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_all(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        self._configure(MOST_JOBS)
        self._start(
            *("munged", "--foreground", "--force", "--num-threads=2"),
            f"--key-file={key}",
            *(f"--{w}-file={self.folder}/munged.{w}" for w in ("log", "pid", "seed")),
            f"--socket={self.folder}/munge.socket",
        )
        self.await_(lambda: (self.folder / "munge.socket").exists())
        self._start("slurmctld", "-D")
        self.start_node()

    def _configure(self, most_jobs: int) -> None:
        text = CONFIGURATION.format(
            host=self.node,
            user=getpass.getuser(),
            folder=self.folder,
            ports=self._ports,
            cpus=CPUS,
            at_once=AT_ONCE,
            max_array=MAX_ARRAY,
            most_jobs=most_jobs,
        )
        (self.folder / "slurm.conf").write_text(text)

    def limit(self, most_jobs: int = MOST_JOBS) -> None:
        """Restart the controller, which takes no more jobs than these from now on."""
        self._configure(most_jobs)
        slurmctld = self._daemons["slurmctld"]
        slurmctld.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            slurmctld.wait(SAVED_S)
        self._end("slurmctld")
        self._start("slurmctld", "-D")
        self.await_(lambda: self.state() in ("idle", "alloc", "mix"))

    def start_node(self) -> None:
        alone = [*ALONE, *(OWN_USER if os.geteuid() else ())]
        self._start("slurmd", "-D", "-N", self.node, within=alone)
        self.await_(lambda: self.state() == "idle")

    def lose_node(self) -> None:
        """As in a power cut: slurmd and all that it runs are gone at once."""
        self._end("slurmd")

    def _end(self, name: str) -> None:
        self._daemons[name].kill()
        self._daemons.pop(name).wait()

    def state(self) -> str:
        return self.command("sinfo", "--noheader", "--format=%t", check=False).strip()

    def command(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=GUARD_S
        )
        assert not check or done.returncode == 0, (words, done.stderr)
        return done.stdout

    def await_(self, holds: Callable[[], bool]) -> None:
        """Until it holds. Each look is one of Slurm's commands, or the files are
        watched by a daemon that this process waits for."""
        for _ in range(int(GUARD_S / 0.1)):
            if holds():
                return
            for name, daemon in self._daemons.items():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = daemon.wait(0.1 / len(self._daemons))
                    log = (self.folder / f"{name}.out").read_text("utf-8", "replace")
                    raise AssertionError(f"{name} ended with status {status}:\n{log}")
        raise AssertionError("Slurm did not do that in time")

    def stop(self) -> None:
        for name in [*reversed(self._daemons)]:
            self._end(name)
        while pids := [*self._related()]:
            for pid in pids:
                _kill(pid)

    def _start(self, *words: str, within: Sequence[str] = ()) -> None:
        with (self.folder / f"{words[0]}.out").open("ab") as output:
            self._daemons[words[0]] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *within, *words],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _related(self) -> Iterator[int]:
        """Other processes whose environment names this cluster's configuration."""
        mark = f"SLURM_CONF={self.folder}/slurm.conf\0".encode()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                pid = int(entry.parent.name)
                if mark in entry.read_bytes() and pid != os.getpid():
                    yield pid


def _kill(pid: int) -> None:
    """Kill that process and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        assert await_end(pid, GUARD_S, kill=True), pid


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
