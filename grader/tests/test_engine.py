# SPDX-License-Identifier: MIT
"""Images, CDs and boots of one submission: what is made when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.checks.api import BootSpec
from grader.checks.test_00_boot import grub
from grader.course import Course
from grader.engine import Engine
from grader.settings import ROOT, resolve

ARCH = "i386"
COURSE = Course.load(ROOT)
STAGE = COURSE.stage("00-boot")


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
