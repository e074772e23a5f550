# SPDX-License-Identifier: MIT
"""The HTML report: one closed file, equal for equal runs, no word taken as markup."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from grader.errors import OperatorError
from grader.reports import terminal
from grader.reports.data import load
from grader.reports.write import write_reports
from grader.tests.reports import HOSTILE, hostile, recorded
from grader.verdict.write import write_summary, write_verdict

VOID = {"meta", "br", "img", "link", "input", "hr"}
ATTRIBUTES = {"href", "src", "style", "srcset", "xlink:href", "action", "data"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def page(out: Path) -> tuple[str, Page]:
    text = write_reports(out).read_text(encoding="utf-8")
    return text, Page(text)


def test_a_page_is_one_closed_file_without_scripts(tmp_path: Path) -> None:
    text, seen = page(recorded(tmp_path))
    assert "script" not in seen.tags and "link" not in seen.tags
    policies = [value for name, value in seen.attributes if value.startswith("default")]
    assert policies and "script" not in policies[0] and "'none'" in policies[0]
    assert "url(" not in text and "@import" not in text and "http" not in seen.text
    for name, value in seen.attributes:
        assert not name.startswith("on")
        if name in ATTRIBUTES:
            assert value.startswith("#"), (name, value)


def test_links_lead_somewhere_and_ids_are_unique(tmp_path: Path) -> None:
    _, seen = page(recorded(tmp_path))
    assert len(seen.ids) == len(set(seen.ids))
    links = {value[1:] for name, value in seen.attributes if name == "href"}
    assert links and links <= set(seen.ids)


def test_a_page_shows_what_the_run_left(tmp_path: Path) -> None:
    text, seen = page(recorded(tmp_path))
    for words in (
        "landed on the kernel stack",
        "Rings over time: 4800 records",
        "The first 80 records",
        "rows of K and U",
        "GDT at",
        "IDT at",
        "TSS at",
        "Page walks",
        "[ringlab] end of threads-preempt",
        "make grade A=05-threads",
    ):
        assert words in seen.text, words
    assert seen.tags.count("svg") >= 3
    assert '<span class="f14 b1">rows of K and U' in text
    assert "♥" in seen.text


def test_failed_checks_come_first_and_open(tmp_path: Path) -> None:
    text, _ = page(recorded(tmp_path))
    failed = text.index("<h3>Failed</h3>")
    assert failed < text.index("not judged") < text.index("passed</summary>")
    assert re.search(r'<details open id="[^"]*check-thread-kernel-stack"', text)
    assert '<details id="i386-05-threads-yield"' in text
    assert '<details id="i386-05-threads-mixed" open' in text


def test_every_report_tells_a_bonus_from_the_points(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    (stage,) = load(out).stages
    order = "thread-order"  # passed, for 3 of 26 points earned and of 50
    checks = tuple(
        dataclasses.replace(check, bonus=check.id == order)
        for check in stage.verdict.checks
    )
    made = dataclasses.replace(stage.verdict, checks=checks, max_points=47)
    write_verdict(out, made)
    write_summary(out, [made], status=1, seed=made.seed)
    _, seen = page(out)
    text = io.StringIO()
    terminal.report([made, made], made.seed, terminal.console(text))
    markdown = (out / "report.md").read_text(encoding="utf-8")
    for shown, rows in ((seen.text, 3), (markdown, 2), (text.getvalue(), 2)):
        assert shown.count("23/47, and 3 bonus") == rows
        assert "26/" not in shown
    assert "46/94, and 6 bonus" in text.getvalue()
    for shown in (seen.text, markdown):
        assert "ringlab: 23 of 47 points, and 3 bonus" in shown


def test_equal_runs_give_equal_pages(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    first, _ = page(out)
    moved = shutil.move(str(out), str(tmp_path / "elsewhere"))
    assert page(Path(moved))[0] == first


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    text, seen = page(hostile(tmp_path))
    assert not {"script", "img", "failure"} & set(seen.tags)
    assert all(c.isprintable() or c in "\n\t " for c in text)
    assert "<script>alert(1)</script>" in seen.text
    assert "\\u202e" in seen.text and "\u202e" not in text
    assert "{{ 7*7 }}" in seen.text and "49" not in seen.text.split("alert")[1][:200]


def test_huge_text_makes_no_huge_page(tmp_path: Path) -> None:
    out = hostile(tmp_path, HOSTILE * 5000)
    text, seen = page(out)
    assert len(text) < 400_000
    assert "bytes are not shown" in seen.text


def test_a_run_without_its_data_is_reported_all_the_same(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    shutil.rmtree(out / "i386/05-threads/runs")
    _, seen = page(out)
    assert "landed on the kernel stack" in seen.text
    assert "tables were not kept" in seen.text


def test_broken_data_is_no_reason_to_fail(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    for file in out.glob("i386/*/runs/*/*"):
        file.write_bytes(b"[{\xff\0")
    _, seen = page(out)
    assert "tables were not kept" in seen.text


def test_a_folder_without_a_run_is_the_operators_fault(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="holds no finished run"):
        write_reports(tmp_path)
