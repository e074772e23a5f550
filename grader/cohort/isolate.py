# SPDX-License-Identifier: MIT
"""Runs a function in a forked process that cannot harm who asked, or outlive it.

The caller has imported everything once and has no threads; what the function starts is
gone when it is over, whatever became of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import operator_fault

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
READ_BYTES = 1 << 16
_libc = ctypes.CDLL(None, use_errno=True)

Work = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Limits:
    """Of the process itself: wall time and CPU time in seconds. What it runs in the
    sandbox has limits of its own, which come first."""

    wall_s: float = 1200.0
    cpu_s: int = 300


@dataclass(frozen=True)
class Ended:
    """What came of it. data: what the function returned, None if it did not.

    error: why not; operator: the fault is the operator's. cpu_s: of the process alone.
    """

    data: Mapping[str, Any] | None
    error: str = ""
    operator: bool = False
    cpu_s: float = 0.0
    wall_s: float = 0.0


def adopt() -> None:
    """Orphans of this process's children come to it, so that sweep() finds them."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def isolated(work: Work, log: Path, limits: Limits = Limits()) -> Ended:
    """Run it in a process of its own; its stdout and stderr go to `log`."""
    began = time.monotonic()
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(work, log, limits, writing, parent)
    os.close(writing)
    try:
        text, late = _read(reading, began + limits.wall_s)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            # One that has said all is given no time to be slow about its end.
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
        sweep()
    spent = {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.monotonic() - began,
    }
    try:
        return Ended(**json.loads(text), **spent)
    except ValueError:
        return Ended(None, _death(status, late, limits), **spent)


def _death(status: int, late: bool, limits: Limits) -> str:
    if late:
        return f"it was not done after {limits.wall_s:g} s"
    if os.WIFSIGNALED(status):
        return f"it was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"it ended with status {os.WEXITSTATUS(status)} and said nothing"


def _child(
    work: Work, log: Path, limits: Limits, writing: int, parent: int
) -> NoReturn:
    said: dict[str, Any] = {"data": None}
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        # When memory runs out, this process and not the one that asked.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, hard))
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for number in (1, 2):
            os.dup2(output, number)
        said["data"] = work()
    except BaseException as error:
        fault = operator_fault(error, str(log))
        text = str(fault) if fault else _said(error)
        said |= {"error": text.strip(), "operator": fault is not None}
        if not fault:
            traceback.print_exc()
            sys.stderr.flush()
    with open(writing, "w", encoding="utf-8") as stream:
        json.dump(said, stream)
    os._exit(0)


def _said(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error))


def _read(pipe: int, until: float) -> tuple[str, bool]:
    """All that is written to the pipe, and whether that took too long."""
    parts: list[bytes] = []
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return "", True
        data = os.read(pipe, READ_BYTES)
        if not data:
            return b"".join(parts).decode("utf-8"), False
        parts.append(data)


def sweep() -> None:
    """Kill and reap every process that is a child of this one; adopted ones too."""
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    return [int(word) for word in text.split()]
