# SPDX-License-Identifier: MIT
"""The guest's memory, while QEMU runs and after."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from grader.machine import Boot, End, run
from grader.machine.memory import BLOCK, GuestMemory, blocks, copy_sparse
from grader.sandbox import Sandbox, Tier
from grader.tests.conftest import Disk
from grader.tests.tiny import SAY, assembler

SIZE = 64 * BLOCK
OPEN = Sandbox(Tier.C)  # in which there is a /proc wherever this runs
# Nothing; its ends; a page that is not at the begin of a block; zeros that take room.
CONTENTS: list[dict[int, bytes]] = [
    {},
    {0: b"first", SIZE - 4: b"last"},
    {5 * BLOCK + 4096: b"x" * 4096, 5 * BLOCK + 3 * 4096: b"y"},
    {7 * BLOCK: bytes(BLOCK), 9 * BLOCK - 1: b"ab"},
]


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("from_memory", [True, False])
def test_a_copy_is_equal_and_has_no_zeros(
    tmp_path: Path, content: dict[int, bytes], from_memory: bool
) -> None:
    flags, paths = os.O_RDWR | os.O_CREAT, (tmp_path / "from", tmp_path / "to")
    source, target = (os.open(path, flags) for path in paths)
    if from_memory:
        source = os.memfd_create("test")
    os.ftruncate(source, SIZE)
    for at, data in content.items():
        os.pwrite(source, data, at)
    copy_sparse(source, target, SIZE)
    assert os.pread(target, SIZE + 1, 0) == os.pread(source, SIZE, 0)
    full = {at // BLOCK for at, data in content.items() if any(data)}
    full |= {(at + len(d) - 1) // BLOCK for at, d in content.items() if any(d)}
    assert [at // BLOCK for at, _ in blocks(source, SIZE)] == sorted(full)
    assert os.fstat(target).st_blocks * 512 <= len(full) * BLOCK


def test_qemu_cannot_make_its_memory_larger_or_smaller(tmp_path: Path) -> None:
    with contextlib.closing(GuestMemory(tmp_path / "ram", SIZE, OPEN)) as guest:
        for size in (0, SIZE - 1, SIZE + 1):
            with pytest.raises(PermissionError):
                os.truncate(guest.name, size)
        os.truncate(guest.name, SIZE)


def test_memory_has_no_file_while_qemu_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Seen(GuestMemory):
        def keep(self) -> None:
            seen.append((self.path.exists(), os.fstat(self.fd).st_nlink))
            super().keep()

    monkeypatch.setattr("grader.machine.session.GuestMemory", Seen)
    ended = run(Boot("test", assembler(tmp_path)(SAY)), tmp_path / "run", OPEN)
    assert ended.end is End.DONE
    assert seen == [(False, 0)]
    assert ended.ram.stat().st_blocks * 512 < ended.ram.stat().st_size == 32 << 20


@pytest.mark.parametrize("sandbox", [*map(Sandbox, Tier), Sandbox(Tier.A, proc=False)])
def test_qemu_maps_a_file_only_where_it_finds_nothing_that_it_inherits(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with contextlib.closing(GuestMemory(tmp_path / "ram", SIZE, sandbox)) as guest:
        assert guest.files == ([] if sandbox.proc else [tmp_path / "ram"])
        assert guest.fds == ([guest.fd] if sandbox.proc else [])


def test_no_room_for_what_was_in_memory_is_told(tmp_path: Path, disk: Disk) -> None:
    disk(tmp_path / "full", SIZE // 2)
    path = tmp_path / "full/ram"
    with contextlib.closing(GuestMemory(path, SIZE, OPEN)) as guest:
        for at in range(0, SIZE, BLOCK):
            os.pwrite(guest.fd, b"x", at)
        with pytest.raises(OSError, match="No space"):
            guest.keep()
