# SPDX-License-Identifier: MIT
"""Folders under build/cache, one a key; each appears whole, so runs can share them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SCRATCH = "scratch-"
# An image takes about 1 MB; the oldest entries go when there are more.
KEPT = 200
# No build takes so long: a scratch folder of that age is of a run that was killed.
STALE_S = 3600.0

# Debian 12's QEMU is a script that starts the program of that name here.
BEHIND = Path("/usr/libexec")

_locks: dict[str, threading.Lock] = {}
_locks_lock = threading.Lock()


def identity(*files: Path) -> str:
    """Changes when one of the programs or files does: paths, sizes, times.

    Raises FileNotFoundError.
    """
    behind = [BEHIND / file.name for file in files]
    every = [*files, *(file for file in behind if file.exists())]
    states = [(file.resolve(), file.stat()) for file in every]
    return " ".join(f"{path}:{s.st_size}:{s.st_mtime_ns}" for path, s in states)


def entry(cache: Path, key: str, make: Callable[[Path], Path]) -> Path:
    """The folder `key` of the cache; if it is not there, what make(scratch) returns, a
    folder inside its scratch folder, becomes it."""
    with locked(key):
        found = find(cache, key)
        if found is None:
            with scratch(cache) as place:
                found = publish(cache, key, make(place))
    return found


@contextlib.contextmanager
def locked(key: str) -> Iterator[None]:
    """Only one thread of this process at a time makes the entry `key`."""
    with _locks_lock:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:
        yield


@contextlib.contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """A new folder in `cache` that is gone in the end; other users can pass through."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=cache))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find(cache: Path, key: str) -> Path | None:
    """The entry's folder, marked as used now."""
    entry = cache / key
    try:
        os.utime(entry)
    except FileNotFoundError:
        return None
    return entry


def publish(cache: Path, key: str, made: Path) -> Path:
    """Rename `made` to the entry; another run may have been first, with the same."""
    entry = cache / key
    try:
        made.rename(entry)
    except OSError:
        if not entry.is_dir():
            raise
    _prune(cache)
    return entry


def _prune(cache: Path) -> None:
    found = list(os.scandir(cache))
    passing = [e for e in found if e.name.startswith(SCRATCH)]
    entries = [e for e in found if not e.name.startswith(SCRATCH)]
    with contextlib.suppress(FileNotFoundError):
        for entry in passing:
            if entry.stat().st_mtime < time.time() - STALE_S:
                shutil.rmtree(entry.path, ignore_errors=True)
        if len(entries) <= KEPT + KEPT // 4:
            return
        entries.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in entries[:-KEPT]:
            shutil.rmtree(entry.path, ignore_errors=True)
