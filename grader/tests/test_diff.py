# SPDX-License-Identifier: MIT
"""Students' work is shown against handout and solution, task by task."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from grader import diff as package
from grader.course import Course
from grader.diff import diff
from grader.diff.compare import compare
from grader.diff.terminal import show
from grader.errors import OperatorError
from grader.handouts import handouts
from grader.intake import submission
from grader.tests.browser import Browser, browser_command
from grader.tests.conftest import write_stage
from grader.tests.test_handouts import solve
from grader.tests.test_intake import pack
from grader.tests.test_reports_browser import LOOK

GAPS = ("gdt.c", "i386/load.asm")


@pytest.fixture
def home(course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The course with its solutions and handouts, as the current folder."""
    solve(course.root)
    handouts(course.root, check=False)
    (course.root / "Makefile").write_text("all:\n")
    monkeypatch.chdir(course.root)
    return course


@pytest.fixture
def student(home: Course) -> Path:
    """A repository with gdt.c edited, load.asm as handed out, and a cheat."""
    root = home.root / "in/student"
    write_stage(root)
    work = root / "assignments/01-gdt"
    (work / "i386").mkdir()
    for gap in GAPS:
        text = (home.root / "assignments/01-gdt" / gap).read_text()
        text = text.replace('TASK_OPEN("1.2");', "return a + 2; \x1b[31m<b>")
        (work / gap).write_text(text)
    (root / "Makefile").write_text("all: cheat\n")
    (root / "grader").mkdir()
    (root / "grader/<i>.py").write_text("x")
    (root / "notes.txt").write_text("x")
    return root


def states(course: Course, place: Path, arch: str | None = None) -> list[str]:
    (stage,) = course.stages
    student = submission.folder(place, course)
    (found,) = compare(course, [stage], arch, student).stages
    return [task.state.value for task in found.tasks]


def test_the_student_s_lines_are_shown_task_by_task(
    home: Course, student: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(home.root, "01-gdt", None, str(student)) == 0
    shown = capsys.readouterr().out
    first, behind = shown.split("\n\n", 1)
    assert first.splitlines()[1:] == ["  changed  Makefile", "  added    grader/<i>.py"]
    handed, solved = behind.split("on to the solution")
    assert (
        '- \u0020   TASK_OPEN("1.2");' in handed and "1.2  gdt.c:8  changed" in handed
    )
    assert "+     return a + 2; \\x1b[31m<b>" in handed
    assert "-     return a + 2; \\x1b[31m<b>" in solved
    assert "+     return a + helper();" in solved
    assert "\x1b" not in shown and "build/diff/student.html" in shown


def test_the_words_that_differ_are_coloured_on_a_terminal(
    home: Course, student: Path
) -> None:
    found = compare(home, home.stages, None, submission.folder(student, home))
    out = Console(force_terminal=True, color_system="standard", width=100)
    with out.capture() as capture:
        show(found, out)
    assert "\x1b[7;32mhelper" in capture.get() and "\x1b[31m<b>" not in capture.get()


def test_every_state_of_a_task_is_told(home: Course, student: Path) -> None:
    solutions, work = home.root / "solutions", student / "assignments/01-gdt"
    assert states(home, student) == ["handout", "open"]
    assert states(home, home.root / "assignments") == ["handout", "handout"]
    assert states(home, solutions) == ["solution", "solution"]
    text = (solutions / "01-gdt/i386/load.asm").read_text()
    (work / "i386/load.asm").write_text(text.replace("    ", "\t") + "; x\n")
    assert states(home, student) == ["handout", "changed"]
    (work / "gdt.c").write_text("int work;\n" * 5000)
    assert states(home, student) == ["missing", "open"]
    (work / "gdt.c").unlink()
    assert states(home, student) == ["missing", "open"]


def test_an_architecture_that_a_course_does_not_offer_is_not_missing(
    home: Course, student: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (student / "assignments/01-gdt/i386/load.asm").unlink()
    assert states(home, student) == ["handout", "changed"]
    diff(home.root, None, None, str(student))
    assert "there is no file for i386" in capsys.readouterr().out
    assert states(home, student, "i386") == ["handout", "open"]


def test_what_is_like_ours_but_for_line_ends_is_no_stranger(
    home: Course, student: Path
) -> None:
    (student / "Makefile").write_bytes(b"all:\r\n")
    found = compare(home, home.stages, None, submission.folder(student, home))
    assert found.strangers == (("added", "grader/<i>.py"),)


def test_whitespace_and_comments_are_folded_and_said(
    home: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    place = home.root / "in/01-gdt"
    place.mkdir(parents=True)
    text = (home.root / "assignments/01-gdt/gdt.c").read_text()
    text = text.replace("int a = 0;", "int  a=0; // mine")
    (place / "gdt.c").write_text(text)
    diff(home.root, None, None, str(place.parent))
    shown = capsys.readouterr().out
    assert "1 line, not marked" in shown and "mine" not in shown


def test_a_commit_will_do_and_its_attributes_hide_nothing(
    home: Course, student: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@y"]
        subprocess.run(["git", *who, *words], cwd=home.root, check=True)

    (home.root / ".gitattributes").write_text("* export-ignore\n")
    git("init", "-q", "-b", "theirs")
    gap = home.root / "assignments/01-gdt/gdt.c"
    handed = gap.read_text()
    gap.write_text(handed.replace('TASK_OPEN("1.2");', "branch();"))
    (home.root / "assignments/01-gdt/link").symlink_to("/etc/passwd")
    git("add", ".gitattributes", "assignments")
    git("commit", "-q", "-m", "x")
    gap.write_text(handed)
    for name in ("theirs", "HEAD"):
        assert diff(home.root, "01-gdt", None, name) == 0
        shown = capsys.readouterr().out
        assert "+     branch();" in shown and "link" not in shown


@pytest.mark.parametrize("other", ["nowhere", "--output=x", "", "Makefile", "empty"])
def test_what_cannot_be_compared_is_refused(home: Course, other: str) -> None:
    (home.root / "empty").mkdir()
    with pytest.raises(OperatorError, match="WITH="):
        diff(home.root, None, None, other)


@pytest.fixture
def many(home: Course, student: Path) -> Path:
    """A folder of submissions, of which some cannot be read."""
    gap = (home.root / "solutions/01-gdt/gdt.c").read_bytes()
    pack(student.parent / "right.zip", {"repo/01-gdt/gdt.c": gap})
    pack(student.parent / "right!.tar.gz", {"../01-gdt/gdt.c": gap})
    os.rename(student, student.parent / "<b>&\x1b")
    (student.parent / "grades.csv").write_text("x")
    (student.parent / "nothing").mkdir()
    return student.parent


def test_a_folder_of_submissions_gives_an_overview(
    home: Course, many: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(home.root, None, None, str(many)) == 0
    shown = capsys.readouterr().out
    table = [line.split() for line in shown.splitlines() if line.split()]
    assert ["<b>&\\x1b", "handout", "open", "2"] in table
    assert ["right.zip", "solution", "solution", "0"] in table
    assert "right!.tar.gz is refused" in shown and "nothing holds no stage" in shown
    assert "grades" not in shown and "\x1b" not in shown
    pages = home.root / package.OUT / "in"
    assert {p.name for p in pages.iterdir()} == {
        "index.html",
        "b.html",
        "right.zip.html",
    }
    index = (pages / "index.html").read_text()
    assert '<a href="right.zip.html">' in index and "&lt;b&gt;&amp;\\x1b" in index
    assert "refused" in index and "<b>&" not in index


def test_pages_of_one_name_do_not_overwrite_each_other(
    home: Course, many: Path
) -> None:
    for name in ("index", "a b", "a-b"):
        (many / name / "01-gdt").mkdir(parents=True)
        (many / name / "01-gdt/gdt.c").write_text("int x;\n")
    diff(home.root, None, None, str(many))
    names = {p.name for p in (home.root / package.OUT / "in").iterdir()}
    assert {"index.html", "index-2.html", "a-b.html", "a-b-2.html"} <= names


@pytest.mark.skipif(browser_command() is None, reason="there is no Chromium here")
def test_pages_fit_can_be_read_and_ask_for_nothing(
    home: Course, many: Path, tmp_path: Path
) -> None:
    diff(home.root, None, None, str(many))
    command = browser_command()
    assert command is not None
    with Browser(command, tmp_path / "browser") as browser:
        for name in ("index", "b"):
            file = home.root / package.OUT / f"in/{name}.html"
            for width, scheme in ((360, "light"), (360, "dark"), (1280, "dark")):
                browser.look(file, width=width, scheme=scheme)
                seen = browser.value(LOOK)
                assert seen["width"] <= seen["inner"] == width
                assert seen["texts"] > 10 and seen["pale"] == []
                told = [event["method"] for event in browser.events]
                assert told.count("Network.requestWillBeSent") == 1
                assert not [t for t in told if t.startswith(("Log.", "Runtime.exc"))]
