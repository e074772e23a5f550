# SPDX-License-Identifier: MIT
"""The guest's serial line: keeps its bytes, runs the script, sees the marked lines."""

from __future__ import annotations

import re
import socket

from grader.machine.model import PANIC, PANIC_END, TASK_OPEN, Boot

# A line that matters is shorter; bytes further back are not searched again.
WINDOW_BYTES = 4096


class Console:
    """One end of a socket pair whose other end QEMU has held since before it started.

    line: the awaited line came. task: the id of an open task, or "". panic: a panic
    started; panic_end: its report is complete. steps: script steps that are done.
    """

    def __init__(self, sock: socket.socket, boot: Boot) -> None:
        from pexpect import EOF, TIMEOUT
        from pexpect.fdpexpect import fdspawn

        self.sock = sock
        self.limit = boot.limits.console_bytes
        self.script = boot.script
        self.line = self.panic = self.panic_end = self.closed = False
        self.task = ""
        self.steps = 0
        self._bytes = bytearray()
        self._spawn = fdspawn(
            sock.fileno(),
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
        return self.sock.fileno()

    def write(self, data: bytes) -> None:
        """pexpect's log: every byte, once, before any matching."""
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
            try:
                self.sock.sendall(self.script[self.steps].send.encode())
            except OSError:
                self.closed = True
            self.steps += 1
