# SPDX-License-Identifier: MIT
"""A verdict holds what was judged, follows its schema, and is written whole."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.course import Course
from grader.reports import terminal
from grader.settings import Settings
from grader.tests.conftest import MANIFEST, write_stage
from grader.verdict import write
from grader.verdict.collect import Collector, Record
from grader.verdict.model import (
    BuildMessage,
    CheckResult,
    Status,
    Verdict,
    digest,
    overall,
    plain,
)

SCHEMA = json.loads(Path(write.__file__).with_name("schema.json").read_text())


def record(check: str, status: Status = Status.PASS, **texts: Any) -> Record:
    points = {"gdt-code": 3, "gdt-limit": 2}[check]
    got = points if status is Status.PASS else 0
    result = CheckResult(check, "1.1", f"{check} holds.", status, got, points, **texts)
    return Record("i386", "01-gdt", result, {"dpl": 3}, (), ("table",))


@pytest.fixture
def collector(course: Course, tmp_path: Path) -> Collector:
    out = tmp_path / "out"
    here = Settings(course, course.stages, ("i386",), tmp_path, tmp_path, 0xBEEF, out)
    return Collector(here)


def verdict_of(collector: Collector, *records: Record) -> Verdict:
    for each in records:
        collector.add(each)
    (verdict,) = collector.verdicts("A", {"gcc": "12.2.0"})
    return verdict


def test_a_verdict_follows_the_published_schema(collector: Collector) -> None:
    told = {
        "expected": "DPL 3.",
        "seen": "DPL 0.",
        "cause": "0x9a",
        "source": "gdt.c:4",
    }
    verdict = verdict_of(
        collector,
        record("gdt-limit", Status.BLOCKED, blocked_by="gdt-code"),
        record("gdt-code", Status.FAIL, **told),
    )
    data = json.loads(json.dumps(verdict.to_json()))
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(data, SCHEMA)
    assert Verdict.from_json(data) == verdict
    assert (verdict.points, verdict.max_points) == (0, 5)
    assert verdict.status is Status.FAIL
    assert [check.id for check in verdict.checks] == ["gdt-code", "gdt-limit"]
    assert verdict.seed == "000000000000beef"


@pytest.mark.parametrize("text", ["\x1b[31mred", "bell\a", "a\x9bb", "\u202eright"])
def test_control_characters_reach_no_verdict(collector: Collector, text: str) -> None:
    raw = verdict_of(
        collector, record("gdt-limit"), record("gdt-code", Status.FAIL, seen=text)
    ).to_json()
    if "\u202e" not in text:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(raw, SCHEMA)
    assert plain(text).isprintable()


def test_a_stage_without_all_its_checks_has_no_verdict(collector: Collector) -> None:
    collector.add(record("gdt-code"))
    assert collector.verdicts("A", {}) == []
    assert collector.partial() == [("i386", "01-gdt")]


def test_equal_facts_have_equal_digests() -> None:
    assert digest({"a": {"x": 1, "y": 2}}) == digest({"a": {"y": 2, "x": 1}})
    assert digest({"a": {"x": 1}}) != digest({"a": {"x": 2}})


def test_records_survive_the_way_through_json() -> None:
    message = BuildMessage("01-gdt", "01-gdt/gdt.c", 4, 2, "error", "no")
    sent = dataclasses.replace(record("gdt-code", Status.FAIL), messages=(message,))
    assert Record.from_json(json.loads(json.dumps(sent.to_json()))) == sent


def results(statuses: list[Status], bonus: bool) -> list[CheckResult]:
    return [
        CheckResult(f"c{n}", "1.1", "It holds.", status, 0, 1, bonus=bonus)
        for n, status in enumerate(statuses)
    ]


OVERALL = [
    ([Status.PASS, Status.PASS], Status.PASS),
    ([Status.PASS, Status.FAIL], Status.FAIL),
    ([Status.PASS, Status.NOT_IMPLEMENTED], Status.FAIL),
    ([Status.BLOCKED, Status.NOT_IMPLEMENTED], Status.NOT_IMPLEMENTED),
    ([Status.BUILD_ERROR, Status.BUILD_ERROR], Status.BUILD_ERROR),
    ([Status.FAIL, Status.HARNESS_ERROR], Status.HARNESS_ERROR),
]


@pytest.mark.parametrize("statuses, stage", OVERALL)
def test_the_stage_s_status_follows_from_its_checks(
    statuses: list[Status], stage: Status
) -> None:
    every = results(statuses, bonus=False)
    assert overall(every) is stage
    late = [Status.FAIL, Status.NOT_IMPLEMENTED, Status.PASS]
    assert overall(every + results(late, bonus=True)) is stage
    broken = results([Status.HARNESS_ERROR], bonus=True)
    assert overall(every + broken) is Status.HARNESS_ERROR


def with_bonus(folder: Path, got: bool, lost: bool = False) -> Verdict:
    """gdt-code for 3 points, gdt-limit for 2 as a bonus."""
    write_stage(folder, MANIFEST.replace("points = 2", "points = 2\nbonus = true"))
    course = Course.load(folder)
    settings = Settings(course, course.stages, ("i386",), folder, folder, 1, folder)
    extra = record("gdt-limit", Status.PASS if got else Status.FAIL)
    marked = dataclasses.replace(extra.result, bonus=True)
    return verdict_of(
        Collector(settings),
        record("gdt-code", Status.FAIL if lost else Status.PASS),
        dataclasses.replace(extra, result=marked),
    )


def test_a_bonus_adds_to_the_points_and_nobody_needs_it(tmp_path: Path) -> None:
    more, full = with_bonus(tmp_path, True), with_bonus(tmp_path, False)
    less = with_bonus(tmp_path, True, lost=True)
    for verdict in (more, full, less):
        jsonschema.validate(json.loads(json.dumps(verdict.to_json())), SCHEMA)
    assert (more.points, more.max_points, more.bonus) == (5, 3, 2)
    assert (full.points, full.max_points, full.bonus) == (3, 3, 0)
    assert [v.status.value for v in (more, full, less)] == ["pass", "pass", "fail"]
    assert [write.exit_status([v]) for v in (more, full, less)] == [0, 0, 1]
    assert [write.exit_status([v], bonus=True) for v in (more, full)] == [0, 1]
    write.write_summary(tmp_path, [more, less], status=1, seed="")
    summary = json.loads((tmp_path / write.SUMMARY).read_text())
    assert (summary["points"], summary["max_points"], summary["bonus"]) == (7, 6, 4)
    text = io.StringIO()
    terminal.report([more, full], "", terminal.console(text))
    shown = " ".join(text.getvalue().split())
    points = ("3/3 points, and 2 bonus", "6/6, and 2 bonus")
    for words in (*points, "bonus 2/2", "bonus 0/2"):
        assert words in shown
    assert shown.count("again: ") == 1


def test_no_line_on_the_terminal_is_a_command_to_a_ci_system() -> None:
    for width in range(terminal.WIDTH):
        text = io.StringIO()
        terminal.console(text).print("x" * width + " ::error::forged\n ::group::y")
        assert "error::forged" in text.getvalue()
        assert not [x for x in text.getvalue().split("\n") if x.lstrip()[:2] == "::"]


def test_the_exit_status_is_never_success_without_full_points(
    collector: Collector,
) -> None:
    good = verdict_of(collector, record("gdt-code"), record("gdt-limit"))
    assert write.exit_status([good]) == 0
    assert write.exit_status([]) == 2
    bad = dataclasses.replace(good, status=Status.FAIL)
    odd = dataclasses.replace(good, status=Status.HARNESS_ERROR)
    assert write.exit_status([good, bad]) == 1
    assert write.exit_status([bad, odd]) == 2


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    write.write_json(file, {"good": 1})
    with pytest.raises(TypeError):
        write.write_json(file, {"bad": object()})
    assert json.loads(file.read_text()) == {"good": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_old_verdicts_go_and_strangers_stay(collector: Collector) -> None:
    out = collector.settings.out
    verdict = verdict_of(collector, record("gdt-code"), record("gdt-limit"))
    path = write.write_verdict(out, verdict)
    assert write.read_verdict(path) == verdict
    write.write_summary(out, [verdict], status=0, seed=verdict.seed)
    (out / "notes.txt").write_text("mine")
    write.clear(out, ["i386"], ["01-gdt"])
    assert not path.exists() and not (out / write.SUMMARY).exists()
    assert (out / "notes.txt").exists()


def test_old_runs_are_gone_at_once_and_removed_in_the_end(tmp_path: Path) -> None:
    runs = tmp_path / "i386/01-gdt" / write.RUNS
    for number in range(3):  # twice one was killed before its end
        (runs / f"boot-{number}").mkdir(parents=True)
        write.clear(tmp_path, ["i386"], ["01-gdt"])
        assert not runs.exists()
    write.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["i386"]


def test_the_terminal_tells_all_that_helps(collector: Collector) -> None:
    told = {
        "expected": "DPL 3.",
        "seen": "[red]DPL 0[/red].",
        "cause": "The access byte is 0x9a.",
        "hint": "Set both DPL bits.",
        "read": 'SDM 3A "Segment Descriptors" (3.4.5)',
        "source": "`lgdt` in gdt_reload (gdt.asm:7)",
    }
    verdict = verdict_of(
        collector,
        record("gdt-code", Status.FAIL, **told),
        record("gdt-limit", Status.BLOCKED, blocked_by="gdt-code"),
    )
    text = io.StringIO()
    terminal.report([verdict], verdict.seed, terminal.console(text))
    shown = text.getvalue()
    for word in (*told.values(), "blocked by gdt-code", "0/5 points", "SEED="):
        assert word in shown
    assert "make grade A=01-gdt ARCH=i386 SEED=000000000000beef" in shown


def test_a_compile_error_is_shown_at_the_student_s_line(collector: Collector) -> None:
    message = BuildMessage("01-gdt", "01-gdt/gdt.c", 4, 2, "error", "expected ‘;’")
    broken = [
        dataclasses.replace(record(name, Status.BUILD_ERROR), messages=(message,))
        for name in ("gdt-code", "gdt-limit")
    ]
    verdict = verdict_of(collector, *broken)
    assert verdict.messages == (message,)
    text = io.StringIO()
    terminal.report([verdict], verdict.seed, terminal.console(text))
    assert text.getvalue().count("01-gdt/gdt.c:4:2: error: expected ‘;’") == 1
