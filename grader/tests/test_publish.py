# SPDX-License-Identifier: MIT
"""Published branches hold what they must, leak nothing, and merge without conflict."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.advance import advance
from grader.course import STAFFS as STAFFS_CHECKS
from grader.course import Course
from grader.errors import OperatorError
from grader.handouts import handouts, regions
from grader.publish.dates import FILE
from grader.publish.publish import publish
from grader.settings import ROOT
from grader.tests.course_copy import DATES, begin, commit, copy_tree, git, tips

COURSE = Course.load(ROOT)
STAGES = COURSE.stages
CANARY = "canary-that-no-student-may-see"
STAFFS = (
    "solutions",
    "mutants",
    "redteam",
    "attacks",
    "variants",
    "corpus",
    "tests",
    ".ci",
    "staff",
)
Publish = Callable[..., int]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This work tree as a repository of one commit, with canaries in it."""
    root = tmp_path_factory.mktemp("course")
    copy_tree(root)
    plant(root, f"    /* {CANARY} */\n")
    (root / "grader/mutants/01-gdt/canary.patch").write_text(CANARY)
    (root / "grader/redteam/canary.txt").write_text(CANARY)
    for file in (root / STAFFS_CHECKS).glob("*.*"):
        file.write_text(f"{file.read_text()}\n# {CANARY}\n")
    begin(root, f"staff only: {CANARY}")
    return root


def plant(root: Path, text: str) -> None:
    """Put a line into the first solution region of every gap file."""
    for stage in STAGES:
        for gap in stage.all_gaps():
            file = root / "solutions" / stage.id / gap
            lines = file.read_text().splitlines(keepends=True)
            at = next(n for n, line in enumerate(lines) if "END SOLUTION" in line)
            mark = f"    ; {CANARY}\n" if gap.endswith(".asm") else text
            file.write_text("".join((*lines[:at], mark, *lines[at:])))


@pytest.fixture
def course(copied: Path, tmp_path: Path) -> Path:
    """A copy to change, with an empty remote beside it."""
    git(tmp_path, "clone", "-q", str(copied), "course")
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    return tmp_path / "course"


@pytest.fixture(scope="module")
def published(copied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, published; for tests that change neither it nor its remote."""
    folder = tmp_path_factory.mktemp("published")
    git(folder, "clone", "-q", str(copied), "course")
    git(folder, "init", "-q", "--bare", "remote.git")
    remote = str(folder / "remote.git")
    assert publish(folder / "course", remote=remote, unproven=True) == 0
    return folder / "course"


@pytest.fixture
def put(course: Path, tmp_path: Path) -> Publish:
    def run(**options: Any) -> int:
        remote = str(tmp_path / "remote.git")
        return publish(course, remote=remote, unproven=True, **options)

    return run


def remote_of(course: Path) -> Path:
    return course.with_name("remote.git")


def objects(course: Path, *branches: str) -> tuple[list[str], bytes]:
    """Paths and contents of all objects that the branches reach in the remote."""
    remote = remote_of(course)
    found = {}
    for line in git(remote, "rev-list", "--objects", *branches).splitlines():
        name, _, path = line.partition(" ")
        found[name] = path
    command = ["git", "-C", str(remote), "cat-file", "--batch"]
    listed = "\n".join(found).encode()
    done = subprocess.run(command, input=listed, capture_output=True, check=True)
    return [*found.values()], done.stdout


def test_each_assignment_contains_the_one_before(published: Path) -> None:
    remote, known = remote_of(published), tips(remote_of(published))
    assert [*known] == [f"assignment/{stage.id}" for stage in STAGES]
    for earlier, later in zip(STAGES, STAGES[1:]):
        old, new = known[f"assignment/{earlier.id}"], known[f"assignment/{later.id}"]
        assert git(remote, "merge-base", old, new) == old
        names = git(remote, "ls-tree", "-r", "--name-only", old).splitlines()
        assert f"assignments/{earlier.id}/README.md" in names
        assert not any(name.startswith(f"assignments/{later.id}/") for name in names)
        assert not any(f"test_{later.id[:2]}_" in name for name in names)
        for gap in earlier.all_gaps():
            file = f"assignments/{earlier.id}/{gap}"
            one, other = (git(remote, "rev-parse", f"{n}:{file}") for n in (old, new))
            assert one == other, file


def test_the_same_input_gives_the_same_commits(course: Path, put: Publish) -> None:
    assert put() == 0
    first = tips(remote_of(course))
    assert put() == 0
    assert tips(remote_of(course)) == first
    shutil.rmtree(remote_of(course))
    git(course.parent, "init", "-q", "--bare", "remote.git")
    assert put() == 0
    assert tips(remote_of(course)) == first


def test_no_object_of_an_assignment_holds_what_is_staffs(published: Path) -> None:
    paths, contents = objects(published, *tips(remote_of(published)))
    assert b"TASK_OPEN" in contents
    assert CANARY.encode() not in contents
    secret = [check.id for stage in STAGES for check in stage.checks if check.staff]
    assert secret and not any(check.encode() in contents for check in secret)
    for path in paths:
        assert not set(Path(path).parts) & {*STAFFS}, path


def test_a_fresh_branch_holds_the_solutions_before_it(
    course: Path, put: Publish
) -> None:
    assert put(fresh=True) == 0
    remote = remote_of(course)
    assert "fresh/00-boot" not in tips(remote_of(course))
    for number, stage in enumerate(STAGES[1:], 1):
        for each in STAGES:
            for gap in each.all_gaps():
                name = f"fresh/{stage.id}:assignments/{each.id}/{gap}"
                if each not in STAGES[: number + 1]:
                    with pytest.raises(subprocess.CalledProcessError):
                        git(remote, "show", name)
                    continue
                text = git(remote, "show", name)
                assert ("TASK_OPEN" in text) is (each is stage)
                assert (CANARY in text) is (each is not stage)
                assert "SOLUTION" not in text
    assert put() == 0
    assert not any(name.startswith("fresh/") for name in tips(remote_of(course)))


LEAKS = {
    "a solution as a file": ("kernel/core/spare.c", "whole"),
    "lines of one in a demo": ("assignments/02-tss/demo.c", "lines"),
    "lines of one in other white space": ("kernel/README.md", "narrow"),
    "a check of the staff's by its name": ("assignments/01-gdt/README.md", "check"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_found_and_nothing_is_published(
    course: Path, put: Publish, leak: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, how = LEAKS[leak]
    gap = "05-threads/threads.c"
    text = (course / "solutions" / gap).read_text()
    if how != "whole":
        longest = max(regions(text, gap), key=len)
        text = "\n".join(longest[:12]) + "\n"
    if how == "check":
        text = f"See {next(c.id for s in STAGES for c in s.checks if c.staff)}.\n"
    if how == "narrow":
        text = "".join(f"> {' '.join(line.split())}\n" for line in text.splitlines())
    with (course / name).open("a") as file:
        file.write(text)
    commit(course, "careless")
    assert put() == 1
    assert tips(remote_of(course)) == {}
    assert f"leak: {name}" in capsys.readouterr().out


def test_a_dry_run_pushes_nothing(
    course: Path, put: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put(dry=True) == 0
    assert tips(remote_of(course)) == {}
    assert "nothing was pushed" in capsys.readouterr().out


def test_only_what_is_committed_is_published(course: Path, put: Publish) -> None:
    (course / "Makefile").write_text("all:\n")
    with pytest.raises(OperatorError, match="Makefile differs from HEAD"):
        put()


def test_dates_rule_what_is_there(
    course: Path, put: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    later = "[stage.05-threads]\nrelease = 2026-11-02\n"
    later += '[stage.06-syscalls]\nrelease = "never"\n'
    (course / FILE).write_text(DATES.replace("# term", "term") + later)
    commit(course, "dates")
    assert put(today="2026-10-25") == 0
    known = tips(remote_of(course))
    assert "assignment/04-ring3" in known and "assignment/05-threads" not in known
    assert "fresh/04-ring3" in known and "fresh/05-threads" not in known
    assert put(today="2026-10-26") == 0
    assert not any(name.startswith("fresh/") for name in tips(remote_of(course)))
    assert put(today="2026-11-02") == 0
    assert "assignment/05-threads" in tips(remote_of(course))
    assert "assignment/06-syscalls" not in tips(remote_of(course))
    assert '06-syscalls: release = "never" in assignments' in capsys.readouterr().out


def test_one_branch_can_hold_all(course: Path, put: Publish) -> None:
    assert put(single=True) == 0
    known = tips(remote_of(course))
    assert known["main"] == known[f"assignment/{STAGES[-1].id}"]


def test_one_architecture_can_be_published_alone(course: Path, put: Publish) -> None:
    assert put(arch="i386", single=True) == 0
    remote = remote_of(course)
    names = git(remote, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert not any("x86_64" in Path(name).parts for name in names)
    assert any("i386" in Path(name).parts for name in names)


def student(course: Path, stage: str, where: Path) -> Path:
    """A clone at an assignment, with an edit and a commit in every gap file."""
    folder = where / "student"
    remote = remote_of(course)
    git(where, "clone", "-q", f"file://{remote}", folder.name, "-b", stage)
    git(folder, "checkout", "-q", "-b", "mine")
    git(folder, "config", "user.name", "Student")
    git(folder, "config", "user.email", "student@example.org")
    for file in folder.glob("assignments/*/**/*"):
        if file.suffix in (".c", ".h", ".asm") and "TASK_OPEN" in file.read_text():
            mark = "; mine" if file.suffix == ".asm" else "/* mine */"
            file.write_text(file.read_text().replace("TASK_OPEN", f"{mark} TASK_OPEN"))
    commit(folder, "my work")
    return folder


@pytest.mark.parametrize("number", range(len(STAGES) - 1))
def test_a_student_advances_without_conflict(
    published: Path, tmp_path: Path, number: int
) -> None:
    here, there = STAGES[number], STAGES[number + 1]
    folder = student(published, f"assignment/{here.id}", tmp_path)
    before = git(folder, "rev-parse", "HEAD")
    assert advance(folder, None, None) == 0
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "assignments" / there.id / "README.md").exists()
    assert git(folder, "merge-base", "HEAD", before) == before
    for gap in here.all_gaps():
        assert "mine" in (folder / "assignments" / here.id / gap).read_text()


def test_a_mended_handout_reaches_students_of_later_stages(
    course: Path, put: Publish
) -> None:
    assert put() == 0
    old = tips(remote_of(course))
    folder = student(course, "assignment/03-faults", course.parent)
    gap = course / "solutions/01-gdt/gdt.c"
    gap.write_text(gap.read_text().replace("*/\n", "*/\n/* A mended line. */\n", 1))
    assert handouts(course, check=False) == 0
    commit(course, "mend")
    assert put() == 0
    remote, new = remote_of(course), tips(remote_of(course))
    for name, tip in old.items():
        assert git(remote, "merge-base", tip, new[name]) == tip
    assert new["assignment/00-boot"] == old["assignment/00-boot"]
    assert advance(folder, "03-faults", None) == 0
    text = (folder / "assignments/01-gdt/gdt.c").read_text()
    assert "A mended line." in text and "mine" in text


def test_a_mend_in_a_gap_that_the_student_edited_is_left_to_them(
    course: Path, put: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put() == 0
    folder = student(course, "assignment/01-gdt", course.parent)
    gap = course / "assignments/01-gdt/gdt.c"
    gap.write_text(gap.read_text().replace("TASK_OPEN", "/* soon */ TASK_OPEN"))
    commit(course, "mend")
    assert put() == 0
    assert advance(folder, None, None) == 1
    assert "assignments/01-gdt/gdt.c: you and the course" in capsys.readouterr().out
    with pytest.raises(OperatorError, match="a merge is under way"):
        advance(folder, None, None)


def test_what_is_not_theirs_is_named_and_becomes_the_courses(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = student(published, "assignment/01-gdt", tmp_path)
    (folder / "README.md").write_text("all my own\n")
    commit(folder, "not mine")
    assert advance(folder, None, None) == 0
    assert "README.md is not yours to change" in capsys.readouterr().out
    assert "02-tss" in (folder / "README.md").read_text()


def test_a_copy_without_history_advances_too(published: Path, tmp_path: Path) -> None:
    folder = student(published, "assignment/03-faults", tmp_path)
    shutil.rmtree(folder / ".git")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Student")
    git(folder, "config", "user.email", "student@example.org")
    commit(folder, "as the platform copied it")
    remote = f"file://{published.with_name('remote.git')}"
    assert advance(folder, None, remote) == 0
    assert (folder / "assignments/04-ring3/README.md").exists()
    assert "mine" in (folder / "assignments/03-faults/faults.c").read_text()
