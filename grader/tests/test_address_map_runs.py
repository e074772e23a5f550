# SPDX-License-Identifier: MIT
"""Maps of real boots: what processes have, and what a wrong solution makes shared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.checks import maps, support
from grader.checks.api import BootSpec
from grader.checks.record import Evidence
from grader.checks.spaces import Process
from grader.checks.test_08_run import processes
from grader.checks.test_10_demand import alive
from grader.corpus.mutants import MUTANTS
from grader.course import Course
from grader.engine import Engine
from grader.evidence.address_map import AddressMap
from grader.reports.keep import keep
from grader.reports.write import write_reports
from grader.settings import ROOT, resolve
from grader.tests.reports import recorded

PAGE = support.PAGE
Boot = Callable[..., Evidence]


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """One boot of a stage, of the reference or of what `src` holds."""
    engines: list[Engine] = []

    def run(name: str, arch: str, spec: BootSpec, src: Path | None = None) -> Evidence:
        settings = resolve(
            Course.load(ROOT),
            stages=name,
            arches=arch,
            src=str(src or ROOT / "solutions"),
            prior=str(ROOT / "solutions"),
            seed="5",
            out=str(tmp_path / "out"),
        )
        engines.append(Engine(settings))
        return engines[-1].evidence(arch, settings.stages[0], spec)

    yield run
    for engine in engines:
        engine.close()


def drawn(evidence: Evidence) -> AddressMap:
    found = maps.drawn(evidence)
    assert found is not None
    return found


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_each_process_has_its_own_frame_at_the_address_that_all_read(
    boot: Boot, arch: str, tmp_path: Path
) -> None:
    evidence = boot("08-address-spaces", arch, processes)
    made: list[Process] = support.note(evidence, "processes")
    rows = drawn(evidence).rows
    (data,) = [row for row in rows if row.watched is not None]
    assert [cell.value for cell in data.cells] == [process.data for process in made]
    assert len({cell.frames for cell in data.cells}) == len(made)
    assert {row.what for row in rows} >= {"code", "stack", "kernel heap"}
    assert not any(row.shared for row in rows)
    assert not any(cell.kind == "open" for row in rows for cell in row.cells)
    assert {cell.kind for cell in rows[0].cells} == {"absent"}  # page 0
    (exhibit,) = maps.exhibits(drawn(evidence))
    assert not any(row.differs for row in exhibit.rows)
    text = page(evidence, tmp_path)
    for process, cell in zip(made, data.cells):
        assert f'<th scope="col">process {process.number}<br>' in text
        assert (
            f"→ {cell.frames[0][0]:#x}" in text and f"holds {process.data:#x}" in text
        )


def page(evidence: Evidence, tmp_path: Path) -> str:
    """The report of a recorded run, one of whose boots is this one."""
    out = recorded(tmp_path / "page")
    target = out / "i386/05-threads/runs/mixed/portrait.json"
    shutil.copy(keep(evidence), target)
    assert "error" not in json.loads(target.read_text("utf-8"))
    return write_reports(out).read_text("utf-8")


def test_a_stack_that_all_processes_share_is_seen_at_a_glance(
    boot: Boot, tmp_path: Path
) -> None:
    stage = Course.load(ROOT).stage("08-address-spaces")
    (mutant,) = [
        one
        for one in MUTANTS.find(ROOT / MUTANTS.home, stage)
        if one.name == "stack-shared" and one.arch == "i386"
    ]
    assert mutant.lay_out(ROOT, tmp_path / "src") == ""
    evidence = boot(stage.id, "i386", processes, tmp_path / "src")
    (stack,) = [row for row in drawn(evidence).rows if row.shared]
    assert stack.what == "stack"
    assert stack.cells[0].also == ("process 1", "process 2")
    (exhibit,) = maps.exhibits(drawn(evidence))
    assert [row.cells[0] for row in exhibit.rows if row.differs] == [
        f"{stack.start:#x}"
    ]
    text = page(evidence, tmp_path)
    assert text.count("same frame as process") == 3
    assert "ring 3 sees a frame" in text


def test_a_living_process_shows_which_pages_have_come(
    boot: Boot, tmp_path: Path
) -> None:
    evidence = boot("10-memory", "x86_64", alive)
    found = maps.drawn_process(evidence)
    assert found is not None and found.stray == () and found.whole
    held = {one.area.what: one for one in found.held}
    (words,) = [one.words for one in support.note(evidence, "programs")]
    touched = [int(word[1:], 16) for word in words if word[0] in "rw"]
    stack, heap = held["stack"], held["heap"]
    pages = [(va - stack.area.start) // PAGE for va in touched]
    assert list(stack.touches) == pages
    there = {n for first, count in stack.parts for n in range(first, first + count)}
    assert there >= set(pages) and len(there) <= len(pages) + 2 == stack.there
    filled = next(int(word[1:], 16) for word in words if word[0] == "f") // PAGE
    assert heap.parts == ((filled, heap.pages - filled),)
    text = page(evidence, tmp_path)
    assert f"{stack.there} of {stack.pages} pages, in this order" in text
    assert 'class="strip"' in text
