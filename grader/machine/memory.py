# SPDX-License-Identifier: MIT
"""The guest's memory: without a file system while QEMU runs, a sparse file after it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from grader.sandbox import Sandbox

BLOCK = 1 << 16
ZEROS = bytes(BLOCK)
FIXED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class GuestMemory:
    """`size` bytes that QEMU shares with the grader; they become the file `path`.

    A file system reads megabytes ahead, of nothing, where a guest touches a page. So
    QEMU maps memory that has no name, and `path` gets what is in it at the end. In a
    sandbox without /proc, where QEMU cannot open what it inherits, it maps `path`.

    name: what `mem-path` is. fds: what QEMU inherits for it. files: what it may write.
    """

    def __init__(self, path: Path, size: int, sandbox: Sandbox) -> None:
        self.path = path
        self.size = size
        self.name = path.name
        self.fds: list[int] = []
        self.files = [path]
        path.unlink(missing_ok=True)
        if sandbox.proc:
            self.fd = os.memfd_create(path.name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            self.name = f"/proc/self/fd/{self.fd}"
            self.fds, self.files = [self.fd], []
        else:
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.ftruncate(self.fd, size)
        if self.fds:
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, FIXED)

    def keep(self) -> None:
        """QEMU is dead: write its memory to `path`. Raises OSError on a full disk."""
        if self.fds:
            with open(self.path, "wb", buffering=0) as file:
                copy_sparse(self.fd, file.fileno(), self.size)

    def close(self) -> None:
        os.close(self.fd)


def copy_sparse(source: int, target: int, size: int) -> None:
    """Give the new, empty file `target` the `size` bytes of `source`; zeros take no
    room in it."""
    for at, block in blocks(source, size):
        os.pwrite(target, block, at)
    if os.fstat(target).st_size != size:
        os.ftruncate(target, size)  # sealed memory has its size


def blocks(file: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Where the file is not all zeros, and what is there."""
    at = 0
    while (at := _data(file, at, size)) < size:
        at -= at % BLOCK  # where data begins, a file system may tell roughly
        block = os.pread(file, BLOCK, at)
        if block != ZEROS[: len(block)]:
            yield at, block
        at += BLOCK


def _data(file: int, at: int, size: int) -> int:
    """Where, from `at` on, the file has data; `size` if it has none any more."""
    try:
        return os.lseek(file, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return size
