# SPDX-License-Identifier: MIT
"""GRUB, started from a CD by the BIOS, up to where it would read its menu.

All that comes before is the same for every kernel, and takes four times as long as what
comes after. So the machine is kept as it is there, and a boot by GRUB goes on from it
with a CD of its own, from which GRUB reads menu, kernel and modules.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import select
import shutil
import socket
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from grader import cache
from grader.machine.command import CD, PC, RAM, hardware
from grader.machine.console import Console
from grader.machine.iso import CONFIG, WANTED, IsoError, begin, files_of, grub_core
from grader.machine.iso import make_cd
from grader.machine.memory import GuestMemory, blocks, copy_sparse
from grader.machine.model import MIB, Boot, Until
from grader.machine.qmp import Gone, Qmp
from grader.sandbox import Limits, Sandbox, Stopped, stopping
from grader.settings import ROOT

KEPT = ROOT / "build/cache/grub"
STATE, SUM = "machine", "ram.crc32"
KEY = b"\r"  # what GRUB waits for
READY = "GRUB waits"
MORE = ("configfile", "echo", "read", "sleep")
# GRUB keeps what it has read of a disk for two seconds; then this CD is forgotten.
FORGET_S = 3
WAITING = [f"sleep {FORGET_S}", f"echo {READY}", "read", f"configfile {CONFIG}"]
LIMITS = Limits(cpu_s=30)
GUARD_S = 120.0
BIOS = Path("/usr/share/seabios")


@dataclass(frozen=True)
class Waiting:
    """A machine in which GRUB waits for KEY: a folder of the cache."""

    folder: Path

    def intact(self) -> bool:
        """Whether it is as it was kept: a disk may have been full, or without power."""
        try:
            return (self.folder / SUM).read_text("ascii") == self.sum()
        except OSError:
            return False

    def sum(self) -> str:
        """CRC-32 over all that belongs to it, in hexadecimal."""
        told = zlib.crc32((self.folder / STATE).read_bytes())
        with open(self.folder / RAM, "rb") as file:
            for at, block in blocks(file.fileno(), os.fstat(file.fileno()).st_size):
                told = zlib.crc32(block, zlib.crc32(b"%x" % at, told))
        return f"{told:x}"

    def fill(self, memory: GuestMemory) -> None:
        """Give a machine that has not begun this one's memory."""
        with open(self.folder / RAM, "rb") as file:
            copy_sparse(file.fileno(), memory.fd, memory.size)

    def resume(self, qmp: Qmp) -> None:
        """Let it go on from there. Raises IsoError."""
        with open(self.folder / STATE, "rb") as file:
            try:
                qmp.load(file.fileno())
            except Gone:
                if not stopping() and qmp.patience():
                    self.forget()
                    raise IsoError("QEMU does not go on from where GRUB was") from None

    def forget(self) -> None:
        """The next one is made anew."""
        shutil.rmtree(self.folder, ignore_errors=True)


def waiting(arch: str, ram_mib: int, sandbox: Sandbox) -> Waiting:
    """The machine in which GRUB waits for KEY.

    It is made once for these tools (takes 4 s), and kept in build/cache. Raises
    IsoError if GRUB does not come so far.
    """
    key = _key(arch, ram_mib, sandbox)

    def make(scratch: Path) -> Path:
        made = scratch / "made"
        made.mkdir()
        _start(arch, ram_mib, made, scratch, sandbox)
        return made

    found = Waiting(cache.entry(KEPT, key, make))
    if not found.intact():
        found.forget()
        found = Waiting(cache.entry(KEPT, key, make))
    return found


@functools.lru_cache(maxsize=8)
def _key(arch: str, ram_mib: int, sandbox: Sandbox) -> str:
    """Of all that the kept machine consists of."""
    words = [*hardware(arch, PC, ram_mib, RAM, 0), *_config(), STATE, SUM]
    qemu = Path(shutil.which(words[0]) or words[0])
    files = (qemu, *sorted(BIOS.glob("*.bin")), *files_of(WANTED + MORE))
    text = "\n".join([*words, cache.identity(*files)])
    digest = hashlib.sha256(grub_core(sandbox) + text.encode())
    return f"{arch}-{digest.hexdigest()}"


def _config() -> list[str]:
    return begin(WANTED + MORE) + WAITING


def _start(arch: str, ram_mib: int, made: Path, folder: Path, sandbox: Sandbox) -> None:
    """Start a machine, wait until GRUB does, and save the machine in `made`."""
    make_cd(_config(), WANTED + MORE, {}, folder / CD, sandbox)
    (folder / CD).chmod(0o644)
    ours, theirs = socket.socketpair()
    console = Console(Boot("grub", folder, until=Until(line=READY)))
    memory = GuestMemory(folder / RAM, ram_mib * MIB, sandbox)
    with ours, theirs, contextlib.closing(console), contextlib.closing(memory):
        machine = hardware(arch, PC, ram_mib, memory.name, theirs.fileno())
        child = sandbox.spawn(
            [*machine, "-cdrom", CD, "-boot", "d"],
            cwd=folder,
            ro=[folder],
            rw=memory.files,
            limits=LIMITS,
            proc=True,
            pass_fds=[theirs.fileno(), *memory.fds],
            stdin=console.qemu_in,
            stdout=console.qemu_out,
        )
        try:
            console.started()
            theirs.close()
            qmp, end = Qmp(ours), time.monotonic() + GUARD_S
            qmp.patience = lambda: time.monotonic() < end
            qmp.begin()
            while not console.line and not console.closed and qmp.patience():
                select.select([console], [], [], end - time.monotonic())
                console.read()
            if stopping():
                raise Stopped
            if not console.line:
                said = console.data.decode("utf-8", "replace").strip()
                raise IsoError(f"GRUB does not start; it said {said!r}")
            with open(made / STATE, "wb") as file:
                qmp.save(file.fileno())
        except Gone as error:
            raise IsoError(f"QEMU did not save its machine: {error}") from None
        finally:
            Sandbox.release(child)
        with open(made / RAM, "wb") as file:
            copy_sparse(memory.fd, file.fileno(), memory.size)
        (made / SUM).write_text(Waiting(made).sum(), "ascii")
