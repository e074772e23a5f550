# SPDX-License-Identifier: MIT
"""The regular files of a tar or zip file, within bounds."""

from __future__ import annotations

import bz2
import enum
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

from grader.errors import OperatorError
from grader.verdict.model import plain

SUFFIXES = (
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip"),
)
FILE_BYTES = 1 << 20
PACKED_BYTES = 32 << 20
ALL_BYTES = 64 << 20
COUNT = 10_000
RATIO = 200
SMALL_BYTES = 4 << 20  # below this no ratio is suspicious
HEADER_BYTES = 16 << 10
XZ_MEMORY_BYTES = 128 << 20
BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, RuntimeError, NotImplementedError, ValueError, OSError),
)
# Headers whose data tarfile reads whole: long names, and records of names and values.
LONG_HEADERS = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)


class Untaken(enum.Enum):
    """What is there, and is not read."""

    LARGE = "a file of more than FILE_BYTES"
    LINK = "a link"


# By their paths; what is neither a file nor a link is left out.
Files = dict[str, bytes | Untaken]


class ArchiveError(OperatorError):
    """An archive that is not taken, and why."""

    def __init__(self, file: Path, what: str) -> None:
        mend = "ask for a .tar.gz or .zip of the sources alone, or unpack it by hand"
        super().__init__(f"{plain(file.name, 200)} is refused: {what}", mend)


def is_archive(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def read_archive(file: Path) -> Files:
    """The files of the archive. Links are not followed, and devices left out.

    Of two members of one name the last counts. Raises ArchiveError.
    """
    try:
        size = file.stat().st_size
        if size > PACKED_BYTES:
            raise ArchiveError(file, f"it has {size} bytes, {PACKED_BYTES} may be")
        limit = min(ALL_BYTES, max(SMALL_BYTES, RATIO * size))
        packed = file.read_bytes()
        zipped = file.name.lower().endswith(".zip")
        members = _zip(packed) if zipped else _tar(_unpacked(packed, limit))
        found: Files = {}
        total = 0
        for count, member in enumerate(members, 1):
            if count > COUNT:
                raise ArchiveError(file, f"it has more than {COUNT} members")
            if member:
                name, data = member
                path = _path(file, name)
                if data is None:
                    found[path] = Untaken.LINK
                    continue
                total += len(data)
                if total > limit:
                    raise _Large(limit)
                found[path] = data if len(data) <= FILE_BYTES else Untaken.LARGE
        return found
    except _Large as error:
        raise ArchiveError(file, str(error)) from None
    except BROKEN as error:
        what = plain(str(error) or type(error).__name__, 200)
        raise ArchiveError(file, f"it cannot be read ({what})") from None


def lay(files: Files, folder: Path) -> None:
    """Write them below folder, so that who takes them from there says the same of what
    was not read."""
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if data is Untaken.LINK:
            file.symlink_to("a-link-that-was-not-followed")
        elif data is Untaken.LARGE:
            file.touch()
            os.truncate(file, FILE_BYTES + 1)
        else:
            file.write_bytes(data)


class _Large(Exception):
    def __init__(self, limit: int) -> None:
        super().__init__(f"it unpacks to more than {limit} bytes")


def _path(file: Path, name: str) -> str:
    path = PurePosixPath(name)
    odd = "\\" in name or "\0" in name or not path.parts
    if odd or path.is_absolute() or ".." in path.parts:
        raise ArchiveError(file, f"{plain(name, 200)!r} leads out of it")
    return str(path)


def _unpacked(packed: bytes, limit: int) -> bytes:
    """The tar file in what may be packed by gzip, bzip2 or xz; told by its content."""
    if packed.startswith(b"\x1f\x8b"):
        data = gzip.GzipFile(fileobj=BytesIO(packed)).read(limit + 1)
    elif packed.startswith(b"BZh"):
        data = bz2.BZ2File(BytesIO(packed)).read(limit + 1)
    elif packed.startswith(b"\xfd7zXZ\0"):
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)
        data = decoder.decompress(packed, limit + 1)
    else:
        data = packed
    if len(data) > limit:
        raise _Large(limit)
    return data


class _Header(tarfile.TarInfo):
    """A header that cannot make tarfile go backwards, or read on and on."""

    @classmethod
    def frombuf(
        cls, buf: bytes | bytearray, encoding: str | None, errors: str
    ) -> _Header:
        made = super().frombuf(buf, encoding or "utf-8", errors)
        long = made.type in LONG_HEADERS and made.size > HEADER_BYTES
        if made.size < 0 or long:
            raise ValueError("a header of impossible size")
        return made


# Name and content of a member, of a link the name alone; None for what is neither.
_Member = tuple[str, bytes | None] | None


def _tar(data: bytes) -> Iterator[_Member]:
    with tarfile.open(fileobj=BytesIO(data), mode="r:", tarinfo=_Header) as archive:
        for member in archive:
            if member.issym() or member.islnk():
                yield member.name, None
                continue
            regular = member.isreg() and not member.issparse() and member.size >= 0
            opened = archive.extractfile(member) if regular else None
            yield (member.name, opened.read()) if opened else None


def _zip(packed: bytes) -> Iterator[_Member]:
    """A member is read no further than FILE_BYTES and one."""
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind == stat.S_IFLNK:
                yield member.filename, None
                continue
            if member.is_dir() or kind not in (0, stat.S_IFREG):
                yield None
                continue
            # zipfile bounds what it unpacks at once for these two alone.
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("it is packed by another method than deflate")
            with archive.open(member) as opened:
                yield member.filename, opened.read(FILE_BYTES + 1)
