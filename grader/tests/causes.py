# SPDX-License-Identifier: MIT
"""Recorded runs, one for a cause of failure: read, written, and what is said of them.

A record holds what the explanation of a real run looked at: the records of the log
from the one that matters on, the registers, and those 64 bytes of memory around each
word that was read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional

from grader.evidence import explain, registers, trace
from grader.evidence.memory import Physical
from grader.evidence.scene import Diagnosis, Scene
from grader.evidence.symbols import Lookup, Place

FOLDER = Path(__file__).parent / "data" / "causes"
LINE_BYTES = 64
LICENSE = "SPDX-License-Identifier: MIT"


@dataclass
class Record:
    """A run in short. ask: which question to put to the explanations, see `ask`.

    made: where it comes from; ram: lines of memory by address; places: the symbols.
    """

    key: str
    arch: str
    ask: str
    made: str
    end: str
    log: str = ""
    registers: str = ""
    console: str = ""
    stderr: str = ""
    detail: str = ""
    ram: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.key}-{self.arch}"

    def write(self, folder: Path) -> None:
        """Write <key>-<arch>.json."""
        text = json.dumps({"$comment": LICENSE, **asdict(self)}, indent=1)
        (folder / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Record:
        data = json.loads(path.read_text(encoding="utf-8"))
        del data["$comment"]
        return cls(**data)

    def scene(self) -> Scene:
        """The run as the explanations want it."""
        return Scene(
            self.arch,
            self.end,
            trace.parse(self.log.encode("latin-1")),
            registers.parse(self.registers) if self.registers else None,
            Lines({int(a, 16): bytes.fromhex(t) for a, t in self.ram.items()}),
            Places({int(a, 16): Place(int(a, 16), *p) for a, p in self.places.items()}),
            self.console.encode("latin-1"),
            self.stderr,
            self.detail,
        )


class Lines:
    """Memory of which only some lines are known; the others are zero."""

    def __init__(self, lines: Mapping[int, bytes]) -> None:
        self.lines = dict(lines)

    def read(self, pa: int, size: int) -> bytes:
        """`size` bytes from physical address `pa`."""
        first = pa - pa % LINE_BYTES
        starts = range(first, pa + size, LINE_BYTES)
        known = b"".join(self.lines.get(at, bytes(LINE_BYTES)) for at in starts)
        return known[pa - first :][:size]


class Places:
    """The symbols that were asked for."""

    def __init__(self, places: Mapping[int, Place]) -> None:
        self.places = places

    def at(self, address: int) -> Optional[Place]:
        return self.places.get(address)

    def find(self, name: str) -> Optional[int]:
        found = (p.address for p in self.places.values() if p.function == name)
        return next(found, None)


@dataclass
class Noting:
    """Memory that keeps the lines which were read."""

    ram: Physical
    lines: dict[int, bytes] = field(default_factory=dict)

    def read(self, pa: int, size: int) -> bytes:
        for at in range(pa - pa % LINE_BYTES, pa + max(size, 1), LINE_BYTES):
            line = self.ram.read(at, LINE_BYTES)
            if any(line):
                self.lines[at] = line.ljust(LINE_BYTES, b"\0")
        return self.ram.read(pa, size)


@dataclass
class NotingPlaces:
    """Symbols that keep what was asked for."""

    symbols: Lookup
    places: dict[int, Place] = field(default_factory=dict)

    def at(self, address: int) -> Optional[Place]:
        found = self.symbols.at(address)
        if found is not None:
            self.places[address] = found
        return found

    def find(self, name: str) -> Optional[int]:
        address = self.symbols.find(name)
        if address is not None:
            self.places[address] = Place(address, name, 0, "", 0)
        return address


ASKS = ("end", "fault", "silent")


def ask(scene: Scene, question: str, key: str) -> Optional[Diagnosis]:
    """What the explanations say: of the run's end, of the last fault that has this
    cause, or of a mistake that raised none. None if that is another cause."""
    if question == "end":
        every = [explain.diagnose(scene)]
    elif question == "fault":
        faults = [event for event in scene.interrupts if not event.hardware]
        every = [explain.fault(scene, event) for event in reversed(faults[-20:])]
    else:
        every = explain.observe(scene)
    return next((found for found in every if found.key == key), None)


def golden(found: Diagnosis) -> str:
    """The whole explanation as text."""
    named = (
        ("cause", found.cause),
        ("seen", found.seen),
        ("mend", found.hint),
        ("read", found.read),
        ("at", found.source),
    )
    parts = [f"{name}: {text}" for name, text in named if text]
    parts += ["\n".join(("", *exhibit.lines())) for exhibit in found.exhibits]
    return "\n".join(line.rstrip() for line in "\n".join(parts).split("\n")) + "\n"
