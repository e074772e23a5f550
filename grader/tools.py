# SPDX-License-Identifier: MIT
"""The tools that grading needs (ci/tools.txt): are they there, in which versions."""

from __future__ import annotations

import glob
import importlib.util
import json
import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader import cache
from grader.build.tools import BFD, toolchain
from grader.doctor import Tool, examine, older, read_tools
from grader.errors import OperatorError
from grader.settings import ROOT

CACHE = Path("build/cache/tools.json")
DEBIAN_PYTHON = "/usr/bin/python3"
SHOWN = ("nasm", "qemu-system-i386", "qemu-system-x86_64", "grub-mkimage")


def require(arches: Iterable[str], root: Path = ROOT) -> None:
    """Raise OperatorError if a tool that grades `arches` is missing or too old."""
    wanted = {f"qemu-system-{arch}" for arch in arches}
    have = versions(root)
    for tool in read_tools(root / "ci/tools.txt"):
        foreign = tool.probe.startswith("qemu-") and tool.probe not in wanted
        if tool.set != "grade" or foreign:
            continue
        if not _present(tool.probe):
            name = tool.probe.split(":")[-1].split("/")[-1]
            mend = f"install it: apt-get install {tool.package}"
            if tool.probe.startswith("py:") and sys.executable != DEBIAN_PYTHON:
                mend += f", and run {DEBIAN_PYTHON}, not {sys.executable}"
            raise OperatorError(f"the tool {name} is missing", mend)
        name = tool.package if tool.probe.startswith("cc:") else tool.probe
        found = have.get(name, "")
        if older(found, tool.least):
            raise OperatorError(
                f"{tool.probe} {found} is too old, {tool.least} is the least",
                f"install a newer {tool.package}",
            )


def _present(probe: str) -> bool:
    """A look at files only: what a compiler can do shows when it compiles."""
    if probe.startswith("py:"):
        return any(map(importlib.util.find_spec, probe[3:].split(",")))
    if probe.startswith("/"):
        return bool(glob.glob(probe))
    return probe.startswith("cc:") or shutil.which(probe) is not None


def versions(root: Path = ROOT) -> dict[str, str]:
    """Versions of the tools whose work a verdict rests on; asked once a tool."""
    file = root / CACHE
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(known, dict):
            known = {}
    except (OSError, ValueError):
        known = {}
    shown = [*_compilers(root), *SHOWN]
    paths = {name: shutil.which(name) for name in shown}
    states = {n: cache.identity(Path(path)) for n, path in paths.items() if path}
    fresh = {
        name: known[name]
        for name, state in states.items()
        if isinstance(known.get(name), list) and known[name][0] == state
    }
    todo = [name for name in states if name not in fresh]
    if todo:
        with ThreadPoolExecutor(len(todo)) as pool:
            for name, version in zip(todo, pool.map(_version, todo)):
                fresh[name] = [states[name], version]
        from grader.verdict.write import write_json

        write_json(file, fresh)
    return {name: str(fresh[name][1]) for name in shown if name in fresh}


def _compilers(root: Path) -> list[str]:
    """Compilers and linkers that make uses; before it ever ran, the host's own."""
    found = toolchain(root)
    lines = [found.get(f"{name}_{arch}") for name in ("CC", "LD") for arch in BFD]
    return list(dict.fromkeys(line[0] for line in lines if line)) or ["gcc", "ld"]


def _version(name: str) -> str:
    return examine(Tool("grade", "", "-", name)).version


def sandbox_tier() -> str:
    """The tier that this machine allows: A, B or C."""
    from grader.sandbox import detect

    return str(detect().tier.value)
