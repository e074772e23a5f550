# SPDX-License-Identifier: MIT
"""Links: gap objects into one localised object a stage, and all parts into an image."""

from __future__ import annotations

import shlex
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import elf
from grader.build.model import BuildError
from grader.build.tools import Tools, read_flags
from grader.sandbox import Limits, Sandbox, exceeded, told

LIMITS = Limits(cpu_s=20, file_bytes=64 << 20, memory_bytes=2 << 30)
# The kernel's struct ksym and ksyms_count are made of uintptr_t.
WORD = {"i386": "<I", "x86_64": "<Q"}
FUNCTIONS = (elf.STT_FUNC, elf.STT_NOTYPE)
SHF_EXECINSTR = 4


class LinkFailed(Exception):
    """A linker run failed; the text is what it printed."""


@dataclass(frozen=True)
class Linker:
    """Runs ld and objcopy of one architecture in the sandbox."""

    root: Path
    tools: Tools
    sandbox: Sandbox

    def stage_object(
        self, objects: Sequence[Path], keep: Sequence[str], out: Path
    ) -> None:
        """ld -r, then only `keep` stays global. `out` lies in a scratch folder."""
        joined, names = out.with_suffix(".joined"), out.with_suffix(".keep")
        names.write_text("".join(f"{name}\n" for name in keep))
        names.chmod(0o644)
        flags = read_flags(self.root, self.tools.arch).get("LDFLAGS_ARCH", [])
        join = [self.tools.ld, *flags, "-r", *map(str, objects), "-o", str(joined)]
        localise = [self.tools.objcopy, f"--keep-global-symbols={names}"]
        localise += [str(joined), str(out)]
        ro = [path.parent for path in objects]
        self._run([join, localise], out.parent, ro=ro)

    def image(self, parts: Sequence[str], gaps: Sequence[Path], scratch: Path) -> None:
        """Write scratch/symbols.elf and its stripped, bootable copy scratch/kernel.elf.

        parts: grader-owned objects relative to build/<arch>. Two passes: the first
        gives the addresses for the symbol table that the second holds at its end.
        """
        first, final = scratch / "first.elf", scratch / "symbols.elf"
        build = self.root / "build" / self.tools.arch
        script = self.root / "kernel" / "arch" / self.tools.arch / "kernel.ld"
        ro = [build, script, *(path for path in gaps if path.parent != scratch)]
        self._run([self._ld(script, parts, gaps, first)], scratch, ro, build)
        symbols = _functions(first)
        blob, table = scratch / "ksyms.bin", scratch / "ksyms.o"
        count_at, names_at = _write_table(symbols, WORD[self.tools.arch], blob)
        blob.chmod(0o644)
        wrap = [self.tools.objcopy, "-I", "binary", "-O", self.tools.bfd]
        wrap += ["-B", "i386", "--rename-section"]
        wrap += [".data=.ksyms,alloc,load,readonly,data,contents", "--strip-all"]
        places = {"ksyms": 0, "ksyms_count": count_at, "ksyms_names": names_at}
        for name, at in places.items():
            wrap += ["--add-symbol", f"{name}=.ksyms:{at:#x},global"]
        wrap += [str(blob), str(table)]
        strip = [self.tools.objcopy, "--strip-all"]
        if self.tools.arch == "x86_64":
            # QEMU's -kernel takes ELF32 only; the code in it stays 64-bit code.
            strip += ["-I", self.tools.bfd, "-O", "elf32-i386"]
        strip += [str(final), str(scratch / "kernel.elf")]
        link = self._ld(script, parts, [*gaps, table], final)
        self._run([wrap, link, strip], scratch, ro, build)
        if _functions(final) != symbols:
            raise BuildError("addresses moved between the two passes; is .ksyms last?")

    def _ld(
        self, script: Path, parts: Sequence[str], objects: Sequence[Path], out: Path
    ) -> list[str]:
        flags = read_flags(self.root, self.tools.arch).get("LDFLAGS_ARCH", [])
        argv = [self.tools.ld, *flags, "-T", str(script), "--orphan-handling=error"]
        argv += ["-z", "noexecstack", "--build-id=none"]
        # Names of parts are relative: the script tells gap objects by their file name,
        # and the course's own folder may have any name.
        return [*argv, *parts, *map(str, objects), "-o", str(out)]

    def _run(
        self,
        commands: Sequence[Sequence[str]],
        scratch: Path,
        ro: Sequence[Path] = (),
        cwd: Path | None = None,
    ) -> None:
        """One after the other, up to the first that fails, in one sandbox: to make that
        costs as much as a link."""
        script = " && ".join(shlex.join(command) for command in commands)
        result = self.sandbox.run(
            ["sh", "-c", script], cwd=cwd or scratch, ro=ro, rw=[scratch], limits=LIMITS
        )
        stop = exceeded(result)
        if stop is not None:
            raise LinkFailed(str(told(stop, LIMITS, "linking")))
        if result.status != 0:
            text = (result.stderr + result.stdout).decode("utf-8", "replace").strip()
            raise LinkFailed(text or f"the linker ended with status {result.status}")


def _functions(image: Path) -> list[tuple[int, bytes]]:
    """(address, name) of every function and label in code, one name an address."""
    from elftools.elf.elffile import ELFFile

    found: dict[int, tuple[bool, bytes]] = {}
    with open(image, "rb") as stream:
        file = ELFFile(stream)
        code = {
            number
            for number, section in enumerate(file.iter_sections())
            if section["sh_flags"] & SHF_EXECINSTR
        }
        for row in elf.symbols(file):
            if row.section not in code or row.kind not in FUNCTIONS:
                continue
            if row.kind == elf.STT_NOTYPE and b"." in row.name:
                continue  # NASM's local labels: the routine's own name says more
            if row.name:
                rank = (row.binding == elf.STB_LOCAL, row.name)
                found[row.value] = min(found.get(row.value, rank), rank)
    return [(at, found[at][1]) for at in sorted(found)]


def _write_table(
    symbols: Sequence[tuple[int, bytes]], word: str, out: Path
) -> tuple[int, int]:
    """ksyms[], ksyms_count and ksyms_names in a row; offsets of the last two."""
    rows, names = bytearray(), bytearray()
    for address, name in symbols:
        rows += struct.pack(word, address) + struct.pack(word, len(names))
        names += bytes(c if 0x20 < c < 0x7F else ord("?") for c in name) + b"\0"
    count = struct.pack(word, len(symbols))
    out.write_bytes(bytes(rows) + count + bytes(names))
    return len(rows), len(rows) + len(count)
