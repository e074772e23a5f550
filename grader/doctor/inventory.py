# SPDX-License-Identifier: MIT
"""Which tools are there, in which versions: the lines of ci/tools.txt, examined."""

# Imports nothing of the grader: it must run where only Python is there.
from __future__ import annotations

import functools
import glob
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# Tools that tell their version in another way than by --version.
ASK = {
    "python3": (sys.executable, "--version"),
    "nasm": ("nasm", "-v"),
    "xorriso": ("xorriso", "-version"),
    "slurmctld": ("slurmctld", "-V"),
}


class Tool(NamedTuple):
    """A line of ci/tools.txt."""

    set: str
    package: str
    least: str
    probe: str


class State(NamedTuple):
    """What was found: version is "" if the tool does not tell one; name, if it goes by
    another than its probe."""

    found: bool
    version: str = ""
    name: str = ""


def on_a_pc() -> bool:
    """Does this machine run the programs of both architectures itself?"""
    return platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")


def read_tools(path: Path) -> list[Tool]:
    """The lines of the list of tools that this machine can have, in its order."""
    lines = path.read_text("utf-8").splitlines()
    tools = [Tool(*line.split()) for line in lines if line and line[0] != "#"]
    return [tool for tool in tools if tool.package != "gcc-multilib" or on_a_pc()]


def first_version(text: str) -> str:
    """The first thing in `text` that looks like a version, or ""."""
    match = re.search(r"(?<![\w.])v?(\d+(?:\.\d+)+)", text)
    return match[1] if match else ""


def older(version: str, least: str) -> bool:
    """Is `version` below `least`? Unknown versions and "-" pass."""
    if not version or least == "-":
        return False
    return _numbers(version) < _numbers(least)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _output(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _module(names: str) -> State:
    for name in names.split(","):
        if importlib.util.find_spec(name) is None:
            continue
        from importlib import metadata

        aliases = {"elftools": "pyelftools", "xdist": "pytest-xdist"}
        try:
            return State(True, metadata.version(aliases.get(name, name)))
        except metadata.PackageNotFoundError:
            return State(True)
    return State(False)


@functools.lru_cache(maxsize=None)
def _toolchain() -> str:
    return _output(("ci/setup", "--show"))


def _compiler(arch: str) -> State:
    """The compiler that ci/setup finds for make."""
    found = re.search(rf"^CC_{arch} := (\S+)", _toolchain(), re.MULTILINE)
    if found is None:
        return State(False)
    return State(True, first_version(_output((found[1], "--version"))), found[1])


def examine(tool: Tool) -> State:
    """Look for one tool, and ask for its version."""
    if tool.probe.startswith("py:"):
        return _module(tool.probe[3:])
    if tool.probe.startswith("cc:"):
        return _compiler(tool.probe[3:])
    if tool.probe.startswith("/"):
        return State(bool(glob.glob(tool.probe)))
    if shutil.which(tool.probe) is None:
        return State(False)
    return State(
        True, first_version(_output(ASK.get(tool.probe, (tool.probe, "--version"))))
    )
