# SPDX-License-Identifier: MIT
"""What was seen of a known input, and how it is compared with what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

Facts = dict[str, str]
RECORDED = Path(__file__).with_name("recorded.json")


@dataclass(frozen=True)
class Known:
    """What a tool did with a known input; way: one of several that must agree."""

    tool: str
    input: str
    facts: Facts
    way: str = ""


def read(path: Path = RECORDED) -> dict[str, Facts]:
    """Input -> what is recorded of it."""
    recorded: dict[str, Facts] = json.loads(path.read_text("utf-8"))
    return recorded


def record(seen: Iterable[Known], path: Path = RECORDED) -> None:
    """Write what was seen; of several ways, the first."""
    facts: dict[str, Facts] = {}
    for known in seen:
        facts.setdefault(known.input, known.facts)
    path.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", "utf-8")


def differences(known: Known, recorded: dict[str, Facts]) -> Iterator[str]:
    """One line for each fact that is not as recorded."""
    wanted = recorded.get(known.input, {})
    for fact in sorted(wanted.keys() | known.facts.keys()):
        here, there = known.facts.get(fact, "nothing"), wanted.get(fact, "nothing")
        if here != there:
            yield f"{fact}: {here!r} here, {there!r} recorded"
