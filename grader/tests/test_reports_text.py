# SPDX-License-Identifier: MIT
"""JUnit and Markdown: well-formed, true to the verdict, and not to be forged."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from grader.reports.data import load
from grader.reports.markdown import fenced, inline
from grader.reports.write import write_reports
from grader.tests.reports import HOSTILE, hostile, recorded

# What GitLab, Jenkins and Artemis read; no element has text but those of a case.
ALLOWED: dict[str, set[str]] = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}


def junit(out: Path) -> xml.Element:
    write_reports(out)
    return xml.parse(out / "junit.xml").getroot()


def markdown(out: Path) -> str:
    write_reports(out)
    return (out / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("make", [recorded, hostile])
def test_junit_holds_what_platforms_read_and_no_more(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    root = junit(make(tmp_path))
    for element in root.iter():
        assert set(element.attrib) <= ALLOWED[element.tag]
    names = [case.get("name") for case in root.iter("testcase")]
    assert len(names) == len(set(names))


def test_junit_counts_every_lost_point_as_a_failure(tmp_path: Path) -> None:
    root = junit(hostile(tmp_path))
    (suite,) = root
    assert suite.attrib == {
        "name": "i386.01-gdt",
        "tests": "4",
        "failures": "3",
        "errors": "0",
        "skipped": "0",
    }
    kinds = [f.get("type") for f in suite.iter("failure")]
    assert kinds == ["fail", "blocked", "not implemented"]
    assert root.get("failures") == "3"


def test_a_bonus_that_was_not_earned_is_only_skipped(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    file = out / "i386/05-threads/verdict.json"
    text = file.read_text("utf-8").replace('"bonus": false', '"bonus": true')
    file.write_text(text, "utf-8")
    root = junit(out)
    assert root.get("failures") == "0" and int(root.get("skipped", 0)) > 0


def test_junit_and_verdict_agree(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    root, (stage,) = junit(out), load(out).stages
    failed = {case.get("name") for case in root.iter("testcase") if len(case)}
    lost = {f"{c.id} (i386)" for c in stage.verdict.checks if not c.points}
    assert failed == lost
    text = "".join(root.itertext())
    assert "landed on the kernel stack" in text


def test_markdown_of_a_run_says_what_failed(tmp_path: Path) -> None:
    text = markdown(recorded(tmp_path))
    assert text.startswith("# ringlab: ")
    assert "landed on the kernel stack" in text
    text = text.replace("\\", "")
    (blocker, *_) = re.findall(r"blocked by (thread[a-z-]*)", text)
    assert f" {blocker}: " in text


def outside_fences(text: str) -> str:
    """The lines that Markdown reads as markup, by CommonMark's rule of fences."""
    kept, fence = [], ""
    for line in text.split("\n"):
        found = re.match(r" {0,3}(`{3,})([^`]*)$", line)
        if fence:
            if found and len(found[1]) >= len(fence) and not found[2].strip():
                fence = ""
        elif found:
            fence = found[1]
        else:
            kept.append(line)
    assert not fence, "a fence was left open"
    return "\n".join(kept)


def test_hostile_text_forges_no_markdown(tmp_path: Path) -> None:
    text = markdown(hostile(tmp_path))
    markup = outside_fences(text)
    assert markup.count("\n# ") + markup.startswith("# ") == 1
    assert "alert" not in markup.replace("\\", "").split("## ")[0]
    assert not re.search(r"(?<!\\)[<@\[]", markup)
    tables = [line for line in markup.split("\n") if line.startswith("|")]
    assert len(tables) == 3
    assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("text", ["", "`", "```", "a\n``````\nb", HOSTILE])
def test_a_fence_is_longer_than_what_it_holds(text: str) -> None:
    assert outside_fences(fenced(text)) == ""


def test_inline_text_is_one_line_without_markup() -> None:
    assert inline("a\n# b|`c`") == "a \\# b\\|\\`c\\`"
    assert inline("02-tss: see www.a.b") == "02-tss\\: see www\\.a.b"


def test_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    names = ("junit.xml", "report.md", "report.html")
    write_reports(out)
    first = [(out / name).read_bytes() for name in names]
    write_reports(out)
    assert [(out / name).read_bytes() for name in names] == first
