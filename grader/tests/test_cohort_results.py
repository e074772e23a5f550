# SPDX-License-Identifier: MIT
"""What a class run came to: pages, tables and feedback follow from the store alone."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from grader.cohort.model import Attempt, Carry, HandedIn, Outcome
from grader.cohort.results import write_results
from grader.cohort.results.feedback import safe
from grader.cohort.store import Store
from grader.cohort.worker import write_all
from grader.course import Course
from grader.errors import OperatorError
from grader.tests.browser import Browser, browser_command
from grader.tests.cohort import STAGE, item, outcome, verdict
from grader.tests.reports import HOSTILE
from grader.tests.test_reports_browser import LOOK
from grader.verdict.model import Verdict, plain
from grader.verdict.write import REPORTS

TITLE = plain(HOSTILE).replace("\n", " ")
MOODLE = """\
Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade)
Participant 11,Ada Lovelace,ada@x.org,,60.00,-
Participant 12,Bob,bob@x.org,,60.00,-
Participant 13,Nobody,no@x.org,,60.00,-
"""
COMMAND = browser_command()


def told(check: int, **fields: Any) -> dict[str, Any]:
    """A verdict of which one check is told in other words."""
    made = verdict(gdt_code="fail")
    made["checks"][check].update(fields)
    return made


def person(name: str, number: str) -> dict[str, str]:
    return {"name": name, "id": number}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A class with every kind of result: hostile, late, unread, nothing to grade."""
    store = Store.open(tmp_path)
    store.configure(arches="i386")
    store.hand_in(
        [
            HandedIn("ada", STAGE, "Ada", people=(person("Ada Lovelace", "11"),)),
            HandedIn("bob", STAGE, "=Bob()", late_days=0.5),
            HandedIn("evil", STAGE, TITLE, notes=(TITLE,)),
            HandedIn("gone", STAGE, "Gone", fault="the remote does not answer"),
            HandedIn("none", STAGE, "None", problem="it holds nothing"),
            HandedIn("sick", STAGE, "Sick"),
        ]
    )
    texts = dict.fromkeys(("seen", "cause", "hint", "source"), plain(HOSTILE))
    store.keep(outcome(item("ada")))
    cause = "Bit 46 of 0x1234 is 0: nobody wrote the DPL."
    store.keep(Outcome(item("bob"), "b", told(0, cause=cause.replace("0x1234", "7"))))
    store.keep(Outcome(item("evil"), "e", told(1, **texts, status="fail", points=0)))
    refused = verdict(gdt_code="build error", gdt_limit="build error")
    store.keep(Outcome(item("none"), "n", refused))
    error = Attempt("harness error", "QEMU is gone")
    store.keep(Outcome(item("sick"), "s", None, attempts=(error,)))
    return tmp_path


def results(course: Course, out: Path, **options: str) -> list[str]:
    return write_results(Store.open(out), course, out, (), options)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class Reader(HTMLParser):
    """Gathers what a browser would follow or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_the_overview_escapes_what_students_wrote(course: Course, out: Path) -> None:
    results(course, out)
    page = (out / "class.html").read_text("utf-8")
    read = Reader(page)
    assert read.tags.count("script") == 1 and "img" not in read.tags
    assert "alert(1)" in page and "{{" in page
    assert re.search(
        r"default-src 'none'.*script-src 'sha256-", page.replace("&#39;", "'")
    )


def test_every_link_leads_somewhere(course: Course, out: Path) -> None:
    ada = Store.open(out).results(STAGE)[0]
    write_all(out / ada.folder, Verdict.from_json(verdict()))
    results(course, out)
    links = Reader((out / "class.html").read_text("utf-8")).links
    files = [link for link in links if not link.startswith("#")]
    assert len(files) >= 5 and all((out / link).is_file() for link in files)


def test_a_mistake_is_one_however_its_numbers_differ(course: Course, out: Path) -> None:
    store = Store.open(out)
    store.hand_in([HandedIn("eve", STAGE, "Eve")])
    cause = "Bit 46 of 0x1234 is 0: nobody wrote the DPL."
    store.keep(Outcome(item("eve"), "v", told(0, cause=cause)))
    results(course, out)
    page = (out / "class.html").read_text("utf-8")
    assert page.count("nobody wrote the DPL") == 1
    part = page[page.index("nobody wrote the DPL") :]
    assert "=Bob()" in part[: part.index("</details>")]
    assert "Eve" in part[: part.index("</details>")]


def test_who_is_not_scored_and_what_was_not_graded_stand_apart(
    course: Course, out: Path
) -> None:
    results(course, out)
    page = (out / "class.html").read_text("utf-8")
    lists = page[: page.index("<h3>Marks</h3>")]
    for words in ("the remote does not answer", "QEMU is gone", "it holds nothing"):
        assert words in lists
    assert "4 of 6 scored" in lists
    # The two checks of three that were graded, and no build error of `none`.
    assert re.search(r'gdt-code.*?number">1</td><td class="number">2</td>', page)


def test_the_table_has_a_line_for_each_and_no_formula(
    course: Course, out: Path
) -> None:
    results(course, out)
    rows = {row["submission"]: row for row in table((out / "marks.csv").read_text())}
    assert rows["bob"]["title"] == "'=Bob()"
    assert (rows["bob"]["points"], rows["bob"]["mark"]) == ("2", "1.80")
    assert (rows["ada"]["mark"], rows["ada"]["student"]) == ("5.00", "Ada Lovelace")
    assert (rows["gone"]["mark"], rows["gone"]["status"]) == ("", "not scored")
    assert rows["none"]["status"] == "nothing to grade"


def test_a_gradebook_is_filled_and_who_is_in_one_place_alone_is_named(
    course: Course, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "sheet.csv").write_text(MOODLE)
    said = results(course, out, moodle=str(tmp_path / "sheet.csv"))
    rows = table((out / "moodle.csv").read_text())
    assert [row["Grade"] for row in rows] == ["5", "1.8", ""]
    left = said.index("4 handed in, and stand nowhere in it:")
    assert said[left + 1 : left + 5] == [
        *(f"  {plain(TITLE, 200)}", "  Gone", "  None", "  Sick")
    ]
    assert said[left + 5 : left + 7] == [
        *("1 stand in it, and handed nothing in:", "  Participant 13 Nobody")
    ]
    with zipfile.ZipFile(out / "moodle-feedback.zip") as packed:
        assert "Ada Lovelace_11_assignsubmission_file_/report.html" in packed.namelist()


def test_two_submissions_of_one_student_are_not_filled_in(
    course: Course, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "sheet.csv").write_text(MOODLE)
    people = (person("Ada Lovelace", "11"),)
    Store.open(out).hand_in([HandedIn("ada2", STAGE, "Ada again", people=people)])
    with pytest.raises(OperatorError, match="more than one submission"):
        results(course, out, moodle=str(tmp_path / "sheet.csv"))
    assert (out / "class.html").is_file()


@pytest.fixture
def hidden(out: Path) -> Path:
    """A check of the staff's that students see from a day on."""
    store = Store.open(out)
    made = told(0, staff=True, shown="whole", shown_from="2026-12-01", seen="SECRET")
    store.hand_in([HandedIn("eve", STAGE, "Eve")])
    store.keep(Outcome(item("eve"), "v", made))
    return out


def test_feedback_shows_no_check_of_the_staffs_before_its_day(
    course: Course, hidden: Path
) -> None:
    for day, shown in (("2026-11-30", False), ("2026-12-01", True)):
        results(course, hidden, student=day)
        for name in ("report.html", "report.md"):
            text = (hidden / "feedback/eve" / name).read_text("utf-8")
            assert ("SECRET" in text) is shown and ("gdt-code" in text) is shown
    assert "SECRET" not in (hidden / "marks.csv").read_text("utf-8")


def test_feedback_tells_what_no_report_says(course: Course, out: Path) -> None:
    results(course, out)
    feedback = out / "feedback"
    assert "0.5 days late, which takes 10 %" in (feedback / "bob/notes.txt").read_text()
    assert "it holds nothing" in (feedback / "none/notes.txt").read_text()
    assert {file.name for file in (feedback / "gone").iterdir()} == {"notes.txt"}
    assert {file.name for file in (feedback / "ada").iterdir()} == {
        *("report.html", "report.md")
    }


def test_feedback_that_is_up_to_date_is_left_alone(course: Course, out: Path) -> None:
    results(course, out)
    (out / "feedback/ada/report.html").write_text("kept")
    (out / "feedback/bob/report.html").write_text("old")
    Store.open(out).keep(outcome(item("bob", "l" * 64, Carry.OWN)))
    results(course, out)
    assert (out / "feedback/ada/report.html").read_text() == "kept"
    assert (out / "feedback/bob/report.html").read_text("utf-8") != "old"


def test_folders_are_told_apart_by_every_file_system() -> None:
    found = safe(["Ada", "ada", "CON", "nul.txt", "Zoë"])
    assert (found["Ada"], found["Zoë"]) == ("Ada", "Zoë")
    assert len({folder.casefold() for folder in found.values()}) == 5
    assert not {folder.split(".")[0].casefold() for folder in found.values()} & {
        *("con", "nul")
    }


def test_a_run_that_its_grader_gave_up_has_reports_too(tmp_path: Path) -> None:
    write_all(tmp_path, Verdict.from_json(verdict(gdt_code="fail")))
    assert all((tmp_path / name).is_file() for name in REPORTS)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert COMMAND is not None
    with Browser(COMMAND, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.mark.skipif(COMMAND is None, reason="there is no Chromium here")
def test_a_browser_shows_and_sorts_the_overview(
    course: Course, out: Path, browser: Browser
) -> None:
    results(course, out)
    for width, scheme in ((1280, "light"), (360, "dark")):
        browser.look(out / "class.html", width=width, scheme=scheme)
        seen = browser.value(LOOK)
        assert (seen["pale"], seen["width"]) == ([], width)
        assert seen["texts"] > 50
    table = "document.querySelector('table.sortable')"
    button = f"{table}.querySelectorAll('th button')[1]"
    first = f"{table}.tBodies[0].rows[0].cells[1].textContent"
    marks = []
    for _ in range(2):
        browser.value(f"{button}.click()")
        marks.append(browser.value(first))
    assert marks == ["–", "5"]
    assert not [e for e in browser.events if e["method"] == "Log.entryAdded"]
