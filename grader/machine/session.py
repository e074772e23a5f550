# SPDX-License-Identifier: MIT
"""Runs one QEMU from its start to the end of the boot, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

from grader.machine.command import (
    CONSOLE,
    RAM,
    SCREEN,
    STDERR,
    TRACE,
    command,
    has_screen,
    make_disc,
    prepare,
)
from grader.machine.console import Console
from grader.machine.grub import KEY, waiting
from grader.machine.memory import GuestMemory
from grader.machine.model import MIB, Boot, End, Run, Via
from grader.machine.qmp import Gone, Qmp
from grader.machine.registers import State, state
from grader.sandbox import Child
from grader.sandbox import Limits as Confines
from grader.sandbox import Sandbox, Stopped, await_end, cpu_s, stopping

TICK_S = 0.025  # between looks at CPU time, log size and registers
LAST_S = 1.0  # for one more look at a guest whose time is up
QUIET_S = 0.05  # no output for so long: ask whether the guest is halted
IDLE_S = 5.0  # a guest that sleeps, and takes no interrupt for so long, sleeps for ever
SETTLE_S = 0.001  # between looks for the HLT that follows an awaited line
FAREWELL_CPU_S = 2.0  # of QEMU, for the last questions to one that may hang
FAREWELL_S = 20.0  # the wall-clock guard behind it
DYING_S = 10.0  # a QEMU that has closed its files ends by itself, and says how
KILLED_S = 5.0  # one that is killed is gone sooner
STDERR_BYTES = 16 << 10
TAIL_BYTES = 16 << 10
# Both lines are followed by HLT at once; a guest that prints them and runs on is given
# only so much CPU time more.
REPORTED_CPU_S = 0.25
# QEMU 10 keeps memory of its own in files of up to this size, which no limit may cut.
QEMU_FILE_BYTES = 2 << 20
# With less room on the disk than this, what QEMU wrote may not all have arrived.
ROOM_BYTES = 1 << 20


def run(boot: Boot, folder: Path, sandbox: Sandbox, disc: Path | None = None) -> Run:
    """Boot once. `folder` gets the trace, the RAM, the console, and QEMU's messages.

    disc: what make_disc() wrote for this boot into this folder, if it was made ahead.
    Raises Stopped after stop_all(), IsoError, and OSError when QEMU is missing or the
    disk is full.
    """
    folder, by_grub = folder.resolve(), boot.via is Via.GRUB
    if by_grub and disc is None:
        make_disc(boot, folder, sandbox)
    outputs = prepare(boot, folder)
    qmp, qmp_theirs = socket.socketpair()
    console = Console(boot)
    memory = GuestMemory(folder / RAM, boot.ram_mib * MIB, sandbox)
    stderr = open(os.memfd_create(STDERR), "r+b")
    with qmp, qmp_theirs, stderr, closing(console), closing(memory):
        if by_grub:
            grub = waiting(boot.arch, boot.ram_mib, sandbox)
            grub.fill(memory)
        client = Qmp(qmp)
        fds = [qmp_theirs.fileno(), *memory.fds]
        confines = Confines(
            cpu_s=int(boot.limits.cpu_s) + 10,
            memory_bytes=boot.limits.memory_bytes,
            file_bytes=max(boot.limits.log_bytes, QEMU_FILE_BYTES),
        )
        began = time.monotonic()
        child = sandbox.spawn(
            command(boot, memory.name, qmp_theirs.fileno()),
            cwd=folder,
            ro=[folder],
            rw=[*outputs, *memory.files],
            limits=confines,
            proc=True,
            pass_fds=fds,
            stdin=console.qemu_in,
            stdout=console.qemu_out,
            stderr=stderr.fileno(),
            outlive_full_files=True,
        )
        try:
            console.started()
            qmp_theirs.close()
            client.begin()
            session = _Session(boot, folder, child, client, console, began)
            if by_grub:
                grub.resume(client)
                console.type(KEY)  # pressed before, it would be lost
            end, detail = session.watch()
            registers = session.farewell()
            status = session.kill()
        finally:
            if session_pid := client.pid:
                _kill(session_pid, child)
            Sandbox.release(child)
        memory.keep()
        messages = os.pread(stderr.fileno(), STDERR_BYTES, 0)
    if stopping():
        raise Stopped
    _require_room(folder, status)
    (folder / CONSOLE).write_bytes(session.console.data)
    truncated = (folder / TRACE).lstat().st_size >= boot.limits.log_bytes
    if truncated and end is not End.LOG_LIMIT:
        end, detail = End.LOG_LIMIT, f"the trace is truncated; {detail or end.value}"
    if messages:
        (folder / STDERR).write_bytes(messages)
    return Run(
        folder=folder,
        end=end,
        detail=detail,
        exit_status=status,
        console=session.console.data,
        trace=folder / TRACE,
        trace_truncated=truncated,
        registers=registers,
        ram=folder / RAM,
        cpu_s=session.cpu_s,
        wall_s=time.monotonic() - began,
        stderr=messages.decode("utf-8", "replace"),
        steps=session.console.steps,
        rss_kib=session.rss_kib,
        tier=sandbox.tier.value,
        first_byte_s=max(0.0, console.first_byte_at - began),
        screen=folder / SCREEN if session.screen else None,
    )


def _require_room(folder: Path, status: int | None) -> None:
    """A full disk cuts the log, and takes pages of the guest's memory away: SIGBUS."""
    place = os.statvfs(folder)
    full = place.f_bavail * place.f_frsize < ROOM_BYTES
    if full or status == 128 + signal.SIGBUS:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _kill(pid: int, child: Child) -> None:
    """Kill QEMU itself and wait until it is dead: only then is its memory final."""
    if child.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            await_end(pid, KILLED_S, kill=True)


class _Session:
    """The watch over one running QEMU."""

    def __init__(
        self,
        boot: Boot,
        folder: Path,
        child: Child,
        qmp: Qmp,
        console: Console,
        began: float,
    ) -> None:
        self.boot = boot
        self.folder = folder
        self.child = child
        self.qmp = qmp
        self.console = console
        self.began = began
        self.cpu_s = 0.0
        self.rss_kib = 0
        self.paused = False
        self.screen = False
        self.exit_status: int | None = None
        self._reported_cpu_s: float | None = None
        self._asleep_since: tuple[tuple[int, int], float] | None = None
        qmp.patience = self._within_limits

    def watch(self) -> tuple[End, str]:
        """Follow the guest until something ends the boot."""
        last_tick = last_byte = time.monotonic()
        while True:
            waiting = TICK_S if not self._halt_expected() else SETTLE_S
            ready = select.select([self.console, self.qmp], [], [], waiting)[0]
            now = time.monotonic()
            if self.console in ready:
                count = self.console.count
                self.console.read()
                if self.console.count > count:
                    last_byte = now
                if self.console.full:
                    return self._flooded()
            if self.qmp in ready:
                self.qmp.pump()
            try:
                end = self._event() or self._limit()
                if end is None and self._halt_expected():
                    end = self._halted()
                if end is None and now - last_tick >= TICK_S:
                    last_tick = now
                    if now - last_byte >= QUIET_S:
                        end = self._halted()
                    end = end or self._predicate()
            except Gone:
                # A guest that was reset meanwhile can be asked, but not let go on.
                end = self._event() or self._limit()
                if end is None and not (self.qmp.closed or self.console.closed):
                    end = End.QEMU_ABORT, "QEMU's monitor gave no answer"
            if end is None and (self.qmp.closed or self.console.closed):
                end = self._death()
            if end is not None:
                used_up = end[0] in (End.CPU_LIMIT, End.WALL_LIMIT)
                return self._at_last() or self._flood() or end if used_up else end

    def _at_last(self) -> tuple[End, str] | None:
        """How the boot ends if it came to an end of its own when its time was up."""
        until = time.monotonic() + LAST_S
        self.qmp.patience = lambda: time.monotonic() < until
        try:
            return self._halted()
        except Gone:
            return None

    def _flood(self) -> tuple[End, str] | None:
        """Who prints without end meets one limit on this host, another on that."""
        return self._flooded() if self.console.count >= self.console.flood else None

    def _flooded(self) -> tuple[End, str]:
        return End.CONSOLE_LIMIT, f"more than {self.console.flood} bytes of output"

    def _halt_expected(self) -> bool:
        seen = self.console
        return seen.line or bool(seen.task) or seen.panic_end

    def _event(self) -> tuple[End, str] | None:
        """Shutdown or reset, as QMP reports it; the console is read to its end."""
        for event in self.qmp.events:
            if event["event"] != "SHUTDOWN":
                continue
            self.paused = True
            self.console.read()
            reason = str(event["data"].get("reason", ""))
            if reason != "guest-reset":
                return End.SHUTDOWN, reason
            if b"\nTriple fault" in b"\n" + _tail(self.folder / TRACE):
                return End.TRIPLE_FAULT, "after a panic" if self.console.panic else ""
            return End.RESET, "after a panic" if self.console.panic else ""
        return None

    def _limit(self) -> tuple[End, str] | None:
        limits = self.boot.limits
        cpu_s = self._cpu_s()
        unhalted = " after the awaited line" if self.console.line else ""
        if self._reported() and self._reported_cpu_s is None:
            self._reported_cpu_s = cpu_s
        if self._reported_cpu_s is not None:
            if cpu_s - self._reported_cpu_s > REPORTED_CPU_S:
                return self._report()
        if cpu_s >= limits.cpu_s:
            if self.console.panic:
                return End.PANIC, "the panic report never ended"
            return End.CPU_LIMIT, f"{limits.cpu_s:g} s of CPU time used{unhalted}"
        if time.monotonic() - self.began >= limits.wall_s:
            return End.WALL_LIMIT, f"{limits.wall_s:g} s passed{unhalted}"
        if (self.folder / TRACE).lstat().st_size >= limits.log_bytes:
            return End.LOG_LIMIT, f"{limits.log_bytes} bytes of trace"
        return None

    def _within_limits(self) -> bool:
        limits = self.boot.limits
        wall_s = time.monotonic() - self.began
        return self._cpu_s() < limits.cpu_s and wall_s < limits.wall_s

    def _cpu_s(self) -> float:
        """CPU time that QEMU has used, in steps of 10 ms; 0 until its pid is known."""
        with contextlib.suppress(OSError):
            self.cpu_s = cpu_s(self.qmp.pid)
        return self.cpu_s

    def _peak_rss_kib(self) -> int:
        try:
            text = Path(f"/proc/{self.qmp.pid or 'none'}/status").read_text()
        except OSError:
            return 0
        size = re.search(r"^VmHWM:\s*(\d+)", text, re.MULTILINE)
        return int(size[1]) if size else 0  # a zombie has no memory

    def _reported(self) -> bool:
        return bool(self.console.task) or self.console.panic_end

    def _report(self) -> tuple[End, str]:
        if self.console.task:
            return End.TASK_OPEN, self.console.task
        return End.PANIC, ""

    def _halted(self) -> tuple[End, str] | None:
        """How the boot ends if the guest has executed HLT with interrupts off."""
        now = state(self.qmp.monitor("info registers"))
        if now.halted and now.interrupts:
            return self._asleep()
        self._asleep_since = None
        if not now.halted:
            return None
        # Of a running guest HLT and IF may have been read at different moments.
        self.qmp.command("stop")
        now = state(self.qmp.monitor("info registers"))
        if not now.halted or now.interrupts:
            self.qmp.command("cont")
            return None
        self.console.read()
        if self._reported():
            return self._report()
        if self.console.panic:
            return End.PANIC, "the panic report is not complete"
        return self._judge_halt(now)

    def _asleep(self) -> tuple[End, str] | None:
        """The end of a guest that sleeps for ever: such a one costs no CPU time."""
        signs = ((self.folder / TRACE).lstat().st_size, self.console.count)
        now = time.monotonic()
        if self._asleep_since is None or self._asleep_since[0] != signs:
            self._asleep_since = signs, now
        if "int" not in self.boot.trace or now - self._asleep_since[1] < IDLE_S:
            return None
        return End.WALL_LIMIT, f"asleep for {IDLE_S:g} s without an interrupt"

    def _judge_halt(self, now: State) -> tuple[End, str]:
        until = self.boot.until
        here = until.halt is None or until.halt[0] <= now.ip <= until.halt[1]
        told = self.console.line or (until.line is None and until.halt is not None)
        if here and told:
            return End.DONE, ""
        return End.HALTED, f"HLT with interrupts off before {now.ip:#x}"

    def _predicate(self) -> tuple[End, str] | None:
        """Ask the boot's own predicate, of a guest that stands still."""
        predicate = self.boot.until.registers
        if predicate is None:
            return None
        self.qmp.command("stop")
        if predicate(self.qmp.monitor("info registers")):
            self.paused = True
            self.console.read()
            return End.DONE, ""
        self.qmp.command("cont")
        return None

    def _death(self) -> tuple[End, str]:
        self.exit_status = Sandbox.release(self.child, grace_s=DYING_S)
        self.console.read()
        if self.exit_status == 128 + signal.SIGXCPU:
            return End.CPU_LIMIT, "killed by RLIMIT_CPU"
        return End.QEMU_ABORT, f"QEMU ended with status {self.exit_status}"

    def farewell(self) -> str:
        """Stop the guest; take the registers and the screen. "" if QEMU is dead."""
        end, last_cpu_s = time.monotonic() + FAREWELL_S, self._cpu_s() + FAREWELL_CPU_S
        self.qmp.patience = (
            lambda: time.monotonic() < end and self._cpu_s() < last_cpu_s
        )
        registers = ""
        try:
            if not self.paused:
                self.qmp.command("stop")
            self.console.read()
            registers = self.qmp.monitor("info registers")
            if has_screen(self.boot):
                size = {"val": 0xB8000, "size": 4000, "filename": SCREEN}
                self.qmp.command("pmemsave", **size)
                self.screen = True
        except Gone:
            pass
        return registers.replace("\r\n", "\n")

    def kill(self) -> int | None:
        """End QEMU; its exit status if it had ended by itself, else None."""
        if self.qmp.pid:
            self._cpu_s()
            self.rss_kib = self._peak_rss_kib()
            _kill(self.qmp.pid, self.child)
        Sandbox.release(self.child, grace_s=1.0 if self.qmp.pid else 0.0)
        return self.exit_status


def _tail(path: Path) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL_BYTES))
        return stream.read()
