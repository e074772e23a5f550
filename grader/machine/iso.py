# SPDX-License-Identifier: MIT
"""Makes a bootable CD with GRUB, kernel and modules (make run, make iso, Via.GRUB)."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grader import cache
from grader.machine.model import Module
from grader.sandbox import Limits, Sandbox

GRUB = Path("/usr/lib/grub/i386-pc")
# The core is compressed, and what it unpacks costs more than what it loads: it has what
# reads the CD, and no more.
CORE = ("biosdisk", "iso9660")
# What grub.cfg asks for by name: GRUB's lists of commands would take longer to read.
WANTED = ("serial", "terminfo", "terminal", "multiboot")
CONFIG = "/boot/grub/grub.cfg"
LIMITS = Limits(cpu_s=30, file_bytes=64 << 20)


class IsoError(Exception):
    """GRUB is not all there, or a tool failed; the text is what it printed."""


def _quote(text: str) -> str:
    """A word for grub.cfg: in single quotes nothing but the quote itself is special."""
    return "'" + text.replace("'", "'\\''") + "'" if text else ""


def begin(wanted: tuple[str, ...]) -> list[str]:
    """How every configuration begins: modules, and the serial line as a terminal."""
    lines = [f"insmod {module}" for module in wanted]
    lines += ["serial --unit=0 --speed=115200"]
    # A dumb terminal is never cleared: what stands on the screen at `make run` stays.
    lines += ["terminfo serial dumb"]
    return lines + ["terminal_input serial console", "terminal_output serial console"]


def menu(cmdline: str, modules: tuple[Module, ...]) -> list[str]:
    """The menu. GRUB passes only what follows the file name: the name is repeated."""
    words = " ".join(_quote(word) for word in cmdline.split())
    lines = [*begin(WANTED), "set timeout=0"]
    lines += ["menuentry ringlab {", f"  multiboot /boot/kernel.elf kernel.elf {words}"]
    for module in modules:
        args = " ".join(_quote(word) for word in module.args.split())
        name = _quote(module.name)
        lines.append(f"  module /boot/modules/{module.name} {name} {args}".rstrip())
    return [*lines, "}"]


@functools.cache
def files_of(wanted: tuple[str, ...]) -> tuple[Path, ...]:
    """The modules that are wanted, and those that they need. Raises IsoError."""
    try:
        lines = (GRUB / "moddep.lst").read_text("ascii").splitlines()
    except FileNotFoundError as error:
        raise IsoError(f"{error.filename} is not there: install grub-pc-bin") from None
    needs = {name: rest.split() for name, _, rest in (x.partition(":") for x in lines)}
    found, open_ = set[str](), ["normal", *wanted]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += needs.get(name, ())
    return tuple(GRUB / f"{name}.mod" for name in sorted(found))


def grub_core(sandbox: Sandbox) -> bytes:
    """What the BIOS loads from the CD, the same for every kernel: made once a process.

    Raises IsoError.
    """
    with cache.locked("GRUB's core"):  # two threads make CDs
        return _core(sandbox)


@functools.cache
def _core(sandbox: Sandbox) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ringlab-grub-") as scratch:
        argv = ["grub-mkimage", "-O", "i386-pc-eltorito", "-p", "/boot/grub"]
        _tool(sandbox, [*argv, "-o", "core.img", *CORE], Path(scratch), Path(scratch))
        return (Path(scratch) / "core.img").read_bytes()


def _tool(sandbox: Sandbox, argv: list[str], cwd: Path, out: Path) -> None:
    ro = [] if cwd == out else [cwd]
    result = sandbox.run(argv, cwd=cwd, ro=ro, rw=[out], limits=LIMITS)
    if result.status != 0:
        text = (result.stdout + result.stderr).decode("utf-8", "replace")
        raise IsoError(f"{argv[0]}: {text}")


def make_iso(
    elf: Path,
    cmdline: str,
    modules: tuple[Module, ...],
    out: Path,
    sandbox: Sandbox,
) -> None:
    """Write the CD with this kernel to `out`, whole or not at all.

    It starts from a USB stick as well. Raises IsoError.
    """
    files = {"kernel.elf": elf.read_bytes()}
    files |= {f"modules/{module.name}": module.data for module in modules}
    make_cd(menu(cmdline, modules), WANTED, files, out, sandbox)


def make_cd(
    config: list[str],
    wanted: tuple[str, ...],
    files: Mapping[str, bytes],
    out: Path,
    sandbox: Sandbox,
) -> None:
    """Write a CD with GRUB, its configuration (lines) and the files of /boot."""
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".iso-", dir=out.parent.resolve()))
    try:
        (work / "out").mkdir()
        boot = work / "tree/boot"
        core, text = grub_core(sandbox), "\n".join([*config, ""])
        made = {"grub/core.img": core, "grub/grub.cfg": text.encode(), **files}
        for name, data in made.items():
            (boot / name).parent.mkdir(parents=True, exist_ok=True)
            (boot / name).write_bytes(data)
        for path in (work, *work.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        argv = ["xorriso", "-as", "mkisofs", "-quiet", "-r", "-o", "out/boot.iso"]
        argv += ["-b", "boot/grub/core.img", "-no-emul-boot", "-boot-load-size", "4"]
        argv += ["-boot-info-table", "--grub2-boot-info"]
        argv += ["--grub2-mbr", str(GRUB / "boot_hybrid.img"), "-graft-points", "tree"]
        argv += [f"/boot/grub/i386-pc/{one.name}={one}" for one in files_of(wanted)]
        _tool(sandbox, argv, work, work / "out")
        os.replace(work / "out" / "boot.iso", out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
