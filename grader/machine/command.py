# SPDX-License-Identifier: MIT
"""QEMU's command line for a boot, and the files it needs in the run's folder."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from grader.machine.iso import make_iso
from grader.machine.model import Boot, Module, Via
from grader.sandbox import Sandbox

# A local APIC passes the PIC's interrupts on only if a BIOS has told it to.
# GRUB would measure a TSC for 55 ms at each boot; RDTSC works without the claim.
CPU = {"i386": "qemu32,-apic,-tsc", "x86_64": "qemu64,-apic,-tsc"}
# The machine without PCI starts sooner; but what it saves of its VGA is wrong (7.2),
# and GRUB's machine is saved.
ISA_PC, PC = "isapc", "pc,acpi=off,hpet=off"
# It starts a kernel in half the time that SeaBIOS needs; there is no text mode then.
QUICK_BIOS = "qboot.rom"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# The loaders treat quotes and backslashes differently, so no word may have them.
WORDS = re.compile(r"[ !#-&(-\[\]-~]*")
RAM, TRACE, STDERR = "ram", "trace.log", "qemu.stderr"
SCREEN, CONSOLE, CD = "vga.bin", "console.log", "boot.iso"
# The machine in which GRUB waits (see grub.py) comes by QMP.
LATER = ("-incoming", "defer")
SECCOMP = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


def make_disc(boot: Boot, folder: Path, sandbox: Sandbox) -> Path:
    """Write the CD of a boot by GRUB into folder. Raises IsoError."""
    _require_plain(boot)
    disc = folder / CD
    make_iso(boot.elf, boot.cmdline, boot.modules, disc, sandbox)
    _readable(disc)
    return disc


def _require_plain(boot: Boot) -> None:
    """Raise ValueError if a loader would change a word, or a name is no file's."""
    for text in (boot.cmdline, *(module.args for module in boot.modules)):
        if not WORDS.fullmatch(text):
            raise ValueError(f"{text!r} has quotes, backslashes or no ASCII characters")
    for module in boot.modules:
        if not NAME.fullmatch(module.name):
            raise ValueError(f"module name {module.name!r} is not a plain file name")


def prepare(boot: Boot, folder: Path) -> list[Path]:
    """Put kernel, modules and empty output files into folder; returns what QEMU writes.

    They exist before QEMU starts, so that the folder need not be writable to QEMU.
    """
    _require_plain(boot)
    folder.mkdir(parents=True, exist_ok=True)
    outputs = [folder / TRACE, *([folder / SCREEN] if has_screen(boot) else ())]
    for path in outputs:
        path.unlink(missing_ok=True)
        path.touch(mode=0o644)
    if boot.via is Via.GRUB:
        return outputs
    kernel = folder / "kernel.elf"
    kernel.unlink(missing_ok=True)
    try:
        os.link(boot.elf, kernel)  # there are hundreds, and a new file is dear on ext4
    except OSError:
        shutil.copyfile(boot.elf, kernel)
    _readable(kernel)
    for module in boot.modules:
        path = folder / "modules" / module.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(module.data)
        path.parent.chmod(0o755)
        _readable(path)
    return outputs


def has_screen(boot: Boot) -> bool:
    """Whether the cells of the VGA's text mode are taken in the end."""
    return boot.screen or boot.via is Via.GRUB


def _readable(path: Path) -> None:
    path.chmod(0o644)  # whatever the umask: QEMU may run as another user


def _module_word(module: Module) -> str:
    words = [f"modules/{module.name}", *module.args.split()]
    return " ".join(words).replace(",", ",,")  # a comma separates modules


def hardware(arch: str, kind: str, ram_mib: int, memory: str, qmp_fd: int) -> list[str]:
    """argv of a machine that stands still; memory: the file that backs the guest's."""
    argv = [f"qemu-system-{arch}", "-M", f"{kind},memory-backend={RAM}"]
    argv += ["-cpu", CPU[arch], "-m", str(ram_mib)]
    argv += ["-object", f"memory-backend-file,id={RAM},size={ram_mib}M"]
    argv[-1] += f",mem-path={memory},share=on"
    argv += ["-accel", "tcg,tb-size=32", "-nodefaults", "-no-user-config"]
    argv += ["-nic", "none", "-vga", "std", "-display", "none", "-sandbox", SECCOMP]
    # The BIOS puts the time of day into low memory: always the same, for equal runs.
    argv += ["-rtc", "base=2026-01-01T00:00:00,clock=vm"]
    argv += ["-no-reboot", "-action", "shutdown=pause", "-S"]
    argv += ["-chardev", "stdio,id=console,signal=off"]
    argv += ["-serial", "chardev:console"]
    argv += ["-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp"]
    argv[-1] += ",mode=control"
    return argv


def command(boot: Boot, memory: str, qmp_fd: int) -> list[str]:
    """argv; paths are relative to the run's folder: its place leaves no trace."""
    kind = PC if boot.via is Via.GRUB else ISA_PC
    argv = hardware(boot.arch, kind, boot.ram_mib, memory, qmp_fd)
    if boot.trace:
        argv += ["-d", ",".join(boot.trace), "-D", TRACE]
    if boot.trace_ranges:
        ranges = (f"{first:#x}..{last:#x}" for first, last in boot.trace_ranges)
        argv += ["-dfilter", ",".join(ranges)]
    if boot.via is Via.GRUB:
        return argv + ["-cdrom", CD, *LATER]
    if not boot.screen:
        argv += ["-bios", QUICK_BIOS]
    argv += ["-kernel", "kernel.elf", "-append"]
    argv += [" ".join(boot.cmdline.split())]
    if boot.modules:
        argv += ["-initrd", ",".join(_module_word(m) for m in boot.modules)]
    if boot.icount_shift is not None:
        argv += ["-icount", f"shift={boot.icount_shift},sleep=off"]
    return argv
