# SPDX-License-Identifier: MIT
"""Real GRUB, from a CD, with tiny kernels."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import cache
from grader.machine import End, IsoError, Module, Via, grub, iso, make_iso
from grader.machine.command import RAM
from grader.sandbox import detect
from grader.tests.tiny import SAY, TRIPLE_FAULT, Start, assembler


# Prints the command line and the module's string: Multiboot info at ebx.
STRINGS = """
    mov edi, ebx
    mov esi, [edi + 16]
    call say
    mov esi, mark
    call say
    mov esi, [edi + 24]
    mov esi, [esi + 8]
    call say
    mov esi, mark
    call say
    mov esi, [edi + 24]
    mov esi, [esi]
    call say
"""
END_OF_LINE = 'mark: db "|", 0\ntext: db 13, 10, "[ringlab] end of test", 13, 10, 0'


@pytest.mark.parametrize("via", list(Via))
def test_words_and_modules_arrive_by_both_loaders(start: Start, via: Via) -> None:
    modules = (Module("plan", b"the plan's bytes\0", "a=1,2 $b"),)
    ended = start(
        STRINGS + SAY,
        END_OF_LINE,
        via=via,
        modules=modules,
        cmdline="scenario=demo nonce=a$b",
    )
    assert ended.end is End.DONE, ended
    line = ended.console.decode().splitlines()[-2]
    command, module, data = line.split("|")
    assert command.endswith("kernel.elf scenario=demo nonce=a$b")
    assert module.rpartition("/")[2] == "plan a=1,2 $b"
    assert data == "the plan's bytes"


def test_grub_reads_each_cd_anew(start: Start) -> None:
    """Its machine is kept from another CD, with other files in other places."""
    for number, size in enumerate((10, 40_000, 10)):
        ended = start(
            STRINGS + SAY,
            END_OF_LINE,
            via=Via.GRUB,
            modules=(Module(f"m{number}", b"x" * size + b"\0"),),
            cmdline=f"n={number}",
        )
        line = ended.console.decode().splitlines()[-2]
        assert line == f"kernel.elf n={number}|m{number}|{'x' * size}", ended


# To the BIOS a stick is a hard disk. On IDE: QEMU's USB hangs now and then.
DISK = "-drive if=ide,format=raw,file={}"


@pytest.mark.parametrize("way", ["-cdrom {}", DISK], ids=["cd", "stick"])
def test_the_bios_starts_it_from_cd_and_usb_stick(tmp_path: Path, way: str) -> None:
    disc = tmp_path / "boot.iso"
    make_iso(assembler(tmp_path)(SAY + TRIPLE_FAULT), "", (), disc, detect())
    machine = "qemu-system-i386 -accel tcg -display none -nic none -no-reboot"
    done = subprocess.run(
        [*machine.split(), "-serial", "stdio", *way.format(disc).split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.endswith(b"[ringlab] end of test\r\n")


@pytest.fixture(name="anew")
def _anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of GRUB is there that was made before, nor stays what is made now."""
    monkeypatch.setattr(grub, "KEPT", tmp_path / "kept")
    iso._core.cache_clear()
    iso.files_of.cache_clear()
    yield
    iso._core.cache_clear()
    iso.files_of.cache_clear()


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize(
    "name, value, told",
    [
        ("GRUB", Path("/nowhere"), "/nowhere/moddep.lst is not there: install grub-pc"),
        ("WANTED", ("nothing",), "xorriso: .*nothing.mod"),
        ("CORE", ("nothing",), "grub-mkimage: .*nothing.mod"),
    ],
)
def test_a_cd_without_its_grub_says_what_is_missing(
    tmp_path: Path, monkeypatch: Any, name: str, value: Any, told: str
) -> None:
    monkeypatch.setattr(iso, name, value)
    with pytest.raises(IsoError, match=f"(?s){told}"):
        make_iso(assembler(tmp_path)(SAY), "", (), tmp_path / "boot.iso", detect())
    assert not (tmp_path / "boot.iso").exists()


@pytest.mark.usefixtures("anew")
def test_a_grub_that_does_not_come_so_far_is_told(
    start: Start, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(grub, "WAITING", ["echo it ends here"])
    monkeypatch.setattr(grub, "GUARD_S", 3.0)
    with pytest.raises(IsoError, match="GRUB does not start; it said '.*it ends here"):
        start(SAY, via=Via.GRUB)
    assert not list((tmp_path / "kept").iterdir())


@pytest.fixture(name="kept")
def _kept(
    anew: None, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> grub.Waiting:
    """A kept machine; when it is made anew, it is the same once more."""
    start(SAY, via=Via.GRUB)
    (folder,) = (tmp_path / "kept").iterdir()
    copy = shutil.copytree(folder, tmp_path / "copy")

    def again(_arch: str, _ram_mib: int, made: Path, *_: Any) -> None:
        shutil.copytree(copy, made, dirs_exist_ok=True)

    monkeypatch.setattr(grub, "_start", again)
    return grub.Waiting(folder)


def test_a_kept_machine_that_is_damaged_is_made_anew(
    start: Start, kept: grub.Waiting
) -> None:
    assert kept.intact()
    for name, damage in (
        *((grub.STATE, data) for data in (b"", b"nothing")),
        *((RAM, data) for data in (b"", bytes(32 << 20), b"x" * (32 << 20))),
        (grub.SUM, b""),
    ):
        (kept.folder / name).write_bytes(damage)
        assert not kept.intact()
        assert start(SAY, via=Via.GRUB).end is End.DONE
        assert kept.intact()
        (kept.folder / name).unlink()
        assert not kept.intact()
        assert start(SAY, via=Via.GRUB).end is End.DONE


def test_a_kept_machine_that_qemu_refuses_is_no_kernels_fault(
    start: Start, kept: grub.Waiting
) -> None:
    state = kept.folder / grub.STATE
    whole = state.read_bytes()
    for refused in (b"", b"nothing", whole[:30_000]):
        state.write_bytes(refused)
        (kept.folder / grub.SUM).write_text(kept.sum())
        with pytest.raises(IsoError, match="does not go on from where GRUB"):
            start(SAY, via=Via.GRUB)
        assert start(SAY, via=Via.GRUB).end is End.DONE


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("place", ["bin", "libexec"])
def test_a_new_qemu_gets_a_machine_of_its_own(
    tmp_path: Path, monkeypatch: Any, place: str
) -> None:
    """What one version has saved is not for another, behind a wrapper either."""
    name = "qemu-system-i386"
    for folder in ("bin", "libexec"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    starts = itertools.count()

    def begin(_arch: str, _ram_mib: int, made: Path, *_: Any) -> None:
        (made / RAM).touch()
        (made / grub.STATE).write_bytes(bytes([next(starts)]))
        (made / grub.SUM).write_text(grub.Waiting(made).sum())

    monkeypatch.setattr(grub, "_start", begin)
    monkeypatch.setattr(shutil, "which", lambda _: str(tmp_path / "bin" / name))
    monkeypatch.setattr(cache, "BEHIND", tmp_path / "libexec")
    kept = []
    for version in ("7.2", "7.2.22"):
        (tmp_path / place / name).write_text(version)
        grub._key.cache_clear()  # looked up once in a process
        for _ in range(2):
            waiting = grub.waiting("i386", 32, detect())
            kept.append((waiting.folder / grub.STATE).read_bytes())
    assert kept == [b"\0", b"\0", b"\1", b"\1"]
