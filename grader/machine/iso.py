# SPDX-License-Identifier: MIT
"""Makes a bootable CD with GRUB, kernel and modules (make run, make iso, Via.GRUB)."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path

from grader.machine.model import Module
from grader.sandbox import Limits, Sandbox

GRUB = Path("/usr/lib/grub/i386-pc")
# The core is compressed, and what it unpacks costs more than what it loads: it has what
# reads the CD, and no more.
CORE = ("biosdisk", "iso9660")
# What grub.cfg asks for by name: GRUB's lists of commands would take longer to read.
WANTED = ("normal", "serial", "terminfo", "terminal", "multiboot")
LIMITS = Limits(cpu_s=30, file_bytes=64 << 20)


class IsoError(Exception):
    """GRUB is not all there, or a tool failed; the text is what it printed."""


def _quote(text: str) -> str:
    """A word for grub.cfg: in single quotes nothing but the quote itself is special."""
    return "'" + text.replace("'", "'\\''") + "'" if text else ""


def grub_cfg(cmdline: str, modules: tuple[Module, ...]) -> str:
    """The menu. GRUB passes only what follows the file name: the name is repeated."""
    words = " ".join(_quote(word) for word in cmdline.split())
    lines = [f"insmod {module}" for module in WANTED if module != "normal"]
    lines += ["set timeout=0", "serial --unit=0 --speed=115200"]
    # A dumb terminal is never cleared: what stands on the screen at `make run` stays.
    lines += ["terminfo serial dumb"]
    lines += ["terminal_input serial console", "terminal_output serial console"]
    lines += ["menuentry ringlab {", f"  multiboot /boot/kernel.elf kernel.elf {words}"]
    for module in modules:
        args = " ".join(_quote(word) for word in module.args.split())
        name = _quote(module.name)
        lines.append(f"  module /boot/modules/{module.name} {name} {args}".rstrip())
    return "\n".join([*lines, "}", ""])


@functools.cache
def _modules() -> tuple[str, ...]:
    """The files of the modules that are wanted, and of those that they need."""
    try:
        lines = (GRUB / "moddep.lst").read_text("ascii").splitlines()
    except FileNotFoundError as error:
        raise IsoError(f"{error.filename} is not there: install grub-pc-bin") from None
    needs = {name: rest.split() for name, _, rest in (x.partition(":") for x in lines)}
    found, open_ = set[str](), [*WANTED]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += needs.get(name, ())
    return tuple(f"{name}.mod" for name in sorted(found))


@functools.cache
def grub_core(sandbox: Sandbox) -> bytes:
    """What the BIOS loads from the CD, the same for every kernel: made once a process.

    Raises IsoError.
    """
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
    """Write the CD to `out`, whole or not at all; it starts from a USB stick as well.

    Raises IsoError.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".iso-", dir=out.parent.resolve()))
    try:
        boot = work / "tree" / "boot"
        (boot / "grub").mkdir(parents=True)
        (boot / "modules").mkdir()
        (work / "out").mkdir()
        shutil.copyfile(elf, boot / "kernel.elf")
        (boot / "grub" / "core.img").write_bytes(grub_core(sandbox))
        (boot / "grub" / "grub.cfg").write_text(grub_cfg(cmdline, modules), "utf-8")
        for module in modules:
            (boot / "modules" / module.name).write_bytes(module.data)
        for path in (work, *work.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        argv = ["xorriso", "-as", "mkisofs", "-quiet", "-r", "-o", "out/boot.iso"]
        argv += ["-b", "boot/grub/core.img", "-no-emul-boot", "-boot-load-size", "4"]
        argv += ["-boot-info-table", "--grub2-boot-info"]
        argv += ["--grub2-mbr", str(GRUB / "boot_hybrid.img"), "-graft-points", "tree"]
        for name in _modules():
            argv += [f"/boot/grub/i386-pc/{name}={GRUB / name}"]
        _tool(sandbox, argv, work, work / "out")
        os.replace(work / "out" / "boot.iso", out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
