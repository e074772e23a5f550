# SPDX-License-Identifier: MIT
"""`make new` writes a stage that is graded, and published, as it stands."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from grader.corpus import trial
from grader.corpus.mutants import MUTANTS
from grader.course import Course
from grader.engine import CORE_READY, make_core
from grader.errors import OperatorError
from grader.new.stage import new_stage
from grader.publish.content import CONTRACTS, OF_STAGE
from grader.publish.dates import FILE, Dates
from grader.publish.publish import publish
from grader.tests.course_copy import begin, commit, copy_tree, git, tips

NEW = "12-small-one"
ARCH = "i386"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that so far has 00-boot alone: the others need not be graded again."""
    root = tmp_path_factory.mktemp("new") / "course"
    copy_tree(root)
    for file in [*root.rglob("*")]:
        path = file.relative_to(root)
        numbers = [OF_STAGE.match(part) for part in path.parts]
        later = any(int(number[1] or number[2]) for number in numbers if number)
        if file.is_file() and later and not path.is_relative_to(CONTRACTS):
            file.unlink()
    begin(root, "the course")
    return root


@pytest.fixture(scope="module")
def course(copied: Path) -> Path:
    """With a stage that make wrote, published as soon as its date is taken out."""
    command = ["make", "-s", "new", f"A={NEW}", "TITLE=Small, and a stage"]
    subprocess.run(command, cwd=copied, check=True, capture_output=True, timeout=60)
    commit(copied, "a new stage")
    return copied


def test_it_is_not_published_until_its_author_says_so(course: Path) -> None:
    loaded = Course.load(course)
    assert [stage.id for stage in loaded.stages] == ["00-boot", NEW]
    dates = Dates.load(loaded)
    assert dates.draft(loaded.stages[1]) and not dates.draft(loaded.stages[0])
    assert not dates.released(loaded.stages[1], date(2999, 1, 1))


def test_its_branch_is_proven_and_its_wrong_solution_killed(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(course, "clone", "-q", ".", str(tmp_path / "course"))
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    root, remote = tmp_path / "course", tmp_path / "remote.git"
    text = (root / FILE).read_text().replace('release = "never"\n', "")
    (root / FILE).write_text(f'{text}[stage.00-boot]\nrelease = "never"\n')
    commit(root, "out with it")
    # Its handout not implemented, its reference right: publishing proves both.
    assert publish(root, remote=str(remote), arch=ARCH) == 0
    assert [*tips(remote)] == [f"assignment/{NEW}"]
    loaded = Course.load(root)
    # `make test` says that the core is ready, which is not true of this course.
    monkeypatch.delenv(CORE_READY, raising=False)
    make_core(root, ARCH)
    (mutant,) = MUTANTS.collect(loaded, root / MUTANTS.home, NEW, ARCH)
    outcome = trial.grade(mutant, root, tmp_path / "work", "1")
    assert outcome.good, outcome.detail


REFUSED = {
    "no id": ("small", "Small", "is no id of a stage"),
    "an odd name": ("12-small-", "Small", "is no id of a stage"),
    "a name that fills the line": (f"12-{'a' * 21}", "Small", "20 characters at most"),
    "before the last stage": ("00-small", "Small", "would not come behind"),
    "no title": ("13-small", "", "is no title"),
    "a title that ends a text": ("13-small", 'Say "so"', "is no title"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_would_not_become_a_stage_is_refused(copied: Path, fault: str) -> None:
    stage, title, says = REFUSED[fault]
    before = git(copied, "status", "--porcelain")
    with pytest.raises(OperatorError, match=says):
        new_stage(copied, stage, title)
    assert git(copied, "status", "--porcelain") == before


def test_nothing_that_exists_is_written_over(copied: Path) -> None:
    contract = copied / "kernel/include/course/14-small.h"
    contract.write_text("mine\n")
    with pytest.raises(OperatorError, match="14-small.h exists"):
        new_stage(copied, "14-small", "Small")
    assert contract.read_text() == "mine\n"
    assert not (copied / "assignments/14-small").exists()
    contract.unlink()
