# SPDX-License-Identifier: MIT
"""Are the tools there, in versions that work? One line each; `make doctor`."""

# Imports nothing of the grader: it must run where only Python is there.
from __future__ import annotations

import glob
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("grade", "test")
COMPILERS = {
    "i386": (("gcc", "-m32"), ("i686-linux-gnu-gcc", "-m32"), ("i686-elf-gcc", "-m32")),
    "x86_64": (("gcc", "-m64"), ("x86_64-linux-gnu-gcc",), ("x86_64-elf-gcc",)),
}
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
    """What was found: version is "" if the tool does not tell one."""

    found: bool
    version: str = ""


def read_tools(path: Path) -> list[Tool]:
    """The lines of the list of tools, in its order."""
    lines = path.read_text("utf-8").splitlines()
    return [Tool(*line.split()) for line in lines if line and not line.startswith("#")]


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


def _compiler(arch: str) -> State:
    for command in COMPILERS[arch]:
        if shutil.which(command[0]) is None:
            continue
        words = ("-nostdlib", "-static", "-Wl,-e,0", "-x", "c", "/dev/null", "-lgcc")
        with tempfile.TemporaryDirectory() as scratch:
            tried = subprocess.run(
                [*command, *words, "-o", f"{scratch}/program"],
                stderr=subprocess.DEVNULL,
                check=False,
            )
        if tried.returncode == 0:
            return State(True, first_version(_output((command[0], "-dumpfullversion"))))
    return State(False)


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


def main() -> int:
    """Print the list; 0 if `make grade` and `make test` have all they need, else 1."""
    missing: list[str] = []
    tools = read_tools(ROOT / "ci" / "tools.txt")
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(examine, tools))
    for tool, state in zip(tools, states):
        old = state.found and older(state.version, tool.least)
        mark, needed = "ok", tool.set in NEEDED
        if not state.found:
            mark = "MISSING" if needed else "absent"
        elif old:
            mark = "TOO OLD"
        if mark in ("MISSING", "TOO OLD") and needed and tool.package not in missing:
            missing.append(tool.package)
        name = tool.probe.replace("cc:", "compiler ").split(":")[-1].split("/")[-1]
        least = "" if tool.least == "-" else f"needs {tool.least}"
        print(
            f"{mark:8}{name:22}{state.version or '-':12}{least:14}"
            f"{tool.set:7}{tool.package}"
        )
    if missing:
        print(
            f"\nTo mend it: sudo apt-get install {' '.join(missing)}", file=sys.stderr
        )
        return 1
    print("\nAll that `make grade` and `make test` need is there.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
