# SPDX-License-Identifier: MIT
"""A small QMP client over one end of a socket pair whose other end QEMU holds."""

from __future__ import annotations

import json
import select
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

CREDENTIALS = struct.Struct("3i")


class Gone(Exception):
    """QEMU closed the connection, or answered nothing in time."""


class Qmp:
    """Commands and events. `pid` is QEMU's in our own pid namespace, 0 until known.

    The kernel puts the sender's pid on every message (SO_PASSCRED), translated even
    from a sandbox's pid namespace.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.sock = sock
        self.pid = 0
        self.closed = False
        self.events: list[dict[str, Any]] = []
        self._buffer = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self._next = 0
        self.patience: Callable[[], bool] = lambda: True

    def begin(self) -> None:
        """Ask for events, and only then let the guest start (QEMU has `-S`): it may
        come to its end within a millisecond, and that is told once."""
        self._send("qmp_capabilities", {})
        self._send("cont", {})

    def fileno(self) -> int:
        return self.sock.fileno()

    def pump(self, timeout_s: float = 0.0) -> None:
        """Take in what QEMU has sent; waits at most timeout_s (wall) for a byte."""
        if self.closed or not select.select([self.sock], [], [], timeout_s)[0]:
            return
        try:
            space = socket.CMSG_SPACE(CREDENTIALS.size)
            data, extra, _, _ = self.sock.recvmsg(65536, space)
        except ConnectionError:
            data, extra = b"", []
        if not data:
            self.closed = True
            return
        for level, kind, payload in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                self.pid = CREDENTIALS.unpack(payload[: CREDENTIALS.size])[0]
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line) if line.strip() else {}
            if "event" in message:
                self.events.append(message)
            elif "id" in message:
                self._answers[message["id"]] = message

    def command(self, name: str, **arguments: Any) -> Any:
        """Run a command and return its value; raises Gone. Events are kept in order.

        A vCPU that hangs inside QEMU can hold up every answer: `patience` is asked
        every 50 ms whether to wait on.
        """
        number = self._send(name, arguments)
        while number not in self._answers:
            if self.closed or not self.patience():
                raise Gone(name)
            self.pump(0.05)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Gone(f"{name}: {answer['error'].get('desc', '')}")
        return answer["return"]

    def save(self, to: int) -> None:
        """Write the machine without its memory to the file `to`; the machine stands
        still then. Raises Gone."""
        self.command("migrate", uri=self._through(to))
        while (status := self.command("query-migrate")["status"]) != "completed":
            if status == "failed":
                raise Gone("migrate")
            self.pump(0.05)

    def load(self, saved: int) -> None:
        """Let QEMU, which waits for it, go on from what save() wrote. Raises Gone."""
        self.command("migrate-incoming", uri=self._through(saved))
        while not any(event["event"] == "RESUME" for event in self.events):
            if self.closed or not self.patience():
                raise Gone("migrate-incoming")
            self.pump(0.05)

    def _through(self, file: int) -> str:
        """The URI by which all but its memory comes or goes through an open file."""
        ignore = {"capability": "x-ignore-shared", "state": True}
        self.command("migrate-set-capabilities", capabilities=[ignore])
        self._send("getfd", {"fdname": "state"}, [file])
        return "fd:state"

    def monitor(self, line: str) -> str:
        """What the human monitor prints for `line`."""
        return str(self.command("human-monitor-command", **{"command-line": line}))

    def _send(
        self, name: str, arguments: dict[str, Any], fds: Sequence[int] = ()
    ) -> int:
        self._next += 1
        message = {"execute": name, "id": self._next, "arguments": arguments}
        try:
            socket.send_fds(self.sock, [json.dumps(message).encode() + b"\n"], fds)
        except OSError:
            self.closed = True
        return self._next
