# SPDX-License-Identifier: MIT
"""What a boot is planned with: the image, the seed's choices, probes made afresh."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import seed as seeds
from grader.course import Stage

if TYPE_CHECKING:
    from grader.build import Image
    from grader.evidence.symbols import Symbols
    from grader.machine import Boot

# Where grader-owned code halts when a scenario has come to its end, and its length.
DONE, DONE_BYTES = "scenario_done", 4


@dataclass(frozen=True)
class Probe:
    """A flat ring-3 binary. `labels` are offsets from its first byte."""

    name: str
    data: bytes
    labels: Mapping[str, int]


@dataclass
class Plan:
    """One boot in the making. Choices that the check needs later go into `notes`."""

    root: Path
    boot_name: str
    arch: str
    stage: Stage
    image: Image
    seed: int
    nonce: str
    folder: Path
    programs: Callable[[str, str, int | None, bool], bytes]
    notes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def symbols(self) -> Symbols:
        from grader.checks.record import symbols_of

        return symbols_of(self.image.symbols)

    def rng(self, name: str = "") -> random.Random:
        """The seed's choices for this boot; a stream of its own for each `name`."""
        names = (self.arch, self.stage.id, self.boot_name, name)
        return seeds.rng(self.seed, *names)

    def note(self, key: str, value: Any) -> Any:
        """Keep `value` for the checks, as `evidence.notes[key]`; returns it."""
        self.notes[key] = value
        return value

    def boot(self, scenario: str = "", *words: str, **fields: Any) -> Boot:
        """A Boot of this image: `scenario=NAME WORDS…`; other fields as in Boot.

        Unless `until` is given, only a halt at the label scenario_done ends it well.
        """
        from grader.machine import Boot, Until

        done = self.symbols.find(DONE) if "until" not in fields else None
        if done is not None:
            fields["until"] = Until(halt=(done, done + DONE_BYTES))
        first = (f"scenario={scenario}",) if scenario else ()
        return Boot(
            name=self.boot_name,
            arch=self.arch,
            elf=self.image.elf,
            cmdline=" ".join((*first, *words)),
            **fields,
        )

    def probe(self, name: str, **defines: int | str) -> Probe:
        """Assemble user/probes/<arch>/<name>.asm with `defines`, for this run."""
        source = self.root / "user/probes" / self.arch / f"{name}.asm"
        self.folder.mkdir(parents=True, exist_ok=True)
        binary = self.folder / f"{name}.bin"
        table = self.folder / f"{name}.map"
        prelude = self.folder / f"{name}.inc"
        prelude.write_text(f"[map symbols {table}]\n", encoding="utf-8")
        folders = (
            source.parent,
            self.root / "kernel/arch" / self.arch / "include",
            self.root / "build" / self.arch / "include",
        )
        command = ["nasm", "-f", "bin", "-Wall", "-Wno-unknown-warning", "-Wno-reloc"]
        command += ["-Werror", "-p", str(prelude)]
        command += [f"-I{folder}/" for folder in folders]
        command += [f"-D{key}={value}" for key, value in defines.items()]
        command += ["-o", str(binary), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"probe {name}: {done.stderr.strip()}")
        return Probe(name, binary.read_bytes(), _labels(table.read_text("utf-8")))

    def program(
        self,
        source: str,
        *,
        optimise: str = "-O2",
        base: int | None = None,
        elf: bool = False,
    ) -> bytes:
        """The C program user/<source> for the address base (none: the usual one), made
        with the gap headers of the submission; flat, or an ELF executable."""
        return self.programs(source, optimise, base, elf)


def _labels(table: str) -> dict[str, int]:
    """The labels of NASM's map file: lines of real address, virtual address, name."""
    labels: dict[str, int] = {}
    for line in table.splitlines():
        words = line.split()
        if len(words) == 3 and _is_hex(words[0]) and _is_hex(words[1]):
            labels[words[2]] = int(words[1], 16)
    return labels


def _is_hex(word: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in word)
