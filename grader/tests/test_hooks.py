# SPDX-License-Identifier: MIT
"""Later stages never change an earlier one: they hook in, and nothing else."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from grader.build import build_image
from grader.build.image import _Builder, _Unit
from grader.build.model import StageLike
from grader.course import Course, Stage
from grader.settings import ROOT

SOLUTIONS = ROOT / "solutions"
COURSE = Course.load(ROOT)
ARCHES = ("i386", "x86_64")
# The tables that the core, and 09 for processes, walks: what DESIGN calls hooks.
HOOKS = {
    "init",
    "switch",
    "tick",
    "point",
    "exit",
    "process",
    "repair",
    "end",
    "syscall",
}


@dataclass(frozen=True)
class Part:
    """What a stage brings into a kernel, gap files and glue: names of its symbols, and
    the tables that it has entries in. provides: what its contract names."""

    name: str
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()


@dataclass
class Linked(Exception):
    """Ends a build before it links: the objects of each stage's gap files, in order."""

    units: dict[str, Path]


@pytest.fixture(autouse=True)
def no_linking(monkeypatch: pytest.MonkeyPatch) -> None:
    def image(_: object, __: StageLike, of: list[Stage], units: list[_Unit]) -> None:
        raise Linked({one.id: unit.object for one, unit in zip(of, units)})

    monkeypatch.setattr(_Builder, "image", image)


@cache
def linked(arch: str, stage: Stage, src: Path, prior: Path) -> dict[str, Path]:
    """Stage -> the object of its gap files that the kernel of `stage` is made of."""
    with pytest.raises(Linked) as found:
        build_image(COURSE, arch, stage, src, prior, ROOT / "build")
    return found.value.units


@cache
def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed(arch: str, stage: Stage, src: Path, prior: Path) -> list[str]:
    """The stages whose gap files are others in this kernel than in their own."""
    here = linked(arch, stage, src, prior)
    own = {
        one.id: linked(arch, one, SOLUTIONS, SOLUTIONS)[one.id]
        for one in COURSE.upto(stage)
    }
    return [name for name in own if digest(here[name]) != digest(own[name])]


def read(name: str, provides: Sequence[str], *files: Path) -> Part:
    strong, weak, needs, tables = (set[str]() for _ in range(4))
    for file in files:
        with file.open("rb") as stream:
            elf = ELFFile(stream)
            for section in elf.iter_sections():
                if table := re.match(r"\.table\.([a-z]+)", section.name):
                    tables.add(table[1])
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                if symbol["st_info"]["bind"] == "STB_LOCAL" or not symbol.name:
                    continue
                if symbol["st_shndx"] == "SHN_UNDEF":
                    needs.add(symbol.name)
                else:
                    is_weak = symbol["st_info"]["bind"] == "STB_WEAK"
                    (weak if is_weak else strong).add(symbol.name)
    outside = frozenset(needs - strong - weak)
    found = (frozenset(strong), frozenset(weak), outside, frozenset(tables))
    return Part(name, *found, frozenset(provides))


@cache
def parts(arch: str) -> tuple[Part, ...]:
    """The core, and every stage."""
    objects = linked(arch, COURSE.stages[-1], SOLUTIONS, SOLUTIONS)
    build = ROOT / "build" / arch
    found = [read("core", (), build / "core.o")]
    for stage in COURSE.stages:
        files = (objects[stage.id], build / "stage" / f"{stage.id}.o")
        found.append(read(stage.id, stage.provides, *files))
    return tuple(found)


def faults(core: Part, stages: Sequence[Part]) -> list[str]:
    """How a stage changes what is not its own."""
    found: list[str] = []
    owner: dict[str, str] = {}
    for number, stage in enumerate(stages):
        later = {
            symbol
            for one in stages[number + 1 :]
            for symbol in (one.strong | one.weak) - core.weak
        }
        for symbol in sorted(stage.strong | stage.weak):
            if symbol in owner:
                found.append(f"{stage.name} replaces {symbol} of {owner[symbol]}")
            if symbol in core.strong:
                found.append(f"{stage.name} replaces {symbol} of the core")
            owner[symbol] = stage.name
        if stage.weak:
            found.append(f"{stage.name} lets others replace {sorted(stage.weak)[0]}")
        for symbol in sorted(stage.needs & later):
            found.append(f"{stage.name} knows {symbol} of a later stage")
        for symbol in sorted(stage.needs):
            of = next((one for one in stages[:number] if symbol in one.strong), None)
            if of and symbol not in of.provides:
                found.append(f"{stage.name} reaches past the contract to {symbol}")
        for table in sorted(stage.tables - HOOKS):
            found.append(f"{stage.name} hooks into {table}")
    return found


@pytest.mark.parametrize("arch", ARCHES)
def test_stages_reach_each_other_by_contracts_and_hooks_alone(arch: str) -> None:
    core, *stages = parts(arch)
    assert faults(core, stages) == []
    assert {table for stage in stages for table in stage.tables} == HOOKS


SPOILT = {
    "a function of an earlier stage": ("09-programs", "strong", "gdt_set"),
    "a function of the core that is no default": (
        "08-address-spaces",
        "strong",
        "kfree",
    ),
    "a default that another stage has replaced": ("11-shell", "strong", "frame_alloc"),
    "an open door": ("05-threads", "weak", "thread_made"),
    "a later stage": ("01-gdt", "needs", "space_create"),
    "a table that nobody walks": ("10-memory", "tables", "patch"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_stage_that_changes_another_is_named(what: str) -> None:
    name, field, symbol = SPOILT[what]
    core, *stages = parts("i386")
    spoilt = [
        replace(one, **{field: getattr(one, field) | {symbol}})
        if one.name == name
        else one
        for one in stages
    ]
    assert [one for one in faults(core, spoilt) if name in one and symbol in one]


def test_what_is_no_contract_is_not_called_by_later_stages() -> None:
    core, *stages = parts("i386")
    stages[4] = replace(stages[4], strong=stages[4].strong | {"aside"})
    stages[8] = replace(stages[8], needs=stages[8].needs | {"aside"})
    (found,) = faults(core, stages)
    assert found.endswith("reaches past the contract to aside")


@pytest.mark.parametrize("arch", ARCHES)
def test_every_kernel_has_the_earlier_gap_files_as_their_own_stage_has(
    arch: str,
) -> None:
    for stage in COURSE.stages:
        upto = [one.id for one in COURSE.upto(stage)]
        assert [*linked(arch, stage, SOLUTIONS, SOLUTIONS)] == upto
        assert changed(arch, stage, SOLUTIONS, SOLUTIONS) == []


def test_an_earlier_stage_comes_from_prior_whatever_a_submission_makes_of_it(
    tmp_path: Path,
) -> None:
    for stage in COURSE.stages[:3]:
        shutil.copytree(SOLUTIONS / stage.id, tmp_path / stage.id)
    last, first = COURSE.stages[2], COURSE.stages[0]
    file = tmp_path / first.id / first.all_gaps()[0]
    file.write_text(file.read_text("utf-8") + "\nint boot_more;\n", "utf-8")
    assert changed("i386", last, tmp_path, SOLUTIONS) == []
    assert changed("i386", last, tmp_path, tmp_path) == [first.id]
