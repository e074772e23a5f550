# SPDX-License-Identifier: MIT
"""Whatever people hand in is read without harm, and each problem is a clear line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from grader.build.model import SubmissionError
from grader.build.sources import take
from grader.cohort.handin import NAME_BYTES, name_of, take_in
from grader.cohort.model import HandedIn
from grader.course import Course
from grader.errors import OperatorError
from grader.intake import remotes, submission
from grader.intake.downloads import sources
from grader.tests.cohort import ARCH
from grader.tests.course_copy import begin, git
from grader.tests.test_intake import pack

GAPS = {"01-gdt/gdt.c": b"int x;\n", "01-gdt/i386/load.asm": b"nop\n"}


def lay(place: Path, files: dict[str, bytes]) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


def loose(*names: str) -> dict[str, bytes]:
    return dict(zip(names, GAPS.values()))


class Class:
    """SUBMISSIONS and OUT of a class of one stage."""

    def __init__(self, course: Course, root: Path) -> None:
        self.course, self.place, self.out = course, root / "class", root / "out"
        self.place.mkdir()
        self.out.mkdir()

    def taken(self, place: Path | None = None) -> dict[str, HandedIn]:
        stage = self.course.stages[0]
        every = [
            take_in(one, self.course, stage, (ARCH,), self.out)
            for one in sources(place or self.place)
        ]
        return {one.title: one for one in every}

    def one(self, place: Path | None = None) -> HandedIn:
        (found,) = self.taken(place).values()
        return found

    def frozen(self, one: HandedIn) -> dict[str, bytes]:
        src = self.out / one.src
        files = [file for file in src.rglob("*") if file.is_file()]
        return {str(file.relative_to(src)): file.read_bytes() for file in files}


@pytest.fixture
def cohort(course: Course, tmp_path: Path) -> Class:
    return Class(course, tmp_path)


ZIPPED = {"repo/assignments/" + path: data for path, data in GAPS.items()}
ACCEPTED = {
    "stages": GAPS,
    "a repository": {"x/assignments/" + path: data for path, data in GAPS.items()},
    "a stage's own files": loose("gdt.c", "i386/load.asm"),
    "the files alone": loose("gdt.c", "load.asm"),
    "some folder": loose("my work/gdt.c", "my work/load.asm"),
}


@pytest.mark.parametrize("how", ACCEPTED)
@pytest.mark.parametrize("packed", [False, True])
def test_gap_files_are_found_however_they_lie(
    cohort: Class, how: str, packed: bool
) -> None:
    if packed:
        pack(cohort.place / "ada.zip", ACCEPTED[how])
    else:
        lay(cohort.place / "ada", ACCEPTED[how])
    one = cohort.one()
    assert (one.problem, one.fault) == ("", "")
    assert cohort.frozen(one) == GAPS


def test_two_files_of_one_name_are_not_guessed_between(cohort: Class) -> None:
    lay(cohort.place / "ada", {"a/gdt.c": b"1", "b/gdt.c": b"2", "load.asm": b"3"})
    assert cohort.frozen(cohort.one()) == {"01-gdt/i386/load.asm": b"3"}


def refused(cohort: Class, name: str, files: dict[str, bytes]) -> str:
    lay(cohort.place / name, files)
    return cohort.one().problem


def test_two_archives_are_one_too_many(cohort: Class) -> None:
    files = {"a.zip": b"", "b.tar.gz": b""}
    assert "holds 2 archives; hand in one" in refused(cohort, "ada", files)


def test_nothing_is_no_submission(cohort: Class) -> None:
    assert "holds no stage" in refused(cohort, "ada", {})


def test_another_stage_is_named(cohort: Class, course: Course) -> None:
    second = course.root / "assignments/02-tss/assignment.toml"
    first = course.root / "assignments/01-gdt/assignment.toml"
    text = (
        first.read_text().replace("01-gdt", "02-tss").replace("order = 1", "order = 2")
    )
    text = text.replace('"1.', '"2.').replace("gdt-", "tss-")
    lay(second.parent, {second.name: text.encode()})
    cohort.course = Course.load(course.root)
    problem = refused(cohort, "ada", {"02-tss/gdt.c": b"x"})
    assert problem.startswith("it holds 02-tss, and nothing of 01-gdt")


def test_what_is_no_archive_is_named(cohort: Class) -> None:
    lay(cohort.place, {"ada.rar": b"Rar!", "bob.zip": b"PK\3\4 broken"})
    found = cohort.taken()
    assert "no archive that is known" in found["ada.rar"].problem
    assert "cannot be read" in found["bob.zip"].problem


def test_lists_beside_submissions_belong_to_nobody(cohort: Class) -> None:
    lay(cohort.place, {"grades.csv": b"", "notes.txt": b"", ".hidden": b""})
    lay(cohort.place / "ada", GAPS)
    assert [*cohort.taken()] == ["ada"]


def test_an_empty_folder_is_the_operators_fault(cohort: Class) -> None:
    with pytest.raises(OperatorError, match="holds no submission"):
        cohort.taken()
    with pytest.raises(OperatorError, match="nothing is there"):
        cohort.taken(cohort.place / "x")


def test_windows_line_ends_are_taken_as_they_are_and_noted(cohort: Class) -> None:
    lay(cohort.place / "ada", {**GAPS, "01-gdt/gdt.c": b"int x;\r\n"})
    one = cohort.one()
    assert one.notes == (
        "01-gdt/gdt.c has Windows line ends; they are read as they are",
    )
    assert cohort.frozen(one)["01-gdt/gdt.c"] == b"int x;\r\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named_at_the_build(cohort: Class, encoding: str) -> None:
    lay(cohort.place / "ada", {**GAPS, "01-gdt/gdt.c": "int x;\n".encode(encoding)})
    one = cohort.one()
    with pytest.raises(SubmissionError) as error:
        take(cohort.course.stages[0], ARCH, cohort.out / one.src)
    assert "UTF-16" in error.value.messages[0].text


def test_a_file_too_large_is_still_too_large_when_it_is_frozen(cohort: Class) -> None:
    lay(cohort.place / "ada", {**GAPS, "01-gdt/gdt.c": b"x" * (2 << 20)})
    with pytest.raises(SubmissionError) as error:
        take(cohort.course.stages[0], ARCH, cohort.out / cohort.one().src)
    assert "at most" in error.value.messages[0].text


def test_what_changes_later_is_not_what_was_frozen(cohort: Class) -> None:
    lay(cohort.place / "ada", GAPS)
    first = cohort.one()
    lay(cohort.place / "ada", {"01-gdt/gdt.c": b"int y;\n"})
    second = cohort.one()
    assert first.src != second.src and cohort.frozen(first) == GAPS


@pytest.mark.parametrize(
    "title", ["Ada Lovelace", "Grüß Gott", "李雷", "a/b", "-rf", "..", "x\n", "é" * 200]
)
def test_odd_names_are_file_names(title: str) -> None:
    name = name_of(title)
    assert name == name_of(title) and len(name.encode()) <= NAME_BYTES + 7
    assert "/" not in name and not name.startswith((".", "-")) and name.isprintable()


def test_names_that_look_alike_stay_apart(cohort: Class) -> None:
    for name in ("ada b", "ada_b", "ada?b", "ada-b", os.fsdecode(b"ada\xffb")):
        lay(cohort.place / name, GAPS)
    names = {one.name for one in cohort.taken().values()}
    assert len(names) == 5 and {"ada-b", "ada_b"} < names


GRADESCOPE = """\
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: '17'
    :email: ada@example.org
  :created_at: 2026-10-01 10:00:00.000000000 Z
  :score: 3.0
submission_2:
  :submitters:
  - :name: Bob
    :sid:
    :email: bob@example.org
"""


def test_gradescopes_export_names_the_people(cohort: Class) -> None:
    lay(cohort.place / "submission_1", loose("gdt.c", "load.asm"))
    lay(cohort.place, {"submission_metadata.yml": GRADESCOPE.encode()})
    found = cohort.taken()
    ada = {"name": "Ada Lovelace", "sid": "17", "email": "ada@example.org"}
    assert found["submission_1"].people == (ada,)
    assert cohort.frozen(found["submission_1"]) == GAPS
    assert "nothing was handed in" in found["submission_2"].problem


def test_an_export_that_is_not_gradescopes_is_the_operators_fault(
    cohort: Class,
) -> None:
    lay(cohort.place, {"submission_metadata.yml": b"- x\n"})
    with pytest.raises(OperatorError, match="not Gradescope's"):
        cohort.taken()


def test_moodles_download_names_the_people(cohort: Class) -> None:
    lay(cohort.place / "Ada Lovelace_17_assignsubmission_file_", GAPS)
    pack(cohort.place / "Bob_18_assignsubmission_file_work.zip", ZIPPED)
    for name, data in loose("gdt.c", "load.asm").items():
        lay(cohort.place, {f"Eve_19_assignsubmission_file_{name}": data})
    lay(cohort.place / "Ada Lovelace_17_assignsubmission_onlinetext_", {"x.html": b""})
    found = cohort.taken()
    assert [*found] == ["Ada Lovelace 17", "Bob 18", "Eve 19"]
    assert found["Bob 18"].people == ({"name": "Bob", "id": "18"},)
    assert all(cohort.frozen(one) == GAPS for one in found.values())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A student's repository, whose configuration starts a program on `git status`."""
    place = lay(tmp_path / "work", ZIPPED)
    begin(place, "work")
    git(place, "config", "core.fsmonitor", f"touch {tmp_path}/caught; false")
    return place


def test_bundles_and_remotes_are_fetched(
    cohort: Class, repository: Path, tmp_path: Path
) -> None:
    git(repository, "bundle", "create", "-q", str(cohort.place / "ada.bundle"), "main")
    (cohort.place / "bob").mkdir()
    whole = cohort.place / "bob/work.bundle"
    git(repository, "bundle", "create", "-q", str(whole), "HEAD", "main")
    listed = tmp_path / "list.csv"
    url = f"file://{repository}"
    listed.write_text(f"name,url,ref\neve,{url}\nzoe,{url},main\nyan,{url},gone\n")
    remote = cohort.taken(listed)
    assert "cannot be fetched" in remote.pop("yan").fault
    for one in [*cohort.taken().values(), *remote.values()]:
        assert (one.title, cohort.frozen(one)) == (one.title, GAPS)
    assert not (tmp_path / "caught").exists()


def test_a_clone_in_the_folder_is_files_and_no_repository(
    cohort: Class, repository: Path, tmp_path: Path
) -> None:
    repository.rename(cohort.place / "ada")
    assert cohort.frozen(cohort.one()) == GAPS
    assert not (tmp_path / "caught").exists()


def test_a_bundle_that_is_none_is_the_students_problem(cohort: Class) -> None:
    lay(cohort.place, {"ada.bundle": b"nothing"})
    assert "no bundle that git can read" in cohort.one().problem


def test_a_remote_that_does_not_answer_is_given_up(
    cohort: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "FETCH_S", 0.0)
    (tmp_path / "list.csv").write_text(f"ada,file://{tmp_path}/none\n")
    assert "took more than 0 s" in cohort.one(tmp_path / "list.csv").fault


def test_a_tree_that_names_itself_by_many_ways_is_refused(
    cohort: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "LISTED_BYTES", 1 << 16)
    place = lay(tmp_path / "bomb", {"01-gdt/gdt.c": b"x"})
    begin(place, "work")
    tree = git(place, "rev-parse", "HEAD^{tree}")
    for _ in range(10):
        entries = "".join(f"040000 tree {tree}\t{name}\n" for name in "abcdefghij")
        (tmp_path / "entries").write_text(entries)
        with open(tmp_path / "entries") as stream:
            tree = made_tree(place, stream.fileno())
    commit = git(place, "commit-tree", tree, "-m", "bomb")
    git(place, "update-ref", "refs/heads/main", commit)
    git(place, "bundle", "create", "-q", str(cohort.place / "ada.bundle"), "main")
    assert "more than" in cohort.one().problem


def made_tree(place: Path, entries: int) -> str:
    command = ["git", "-C", str(place), "mktree"]
    return subprocess.run(
        command, stdin=entries, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_list_with_a_line_that_is_none_is_the_operators_fault(
    cohort: Class, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("ada\n")
    with pytest.raises(OperatorError, match="line 1, is no name,url"):
        cohort.taken(tmp_path / "list.csv")


def test_a_link_to_elsewhere_is_not_followed(cohort: Class, tmp_path: Path) -> None:
    secret = lay(tmp_path / "solutions", GAPS)
    lay(cohort.place / "ada", {"01-gdt/x.c": b""})
    (cohort.place / "ada/01-gdt/gdt.c").symlink_to(secret / "01-gdt/gdt.c")
    (cohort.place / "bob").symlink_to(secret)
    (cohort.place / "eve").mkdir()
    (cohort.place / "eve/work.bundle").symlink_to(tmp_path / "other.bundle")
    found = cohort.taken()
    with pytest.raises(SubmissionError) as told:
        take(cohort.course.stages[0], ARCH, cohort.out / found["ada"].src)
    said = {message.file: message.text for message in told.value.messages}
    assert said["01-gdt/gdt.c"].startswith("this is a symbolic link")
    assert "is a link" in found["bob"].fault
    assert "holds no stage" in found["eve"].problem
