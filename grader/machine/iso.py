# SPDX-License-Identifier: MIT
"""Makes a bootable CD with GRUB, kernel and modules (make run, make iso, Via.GRUB)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from grader.machine.model import Module
from grader.sandbox import Limits, Sandbox

# What the menu needs: the serial terminal, the CD, and Multiboot 1.
GRUB_MODULES = "multiboot normal serial terminfo terminal configfile iso9660 biosdisk"
GRUB_MODULES += " echo"
# For a copy on a USB stick. GRUB looks for every module of its partmap.lst at boot, and
# what it says of those that are not there takes longer than all the rest.
PARTS = "part_msdos"
GRUB = Path("/usr/lib/grub/i386-pc")
LIMITS = Limits(cpu_s=30, file_bytes=64 << 20)


class IsoError(Exception):
    """grub-mkrescue failed; the text is what it printed."""


def _quote(text: str) -> str:
    """A word for grub.cfg: in single quotes nothing but the quote itself is special."""
    return "'" + text.replace("'", "'\\''") + "'" if text else ""


def grub_cfg(cmdline: str, modules: tuple[Module, ...]) -> str:
    """The menu. GRUB passes only what follows the file name: the name is repeated."""
    words = " ".join(_quote(word) for word in cmdline.split())
    lines = ["set timeout=0", "serial --unit=0 --speed=115200"]
    # A dumb terminal is never cleared: what stands on the screen at `make run` stays.
    lines += ["terminfo serial dumb"]
    lines += ["terminal_input serial console", "terminal_output serial console"]
    lines += ["menuentry ringlab {", f"  multiboot /boot/kernel.elf kernel.elf {words}"]
    for module in modules:
        args = " ".join(_quote(word) for word in module.args.split())
        name = _quote(module.name)
        lines.append(f"  module /boot/modules/{module.name} {name} {args}".rstrip())
    return "\n".join([*lines, "}", ""])


def _grub(folder: Path) -> Path:
    """GRUB's own folder, but with no more partition maps than are on the CD."""
    if not GRUB.is_dir():
        raise IsoError(f"{GRUB} is not there: install grub-pc-bin")
    folder.mkdir(mode=0o755)
    parts = folder / "partmap.lst"
    for name in os.listdir(GRUB):
        if name != parts.name:
            os.symlink(f"{GRUB}/{name}", f"{folder}/{name}")
    parts.write_text(f"{PARTS}\n", "ascii")
    parts.chmod(0o644)
    return folder


def make_iso(
    elf: Path,
    cmdline: str,
    modules: tuple[Module, ...],
    out: Path,
    sandbox: Sandbox,
) -> None:
    """Write the CD to `out`, whole or not at all. Raises IsoError."""
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".iso-", dir=out.parent.resolve()))
    try:
        boot = work / "tree" / "boot"
        (boot / "grub").mkdir(parents=True)
        (boot / "modules").mkdir()
        (work / "out").mkdir()
        shutil.copyfile(elf, boot / "kernel.elf")
        (boot / "grub" / "grub.cfg").write_text(grub_cfg(cmdline, modules), "utf-8")
        for module in modules:
            (boot / "modules" / module.name).write_bytes(module.data)
        for path in (work, *work.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        argv = ["grub-mkrescue", "-o", str(work / "out" / "boot.iso")]
        argv += ["-d", str(_grub(work / "grub")), "--compress=no", "--fonts="]
        argv += ["--themes=", "--locales=", f"--install-modules={GRUB_MODULES} {PARTS}"]
        argv += [str(work / "tree")]
        result = sandbox.run(
            argv,
            cwd=work / "out",
            ro=[work / "tree", work / "grub"],
            rw=[work / "out"],
            limits=LIMITS,
        )
        made = work / "out" / "boot.iso"
        if result.status != 0 or not made.is_file():
            raise IsoError((result.stdout + result.stderr).decode("utf-8", "replace"))
        os.replace(made, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
