# SPDX-License-Identifier: MIT
"""Submissions are read for their regular files, and no trick gets further than that."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import OperatorError
from grader.intake import archive, submission
from grader.intake.archive import ArchiveError, Untaken, read_archive

BOTH = pytest.mark.parametrize("name", ["s.zip", "s.tar.gz"])


def pack(file: Path, members: dict[str, bytes]) -> Path:
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for name, data in members.items():
                made.writestr(name, data)
        return file
    packing = {".gz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(file.suffix, "")
    with tarfile.open(file, f"w:{packing}") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file


@pytest.mark.parametrize("end", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "ZIP"])
def test_regular_files_come_out(tmp_path: Path, end: str) -> None:
    packed = pack(tmp_path / f"x.{end.lower()}", {"./a/b.c": b"int x;", "c": b""})
    assert read_archive(packed.rename(tmp_path / f"s.{end}")) == {
        "a/b.c": b"int x;",
        "c": b"",
    }


@BOTH
@pytest.mark.parametrize("bad", ["../x", "/x", "a/../../x", "a\\..\\x"])
def test_a_name_that_escapes_is_refused(tmp_path: Path, name: str, bad: str) -> None:
    with pytest.raises(ArchiveError, match="leads out"):
        read_archive(pack(tmp_path / name, {bad: b""}))


@BOTH
def test_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    members = {f"f{n}": bytes(1 << 20) for n in range(6)}
    with pytest.raises(ArchiveError, match="unpacks to more"):
        read_archive(pack(tmp_path / name, members))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_without_bounds_is_refused(
    tmp_path: Path, method: int
) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w", method) as made:
        made.writestr("x", bytes(1 << 20))
    with pytest.raises(ArchiveError, match="another method"):
        read_archive(tmp_path / "s.zip")


@BOTH
def test_too_many_members_are_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "COUNT", 3)
    with pytest.raises(ArchiveError, match="more than 3 members"):
        read_archive(pack(tmp_path / name, {str(n): b"" for n in range(4)}))


def test_an_archive_too_large_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PACKED_BYTES", 10)
    with pytest.raises(ArchiveError, match="10 may be"):
        read_archive(pack(tmp_path / "s.zip", {"x": b""}))


@BOTH
def test_a_file_too_large_is_named_without_its_content(
    tmp_path: Path, name: str
) -> None:
    packed = pack(tmp_path / name, {"x": bytes(archive.FILE_BYTES + 1)})
    assert read_archive(packed) == {"x": Untaken.LARGE}


def linked_tar(file: Path) -> None:
    with tarfile.open(file, "w") as tar:
        kinds = {"symbolic": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}
        for name, kind in {**kinds, "fifo": tarfile.FIFOTYPE}.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)


def linked_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as made:
        info = zipfile.ZipInfo("symbolic")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(info, "/etc/passwd")


@pytest.mark.parametrize("make, name", [(linked_tar, "s.tar"), (linked_zip, "s.zip")])
def test_links_are_not_followed_and_devices_left_out(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    make(tmp_path / name)
    found = read_archive(tmp_path / name)
    links = ["symbolic", "hard"] if make is linked_tar else ["symbolic"]
    assert found == dict.fromkeys(links, Untaken.LINK)


def forged(size: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar file of one header, with that field of its size."""
    info = tarfile.TarInfo("x")
    info.type = kind
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    "data",
    [
        b"nothing",
        forged(b"\xff" * 11 + b"\x00") + bytes(1024),  # back to before the start
        forged(b"00000400000\0", tarfile.XHDTYPE) + bytes(1 << 16),
        forged(b"00000001000\0")[:-1],
    ],
)
def test_what_is_broken_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "s.tar").write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be read"):
        read_archive(tmp_path / "s.tar")


def test_an_encrypted_or_cut_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(pack(tmp_path / "s.zip", {"x": b"y"}).read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + flags] |= 1
    for broken in (bytes(data), bytes(data[:-30])):
        (tmp_path / "s.zip").write_bytes(broken)
        with pytest.raises(ArchiveError, match="cannot be read"):
            read_archive(tmp_path / "s.zip")


@pytest.mark.parametrize(
    "wrapped, whole",
    [("", False), ("x/y/", False), ("assignments/", True), ("x/assignments/", True)],
)
def test_a_submission_is_found_in_what_is_wrapped_around_it(
    course: Course, tmp_path: Path, wrapped: str, whole: bool
) -> None:
    file = tmp_path / "in" / wrapped / "01-gdt/gdt.c"
    file.parent.mkdir(parents=True)
    file.write_text("int x;\n")
    packed: archive.Files = {f"{wrapped}01-gdt/gdt.c": b"int x;\n"}
    for found in (
        submission.folder(tmp_path / "in", course),
        submission.located("in", packed, course),
    ):
        assert found.whole == whole
        assert found.files == {found.path("01-gdt", "gdt.c"): b"int x;\n"}


def test_one_archive_in_a_folder_is_the_submission(
    course: Course, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    pack(tmp_path / "in/s.zip", {"repo/01-gdt/gdt.c": b"x"})
    found = submission.folder(tmp_path / "in", course)
    assert (found.name, found.files) == ("in", {"01-gdt/gdt.c": b"x"})


def test_nothing_behind_a_link_is_read_and_no_fifo_waits(
    course: Course, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "load.asm").write_text("the answer")
    stage = tmp_path / "in/01-gdt"
    stage.mkdir(parents=True)
    (stage / "i386").symlink_to(secret)
    (stage / "gdt.c").symlink_to(secret / "load.asm")
    os.mkfifo(stage / "pipe")
    (stage / "note").write_text("x")
    found = submission.folder(tmp_path / "in", course).files
    links = [path for path, data in found.items() if data is Untaken.LINK]
    assert sorted(links) == ["01-gdt/gdt.c", "01-gdt/i386"]
    assert found.keys() - links == {"01-gdt/note"}
    (tmp_path / "other").symlink_to(tmp_path / "in")
    with pytest.raises(OperatorError, match="is a link"):
        submission.one(tmp_path / "other", course)


@pytest.mark.parametrize("bound", ["COUNT", "ALL_BYTES"])
def test_a_folder_without_end_is_refused(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    (tmp_path / "in/01-gdt").mkdir(parents=True)
    for number in range(5):
        (tmp_path / f"in/01-gdt/{number}").write_text("x")
    monkeypatch.setattr(submission, bound, 3)
    with pytest.raises(OperatorError, match="more than"):
        submission.folder(tmp_path / "in", course)
