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
from pathlib import Path

from grader import cache
from grader.machine.command import CD, PC, RAM, hardware
from grader.machine.console import Console
from grader.machine.iso import CONFIG, WANTED, IsoError, begin, files_of, grub_core
from grader.machine.iso import make_cd
from grader.machine.model import MIB, Boot, Until
from grader.machine.qmp import Gone, Qmp
from grader.sandbox import Limits, Sandbox, Stopped, stopping
from grader.settings import ROOT

KEPT = ROOT / "build/cache/grub"
STATE = "machine"
KEY = b"\r"  # what GRUB waits for
READY = "GRUB waits"
MORE = ("configfile", "echo", "read", "sleep")
# GRUB keeps what it has read of a disk for two seconds; then this CD is forgotten.
FORGET_S = 3
WAITING = [f"sleep {FORGET_S}", f"echo {READY}", "read", f"configfile {CONFIG}"]
LIMITS = Limits(cpu_s=30)
GUARD_S = 120.0
BIOS = Path("/usr/share/seabios")


def waiting(arch: str, ram_mib: int, sandbox: Sandbox) -> bytes:
    """The machine in which GRUB waits for KEY, as `-incoming` takes it.

    It is made once for these tools (takes 4 s), and kept in build/cache. Raises
    IsoError if GRUB does not come so far.
    """
    key = _key(arch, ram_mib, sandbox)

    def make(scratch: Path) -> Path:
        made = scratch / "made"
        made.mkdir()
        (made / STATE).write_bytes(_start(arch, ram_mib, scratch, sandbox))
        return made

    return (cache.entry(KEPT, key, make) / STATE).read_bytes()


def forget(arch: str, ram_mib: int, sandbox: Sandbox) -> None:
    """QEMU refuses the machine that is kept: the next boot makes it anew."""
    shutil.rmtree(KEPT / _key(arch, ram_mib, sandbox), ignore_errors=True)


@functools.lru_cache(maxsize=8)
def _key(arch: str, ram_mib: int, sandbox: Sandbox) -> str:
    """Of all that the kept machine consists of."""
    words = [*hardware(arch, PC, ram_mib, 0), *_config()]
    qemu = Path(shutil.which(words[0]) or words[0])
    files = (qemu, *sorted(BIOS.glob("*.bin")), *files_of(WANTED + MORE))
    text = "\n".join([*words, cache.identity(*files)])
    digest = hashlib.sha256(grub_core(sandbox) + text.encode())
    return f"{arch}-{digest.hexdigest()}"


def _config() -> list[str]:
    return begin(WANTED + MORE) + WAITING


def _start(arch: str, ram_mib: int, folder: Path, sandbox: Sandbox) -> bytes:
    """Start a machine, wait until GRUB does, and save the machine."""
    make_cd(_config(), WANTED + MORE, {}, folder / CD, sandbox)
    (folder / CD).chmod(0o644)
    (folder / RAM).touch(mode=0o644)
    os.truncate(folder / RAM, ram_mib * MIB)
    ours, theirs = socket.socketpair()
    console = Console(Boot("grub", folder, until=Until(line=READY)))
    with ours, theirs, contextlib.closing(console):
        child = sandbox.spawn(
            hardware(arch, PC, ram_mib, theirs.fileno()) + ["-cdrom", CD, "-boot", "d"],
            cwd=folder,
            ro=[folder],
            rw=[folder / RAM],
            limits=LIMITS,
            pass_fds=[theirs.fileno()],
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
            return qmp.save()
        except Gone as error:
            raise IsoError(f"QEMU did not save its machine: {error}") from None
        finally:
            Sandbox.release(child)
