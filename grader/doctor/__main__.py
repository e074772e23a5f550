# SPDX-License-Identifier: MIT
"""`make doctor`: are the tools there, in versions that work, and do they behave?

--record writes what the tools do here as what is expected everywhere.
"""

# What it imports at the start is there wherever Python is.
from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from grader.doctor.inventory import ROOT, State, Tool, examine, older, read_tools

if TYPE_CHECKING:
    from grader.doctor.facts import Known


def asked(root: Path = ROOT) -> tuple[list[Tool], tuple[str, ...]]:
    """The tools to look for, and the sets that must be there.

    A published branch, which has no staff.mk, has no use for the tools of staff.
    """
    staff = (root / "grader/staff.mk").exists()
    hidden = () if staff else ("test", "look", "class")
    tools = [t for t in read_tools(root / "ci/tools.txt") if t.set not in hidden]
    return tools, ("grade", "test") if staff else ("grade",)


def main(words: Sequence[str] = ()) -> int:
    """Print what was found; 0 if all that is needed is there and behaves, else 1."""
    tools, needed = asked()
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(examine, tools))
    missing = _list(tools, states, needed)
    if missing:
        print(
            f"\nTo mend it: sudo apt-get install {' '.join(missing)}", file=sys.stderr
        )
        return 1
    print("\nAll that `make grade` and `make test` need is there.", flush=True)
    make = ["ci/setup", "--check", "--make", "build/tools.mk", "grade"]
    if subprocess.run(make, cwd=ROOT, check=False).returncode:
        return 1
    from grader.doctor import facts
    from grader.doctor.drift import observe

    seen = observe()
    if "--record" in words:
        facts.record(seen)
    return compare(seen)


def _list(
    tools: Sequence[Tool], states: Sequence[State], needed: Sequence[str]
) -> list[str]:
    """A line for each tool; gives the packages that are missing or too old."""
    missing: list[str] = []
    for tool, state in zip(tools, states):
        old = state.found and older(state.version, tool.least)
        must = tool.set in needed
        mark = "TOO OLD" if old else "ok"
        if not state.found:
            mark = "MISSING" if must else "absent"
        if mark in ("MISSING", "TOO OLD") and must and tool.package not in missing:
            missing.append(tool.package)
        name = tool.probe.replace("cc:", "compiler ").split(":")[-1].split("/")[-1]
        if state.name:
            name += f" {state.name}"
        least = "" if tool.least == "-" else f"needs {tool.least}"
        print(
            f"{mark:8}{name:25} {state.version or '-':12}{least:14}"
            f"{tool.set:7}{tool.package}"
        )
    return missing


def compare(seen: Iterable[Known]) -> int:
    """A line for each tool that behaves, more for one that does not."""
    from grader.doctor import facts

    recorded = facts.read()
    status = 0
    for known in seen:
        found = list(facts.differences(known, recorded))
        what = f"{known.input}, {known.way}" if known.way else known.input
        print(f"{'DIFFERS' if found else 'ok':8}{what:25} {known.tool}")
        for difference in found:
            print(f"        {difference}")
        status = 1 if found else status
    if status:
        print(
            "\nA tool behaves otherwise than the course knows it. That is no student's"
            " fault:\ngive the lines above to the course's staff before any points are"
            " taken off.",
            file=sys.stderr,
        )
    else:
        print("\nThe tools do what the course knows of them.")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
