# SPDX-License-Identifier: MIT
"""The guest's serial line: keeps its bytes, runs the script, sees the marked lines."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time

from grader.machine.model import PANIC, PANIC_END, TASK_OPEN, Boot

# A line that matters is shorter; bytes further back are not searched again.
WINDOW_BYTES = 4096
PIPE_BYTES = 1 << 20  # what Linux allows to ordinary users


class Console:
    """The serial line, through two pipes that are open before QEMU starts.

    A pipe of PIPE_BYTES takes all that a guest may print before anyone reads. A UNIX
    socket holds 278 single bytes: then the guest waits for its reader, and what it does
    meanwhile, timer interrupts above all, depends on the load of the host.

    line: the awaited line came. task: the id of an open task, or "". panic: a panic
    started; panic_end: its report is complete. steps: script steps that are done.
    first_byte_at: monotonic seconds; 0 before there is one.
    """

    def __init__(self, boot: Boot) -> None:
        from pexpect import EOF, TIMEOUT
        from pexpect.fdpexpect import fdspawn

        self._open: set[int] = set()
        self._read, self.qemu_out = self._pipe()
        self.qemu_in, self._write = self._pipe()
        with contextlib.suppress(OSError):  # a user may have only so many large pipes
            fcntl.fcntl(self._read, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.limit = boot.limits.console_bytes
        self.flood = self.limit // 4
        self.script = boot.script
        self.line = self.panic = self.panic_end = self.closed = False
        self.task = ""
        self.steps = 0
        self.first_byte_at = 0.0
        self._bytes = bytearray()
        self._spawn = fdspawn(
            self._read,
            timeout=0,
            maxread=65536,
            searchwindowsize=WINDOW_BYTES,
            use_poll=True,
        )
        self._spawn.delayafterread = None
        self._spawn.logfile_read = self
        line = boot.until.line
        self._fixed = [
            re.compile(TASK_OPEN.encode()),
            re.compile(PANIC_END.encode()),
            re.compile(PANIC.encode()),
            re.compile((line or r"(?!)").encode() + rb"\r?\n"),
            TIMEOUT,
            EOF,
        ]

    def fileno(self) -> int:
        return self._read

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open.update(ends)
        return ends

    def started(self) -> None:
        """QEMU has its ends: close ours of them, to see when it goes."""
        self._close(self.qemu_in, self.qemu_out)

    def type(self, data: bytes) -> None:
        """What the guest can read; at most a pipe's worth, and without waiting."""
        try:
            os.write(self._write, data)
        except OSError:
            self.closed = True

    def close(self) -> None:
        """Close all that is open."""
        self._close(*self._open)

    def _close(self, *ends: int) -> None:
        for end in ends:
            self._open.discard(end)
            os.close(end)

    def write(self, data: bytes) -> None:
        """pexpect's log: every byte, once, before any matching."""
        self.first_byte_at = self.first_byte_at or time.monotonic()
        self._bytes += data

    def flush(self) -> None:
        """pexpect's log asks for it."""

    @property
    def count(self) -> int:
        """Bytes so far, those beyond the limit included."""
        return len(self._bytes)

    @property
    def full(self) -> bool:
        return self.count >= self.limit

    @property
    def data(self) -> bytes:
        return bytes(self._bytes[: self.limit])

    def read(self) -> None:
        """Take in all that has arrived, and react to it; never blocks."""
        while not self.closed and not self.full:
            step = self.script[self.steps :][:1]
            steps = [re.compile(s.expect.encode()) for s in step]
            try:
                hit = self._spawn.expect_list(self._fixed + steps, timeout=0)
            except OSError:
                hit = 5
            if hit == 4:
                return
            self._react(hit)

    def _react(self, hit: int) -> None:
        if hit == 0:
            self.task = self.task or self._spawn.match[1].decode()
        elif hit == 1:
            self.panic = self.panic_end = True
        elif hit == 2:
            self.panic = True
        elif hit == 3:
            self.line = True
        elif hit == 5:
            self.closed = True
        else:
            self.type(self.script[self.steps].send.encode())
            self.steps += 1
