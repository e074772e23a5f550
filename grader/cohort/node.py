# SPDX-License-Identifier: MIT
"""Would this machine judge as the one does where the class run was started?

    python3 -m grader.cohort.node MACHINE.json

A verdict names sandbox and tools, and what is graded again is decided by them. So a
node that has others says which, and ends with status 2: nobody can be graded there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grader.errors import OperatorError
from grader.tools import sandbox_tier, versions
from grader.verdict.write import write_json

SANDBOX = "the sandbox's tier"


def machine() -> dict[str, str]:
    """What this machine judges with."""
    return {SANDBOX: sandbox_tier(), **versions()}


def describe(file: Path) -> None:
    """Write down this machine, for others to compare with."""
    write_json(file, machine())


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """In words, both ways. there: where the run was started."""
    return [
        f"{name} is {here.get(name, 'absent')} here, {there.get(name, 'absent')} there"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]


def main(file: str) -> int:
    try:
        found = differences(machine(), json.loads(Path(file).read_text("utf-8")))
    except OperatorError as error:
        found = [str(error)]
    if found:
        text = "not as where the class run was started: "
        print(text + "; ".join(found), file=sys.stderr)
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
