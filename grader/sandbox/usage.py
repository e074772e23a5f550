# SPDX-License-Identifier: MIT
"""What all processes of a command use together, which no rlimit bounds."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

HERTZ = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat behind the name, see proc(5).
STATE, PARENT, SESSION, TIMES, RESIDENT = 0, 1, 3, slice(11, 15), 21
AT_WORK = "RD"
DEAD = "ZX"


@dataclass(frozen=True)
class Usage:
    """processes: how many, zombies too. asleep: none of them runs or waits for a disk.

    cpu_s holds those that have ended, if their parent asked how.
    """

    processes: int
    cpu_s: float
    resident_bytes: int
    asleep: bool


def usage(pid: int, uid: int | None) -> Usage:
    """Of the process `pid`, all below it, all of its session, and all of user `uid`."""
    rows = _processes(uid)
    below: dict[int, list[int]] = {}
    for each, (fields, _) in rows.items():
        below.setdefault(int(fields[PARENT]), []).append(each)
    todo = [pid] + [
        each
        for each, (fields, theirs) in rows.items()
        if theirs or int(fields[SESSION]) == pid
    ]
    members: set[int] = set()
    while todo:
        each = todo.pop()
        if each in rows and each not in members:
            members.add(each)
            todo += below.get(each, [])
    found = [rows[each][0] for each in members]
    ticks = sum(int(word) for fields in found for word in fields[TIMES])
    pages = sum(int(fields[RESIDENT]) for fields in found)
    asleep = not any(fields[STATE] in AT_WORK for fields in found)
    return Usage(len(found), ticks / HERTZ, pages * PAGE_BYTES, asleep)


def cpu_s(pid: int) -> float:
    """CPU time of a process and its ended children, in steps of 10 ms. Raises OSError
    if there is no such process."""
    return sum(int(word) for word in _stat(pid)[TIMES]) / HERTZ


def alive(uid: int) -> bool:
    """Whether any process of a user has not ended yet."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            theirs = os.stat(f"/proc/{name}").st_uid == uid
            if theirs and _stat(name)[STATE] not in DEAD:
                return True
    return False


def _stat(name: str | int) -> list[str]:
    """The fields of a process's stat behind the name."""
    with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def _processes(uid: int | None) -> dict[int, tuple[list[str], bool]]:
    """Of each process the fields of its stat, and whether it is the user's."""
    rows: dict[int, tuple[list[str], bool]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            theirs = uid is not None and os.stat(f"/proc/{name}").st_uid == uid
            rows[int(name)] = (_stat(name), theirs)
    return rows
