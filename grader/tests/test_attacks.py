# SPDX-License-Identifier: MIT
"""Attacks are contained, and the runner sees it when one is not.

A fixed sample in the best tier that works here; all of them run by `make attacks`, in
each tier by TIER=.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grader import seed as seeds
from grader.corpus import attacks, contain
from grader.corpus.attacks import ATTACKS, REPORT, Attack, find_attacks, tiers
from grader.corpus.header import Header
from grader.corpus.submissions import ABOUT
from grader.corpus.trial import Trial, grade
from grader.course import Course
from grader.errors import OperatorError
from grader.sandbox import Sandbox, Tier, detect
from grader.settings import ROOT

COURSE = Course.load(ROOT)
HOME = ROOT / ATTACKS.home
ENOUGH = 40
SAMPLE = (
    "include-solution link-folder huge-array forged-terminal tampered-tools tar-bomb"
    " git-config-taken host-daemon"
).split()


def every(tier: Tier) -> list[str]:
    headers = [Header(file, (*attacks.KEYS, "Arch")) for file in HOME.rglob(ABOUT)]
    return [h.file.parent.name for h in headers if tier.value in tiers(h)]


@pytest.mark.parametrize("name", SAMPLE)
def test_an_attack_is_contained(name: str, tmp_path: Path) -> None:
    found = ATTACKS.collect(COURSE, HOME, None, None)
    entries = [entry for entry in found if entry.name == name]
    if not entries:
        pytest.skip(f"tier {detect().tier.value} does not hold it")
    seed = seeds.derive(0, "attacks", name)[:8].hex()
    for entry in entries:
        trial = grade(entry, ROOT, tmp_path, seed)
        assert trial.good, f"{trial.outcome}, {trial.detail} SEED={seed}"


def test_there_are_enough_attacks_in_each_tier() -> None:
    assert all(len(every(tier)) >= ENOUGH for tier in Tier)
    names = every(Tier.A)
    assert len(set(names)) == len(names) and set(SAMPLE) <= set(names)


@pytest.fixture(name="attack")
def _attack() -> Attack:
    (found,) = (
        entry
        for entry in ATTACKS.collect(COURSE, HOME, None, None)
        if isinstance(entry, Attack) and entry.name == "huge-array"
    )
    return found


OUTCOMES: dict[str, tuple[dict[str, object], str]] = {
    "refused": ({}, "Total: 10/10\n"),
    "escaped": ({"processes": ["sleep 60"]}, ""),
    "escaped ": ({"files": ["/tmp/ringlab-attack"]}, ""),
    "too dear": ({"cpu_s": 15.5}, ""),
    "steers": ({}, "fine\n  ::error::x\n"),
    "steers ": ({}, "fine\x1b[2J\n"),
    "steers  ": ({}, "fine \u202e\n"),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_not_contained_is_seen(
    attack: Attack, outcome: str, tmp_path: Path
) -> None:
    found, printed = OUTCOMES[outcome]
    report = {"processes": [], "files": [], "cpu_s": 1.0, **found}
    (tmp_path / REPORT).write_text(json.dumps(report))
    fine = Trial("00-boot", "huge-array", "i386", "refused", True)
    trial = attack.contained(fine, tmp_path, printed)
    assert trial.outcome == outcome.strip()
    assert trial.good is (outcome == "refused")


def test_an_archive_is_refused_only_in_the_words_that_are_stated(
    attack: Attack,
) -> None:
    packed = replace(attack, archive="hand-in.tar", says=("leads out",))
    assert packed.ungraded("grader: x leads out of it").good
    assert not packed.ungraded("grader: no space").good
    assert not attack.ungraded("grader: leads out of it").good


def test_the_runner_finds_processes_files_and_changes(tmp_path: Path) -> None:
    src, report = tmp_path / "src", tmp_path / REPORT
    src.mkdir()
    (src / "gap.c").write_text("old")
    script = f"echo new > {src}/gap.c; touch $TMPDIR/x; setsid sleep 61 & exit 3"
    words = [sys.executable, "-m", "grader.corpus.contain", str(report), str(src), ""]
    done = subprocess.run([*words, "sh", "-c", script], cwd=ROOT, check=False)
    found = json.loads(report.read_text())
    assert done.returncode == 3
    assert found["processes"] == ["sleep 61 "]
    assert {str(src / "gap.c"), str(tmp_path / "tmp/x")} <= set(found["files"])
    assert not (tmp_path / "tmp").exists()


def test_what_an_attack_leaves_where_it_may_write_is_found_and_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(contain, "PLACES", (str(tmp_path),))
    left = tmp_path / f"x-{contain.NAME}-y"
    left.touch()
    assert contain.left() == [str(left)] and contain.left() == []


def test_an_attack_that_a_tier_does_not_hold_is_not_run_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "00-boot/known"
    place.mkdir(parents=True)
    (place / "greet.c").write_text("mine\n")
    about = "Arch: i386\nTries: x\nSays: y\nTiers: A B\n"
    (place / ABOUT).write_text(about)
    for tier, count in ((Tier.A, 1), (Tier.B, 1), (Tier.C, 0)):
        monkeypatch.setattr(attacks, "detect", lambda t=tier: Sandbox(t))
        assert len(find_attacks(tmp_path, COURSE.stages[0])) == count
    (place / ABOUT).write_text(about.replace("A B", "A D"))
    with pytest.raises(OperatorError, match="use A B C"):
        find_attacks(tmp_path, COURSE.stages[0])
