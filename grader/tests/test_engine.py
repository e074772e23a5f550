# SPDX-License-Identifier: MIT
"""Images, CDs and boots of one submission: what is made when."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from grader.checks.api import BootSpec
from grader.checks.test_00_boot import grub
from grader.course import Course
from grader.engine import Engine
from grader.engine import _Step as Step
from grader.grading import Grading, specs_of
from grader.settings import ROOT, resolve

ARCH = "i386"
COURSE = Course.load(ROOT)
STAGE = COURSE.stage("00-boot")
PAIR = "00-boot,01-gdt"


@pytest.fixture(name="engine")
def _engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("RINGLAB_CORE", "ready")
    settings = resolve(COURSE, stages=STAGE.id, arches=ARCH, out=str(tmp_path))
    engine = Engine(dataclasses.replace(settings, parallel=1))
    yield engine
    engine.close()


def test_a_cd_is_made_ahead_and_its_boot_is_not(engine: Engine) -> None:
    engine.prefetch_discs(ARCH, STAGE, [grub, BootSpec("other", grub.make)])
    planned = engine._disc(ARCH, STAGE, grub).result(60)
    folder = engine.runs_folder(ARCH, STAGE)
    assert sorted(path.name for path in folder.iterdir()) == ["grub", "image"]
    assert planned.disc == folder / "grub/boot.iso"
    assert [path.name for path in (folder / "grub").iterdir()] == ["boot.iso"]
    made = planned.disc.stat()
    evidence = engine.evidence(ARCH, STAGE, grub)
    assert b"Hello, ringlab!" in evidence.run.console
    assert planned.disc.stat().st_ino == made.st_ino


def test_who_boots_by_grub_without_a_cd_is_told(engine: Engine) -> None:
    direct = BootSpec("direct", lambda plan: plan.boot("boot-greet"), disc=True)
    for spec in (BootSpec("grub", grub.make), direct):
        with pytest.raises(ValueError, match="disc=True"):
            engine.evidence(ARCH, STAGE, spec)


@pytest.fixture(name="held")
def _held(tmp_path: Path) -> Iterator[tuple[Engine, threading.Event]]:
    """An engine of two stages, whose only thread waits until the event is set."""
    settings = resolve(COURSE, stages=PAIR, arches=ARCH, out=str(tmp_path))
    engine = Engine(dataclasses.replace(settings, parallel=1))
    go_on = threading.Event()
    engine._submit(ARCH, STAGE, Step.IMAGE, (), lambda: go_on.wait(60))
    yield engine, go_on
    go_on.set()
    engine.close()


def test_what_is_judged_first_is_done_first(
    held: tuple[Engine, threading.Event],
) -> None:
    engine, go_on = held
    stages = [COURSE.stage(name) for name in PAIR.split(",")]
    wanted = [(stage.id, step) for stage in stages for step in Step]
    done: list[tuple[str, Step]] = []
    last = threading.Event()
    engine._submit(ARCH, COURSE.stage("11-shell"), Step.IMAGE, (), last.set)
    for name, step in reversed(wanted):
        task = functools.partial(done.append, (name, step))
        engine._submit(ARCH, COURSE.stage(name), step, (), task)
    go_on.set()
    assert last.wait(60)
    assert done == wanted


def test_who_waits_for_what_is_not_done_any_more_hears_so(
    held: tuple[Engine, threading.Event],
) -> None:
    engine, go_on = held
    image = engine.prefetch_image(ARCH, STAGE)
    engine.prefetch(ARCH, STAGE, [grub])
    waiting = threading.Thread(target=engine.close)
    waiting.start()
    with pytest.raises(CancelledError):
        image.result(60)
    with pytest.raises(CancelledError):
        engine.evidence(ARCH, STAGE, grub)
    go_on.set()
    waiting.join(60)
    assert not waiting.is_alive()


def test_what_needs_no_boot_is_judged_while_the_first_ones_run() -> None:
    grading = Grading({"stage": "07-frames"})
    every = [case for spec in specs_of("07-frames") for case in grading.cases(spec)]
    on_one = [case for case in every if case.arch == ARCH]
    first, *others = sorted(on_one, key=grading.position)
    assert first.id == "frame-host" and not first.spec.boots
    places = [first.stage.checks.index(case.entry) for case in others]
    assert places == sorted(places) and len(places) > 5
