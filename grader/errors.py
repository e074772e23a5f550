# SPDX-License-Identifier: MIT
"""Errors that are the operator's: the grader could not grade, and says the mend."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
ROOM_BYTES = 64 << 20


class OperatorError(Exception):
    """Grading is impossible until the operator mends something (exit status 2)."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}" if mend else what)
        self.what = what
        self.mend = mend


def no_room(where: str) -> OperatorError:
    return OperatorError(
        f"no room left on the disk ({where})",
        "free some space, or choose another folder with OUT=<folder>",
    )


def operator_fault(error: BaseException, where: str) -> OperatorError | None:
    """The operator error that `error` really is, or None if it is something else."""
    if isinstance(error, OperatorError):
        return error
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return no_room(error.filename or where)
    if isinstance(error, FileNotFoundError) and error.filename:
        name = os.fspath(error.filename)
        if isinstance(name, str) and "/" not in name:
            return OperatorError(
                f"the tool {name} is missing", "run `make doctor` for what to install"
            )
    return None


def require_room(folder: Path) -> None:
    """Raise OperatorError if the disk of `folder` has less than ROOM_BYTES left."""
    place = folder
    while not place.exists():
        place = place.parent
    state = os.statvfs(place)
    if state.f_bavail * state.f_frsize < ROOM_BYTES:
        raise no_room(str(place))


def hush() -> None:
    """Nobody reads standard output any more: let what Python flushes at exit vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
