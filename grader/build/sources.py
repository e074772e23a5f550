# SPDX-License-Identifier: MIT
"""Takes the gap files that the manifest names from a submission, and nothing else."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from grader.build.model import Message, SubmissionError

GAP_BYTES = 1 << 20
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Named(Protocol):
    """The part of a stage that says which gap files it has."""

    @property
    def id(self) -> str: ...

    def gaps(self, arch: str) -> Sequence[str]: ...


def take(stage: Named, arch: str, src: Path) -> dict[str, bytes]:
    """Gap file (relative to SRC/<stage>/) -> content.

    Raises SubmissionError, naming every file that is missing, no plain file, too large
    or no text. Links are never followed, in no part of the path below src.
    """
    taken: dict[str, bytes] = {}
    messages: list[Message] = []
    for gap in stage.gaps(arch):
        name = f"{stage.id}/{gap}"
        try:
            data = _read(src, PurePosixPath(name))
            _require_text(data)
            taken[gap] = data
        except _Refused as refused:
            why = str(refused)
            messages.append(Message(name, refused.line, 0, "error", why, stage.id))
    if messages:
        raise SubmissionError(messages)
    return taken


class _Refused(Exception):
    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def _read(src: Path, path: PurePosixPath) -> bytes:
    """At most GAP_BYTES of a regular file; O_NONBLOCK so that a FIFO cannot hold us."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    folder = os.open(src, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.parts[:-1]:
            inner = os.open(part, flags | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = inner
        file = os.open(path.parts[-1], flags, dir_fd=folder)
    except OSError as error:
        raise _Refused(_reason(error)) from None
    finally:
        os.close(folder)
    try:
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode):
            kind = "a folder" if stat.S_ISDIR(state.st_mode) else "no plain file"
            raise _Refused(f"this is {kind}; a gap file is a plain text file")
        if state.st_size > GAP_BYTES:
            size = state.st_size
            raise _Refused(f"the file has {size} bytes; at most {GAP_BYTES} fit")
        with open(file, "rb", closefd=False) as stream:
            return stream.read(GAP_BYTES + 1)
    finally:
        os.close(file)


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "the file is missing"
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return "this is a symbolic link; a gap file is a plain text file"
    if error.errno == errno.ENOTDIR:
        return "a folder on the way to the file is a link, or no folder"
    return f"the file cannot be read: {error.strerror}"


def _require_text(data: bytes) -> None:
    if len(data) > GAP_BYTES:
        raise _Refused(f"the file has more than {GAP_BYTES} bytes")
    if data.startswith(UTF_16) or data.count(b"\0") >= len(data) // 3 > 0:
        raise _Refused("the file looks like UTF-16: save it as UTF-8")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise _Refused("a NUL byte in the file: it is no text", line)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _Refused("the file is no UTF-8 text", line) from None
