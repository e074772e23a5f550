# SPDX-License-Identifier: MIT
"""The steps that CI runs, as a script: `python3 -m grader.tests.steps github`.

For a bare Debian root, in a clone of a published branch; `docker` is what ci/Dockerfile
does, from the repository's root. Each step is a shell of its own, as it is there.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml

from grader.settings import ROOT

WORKFLOW = Path(".github/workflows/grade.yml")
PIPELINE = Path(".gitlab-ci.yml")
DOCKERFILE = Path("ci/Dockerfile")
SUMMARY = "build/summary.md"


def load(path: Path) -> dict[str, Any]:
    """A YAML file; the key `on` is YAML's true, and is called "on" again."""
    data = yaml.safe_load(path.read_text("utf-8"))
    return {"on" if key is True else str(key): value for key, value in data.items()}


def github(root: Path = ROOT) -> list[str]:
    steps = load(root / WORKFLOW)["jobs"]["grade"]["steps"]
    return [str(step["run"]) for step in steps if "run" in step]


def gitlab(root: Path = ROOT) -> list[str]:
    return [str(line) for line in load(root / PIPELINE)["grade"]["script"]]


def instructions(root: Path = ROOT) -> list[tuple[str, str]]:
    """The Dockerfile's, each with its words, a continued line as one."""
    text = (root / DOCKERFILE).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.partition(" ") for line in lines]
    return [(name, words.strip()) for name, _, words in pairs]


def docker(root: Path = ROOT) -> list[str]:
    """One step: later instructions know the arguments of earlier ones."""
    done = ["set -e"]
    for name, words in instructions(root):
        if name in ("ARG", "RUN"):
            done.append(words)
        elif name == "COPY":
            *sources, target = words.split()
            paths = [str(DOCKERFILE.with_name(source)) for source in sources]
            done += [f"mkdir -p {target}", shlex.join(["cp", *paths, target])]
        elif name != "FROM":
            raise ValueError(f"{DOCKERFILE}: what does {name} do?")
    return ["\n".join(done)]


def script(steps: list[str]) -> str:
    """The steps one after the other, until one fails."""
    lines = ["set -e", "mkdir -p build", f'export GITHUB_STEP_SUMMARY="$PWD/{SUMMARY}"']
    return "\n".join(lines + [f"bash -e -c {shlex.quote(step)}" for step in steps])


def image(root: Path = ROOT) -> dict[str, str]:
    """What each of the three starts from."""
    container = load(root / WORKFLOW)["jobs"]["grade"]["container"]
    named = re.search(r"'(.+)'", container)
    return {
        "github": named[1] if named else container,
        "gitlab": load(root / PIPELINE)["variables"]["RINGLAB_IMAGE"],
        "docker": dict(instructions(root))["FROM"],
    }


if __name__ == "__main__":
    print(script({"github": github, "gitlab": gitlab, "docker": docker}[sys.argv[1]]()))
