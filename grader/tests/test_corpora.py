# SPDX-License-Identifier: MIT
"""The grader against known submissions: it must be neither fooled nor unfair.

A sample of the cheats, the right and the wrong solutions of every stage, each on one
architecture, in turn, with a seed of its own that is the same each time. All of them
run by `make redteam`, `make variants` and `make mutants`, with fresh seeds.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from grader import seed as seeds
from grader.corpus.mutants import MUTANTS
from grader.corpus.submissions import REDTEAM, VARIANTS
from grader.corpus.trial import Corpus, Entry, grade
from grader.course import Course
from grader.settings import ROOT

COURSE = Course.load(ROOT)
AT_LEAST = 12  # wrong solutions for each stage behind 00 and architecture
ENOUGH_CHEATS = 25
ENOUGH_VARIANTS = 2
# One of so many is run here.
CHEATS, RIGHT, WRONG = 10, 8, 60


def entries(corpus: Corpus) -> list[Entry]:
    return corpus.collect(COURSE, ROOT / corpus.home, None, None)


def sample(corpus: Corpus, one_of: int) -> list[object]:
    """One of so many, on its architectures in turn."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries(corpus):
        found.setdefault((entry.stage, entry.name), []).append(entry)
    chosen = enumerate([*found.values()][::one_of])
    return [_case(offered[number % len(offered)]) for number, offered in chosen]


def _case(entry: Entry) -> object:
    return pytest.param(entry, id=f"{entry.stage}-{entry.name}-{entry.arch}")


def require(entry: Entry, folder: Path) -> None:
    names = (entry.stage, entry.name, entry.arch)
    seed = seeds.derive(0, "corpora", *names)[:8].hex()
    trial = grade(entry, ROOT, folder, seed)
    assert trial.good, f"{trial.outcome}, {trial.detail or trial.failed} SEED={seed}"


@pytest.mark.parametrize("entry", sample(REDTEAM, CHEATS))
def test_a_cheat_scores_nothing_that_it_does_not_meet(
    entry: Entry, tmp_path: Path
) -> None:
    require(entry, tmp_path)


@pytest.mark.parametrize("entry", sample(VARIANTS, RIGHT))
def test_a_right_solution_in_another_style_gets_full_points(
    entry: Entry, tmp_path: Path
) -> None:
    require(entry, tmp_path)


@pytest.mark.parametrize("entry", sample(MUTANTS, WRONG))
def test_a_wrong_solution_fails_for_the_right_reason(
    entry: Entry, tmp_path: Path
) -> None:
    require(entry, tmp_path)


def test_every_stage_has_enough_of_each() -> None:
    behind = [(s.id, arch) for s in COURSE.stages[1:] for arch in s.arches]
    wrong = Counter((e.stage, e.arch) for e in entries(MUTANTS))
    right = Counter((e.stage, e.arch) for e in entries(VARIANTS))
    assert all(wrong[pair] >= AT_LEAST for pair in behind), wrong
    assert all(right[pair] >= ENOUGH_VARIANTS for pair in behind), right
    assert len({(e.stage, e.name) for e in entries(REDTEAM)}) >= ENOUGH_CHEATS
