# SPDX-License-Identifier: MIT
"""Exporters: each platform's form, no secret, no forged mark, no zero for a fault."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import jsonschema
import pytest

from grader.cli import main
from grader.errors import OperatorError
from grader.reports.data import RunData, load
from grader.reports.job import show
from grader.reports.platforms import PLATFORMS, render
from grader.reports.platforms.told import TEXT_LIMIT, Export
from grader.tests.platforms import DATA, ENVIRONMENT, SECRET, SETS, TODAY
from grader.tests.platforms import exported, golden, text, written
from grader.tests.reports import recorded
from grader.verdict.write import write_summary

JSON = ("gradescope", "classroom50", "prairielearn", "submitty")
JUNITS = ("artemis", "codegrade")
ALL = pytest.mark.parametrize("platform", PLATFORMS)


def schema(platform: str) -> Any:
    return json.loads((DATA / f"{platform}.schema.json").read_text(encoding="utf-8"))


def autolab(made: Export) -> tuple[list[str], Any]:
    """The lines of the output, and its last as Autolab reads it: it puts quotes around
    every word before a colon."""
    lines = made.said.rstrip().split("\n")
    return lines, json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', lines[-1]))


def vpl(made: Export) -> str:
    """The grade that VPL reads: of the last line with its mark; "" if there is none."""
    grades = [
        line.removeprefix("Grade :=>>").strip()
        for line in re.split(r"\r\n|\r|\n", made.said)
        if line.startswith("Grade :=>>")
    ]
    assert len(grades) <= 1
    return grades[-1] if grades else ""


def ungradable(folder: Path) -> RunData:
    """A run that ended before there was a verdict."""
    write_summary(folder / "none", [], status=2, seed="", error=f"no room: {SECRET}")
    return load(folder / "none")


@ALL
@pytest.mark.parametrize("name", SETS)
def test_each_platform_gets_the_golden_file(
    platform: str, name: str, tmp_path: Path
) -> None:
    made = text(exported(platform, name, tmp_path))
    assert made == golden(platform, name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("platform", JSON)
def test_what_is_written_fits_the_schema(
    platform: str, name: str, tmp_path: Path
) -> None:
    made = exported(platform, name, tmp_path).file
    if made:
        jsonschema.validate(json.loads(made), schema(platform))
    else:
        assert name == "lost" and platform in ("gradescope", "classroom50")


@pytest.mark.parametrize("name", ["graded", "full"])
def test_the_last_two_lines_are_what_autolab_reads(name: str, tmp_path: Path) -> None:
    lines, result = autolab(exported("autolab", name, tmp_path))
    jsonschema.validate([json.loads(lines[-2]), result], schema("autolab"))
    assert all(line.startswith("  ") for line in lines[:-2])
    assert result["scores"] == {"ringlab": 9}


@ALL
def test_what_is_the_staffs_alone_is_in_no_export(
    platform: str, tmp_path: Path
) -> None:
    for name in SETS:
        made = text(exported(platform, name, tmp_path))
        assert SECRET not in made and "secret" not in made and "later" not in made
    made = text(exported(platform, "graded", tmp_path))
    assert "named" in made


@ALL
def test_no_export_has_a_character_that_steers(platform: str, tmp_path: Path) -> None:
    made = text(exported(platform, "graded", tmp_path))
    assert all(char == "\n" or char.isprintable() for char in made)


@ALL
def test_a_run_that_could_not_be_graded_gives_no_score(
    platform: str, tmp_path: Path
) -> None:
    for run in (load(written("lost", tmp_path)), ungradable(tmp_path)):
        made, why = render(platform, run, TODAY, ENVIRONMENT)
        assert why and SECRET not in text(made)
        if platform == "autolab":
            assert autolab(made)[1] == {"scores": {"ringlab": None}}
        elif platform == "vpl":
            assert vpl(made) == "" and "tell the course's staff" in made.said
        elif platform == "prairielearn":
            assert json.loads(made.file)["gradable"] is False
            assert "score" not in made.file
        elif platform == "submitty":
            assert json.loads(made.file)["status"] == "failure"
        else:
            assert made == Export()


def test_a_bonus_exceeds_the_full_points_where_the_platform_lets_it(
    tmp_path: Path,
) -> None:
    def file(platform: str) -> Any:
        return json.loads(exported(platform, "full", tmp_path).file)

    assert file("gradescope")["score"] == 9
    assert (file("classroom50")["score"], file("classroom50")["max-score"]) == (5, 5)
    assert file("prairielearn")["score"] == 1
    assert file("submitty")["data"]["score"] == 1
    assert vpl(exported("vpl", "full", tmp_path)) == "100"
    assert exported("codegrade", "full", tmp_path).said == "1.0\n"


def test_no_line_of_a_student_is_a_grade_to_vpl(tmp_path: Path) -> None:
    made = exported("vpl", "graded", tmp_path)
    assert vpl(made) == "52.9412"
    assert made.said.rstrip("\n").split("\n")[-1] == "Grade :=>> 52.9412"
    assert "Comment :=>>>Grade :=>> 100\n" in made.said
    without = {k: v for k, v in ENVIRONMENT.items() if k != "VPL_GRADEMAX"}
    run = load(written("graded", tmp_path))
    assert vpl(render("vpl", run, TODAY, without)[0]) == "9"


def test_no_score_of_classroom50_exceeds_its_full_one(tmp_path: Path) -> None:
    for name in ("graded", "full"):
        data = json.loads(exported("classroom50", name, tmp_path).file)
        for entry in (data, *data["tests"]):
            assert entry["score"] <= entry["max-score"]
        assert data["datetime"] == "2026-11-01T14:32:05Z"
        assert data["owner"] == "alice" and data["review"] == data["commit"]


@pytest.mark.parametrize("missing", ["CLASSROOM", "USERNAME", "SUBMISSION_TAG"])
def test_classroom50_needs_to_know_whom_it_grades(missing: str, tmp_path: Path) -> None:
    given = {k: v for k, v in ENVIRONMENT.items() if k != missing}
    with pytest.raises(OperatorError, match="is not set"):
        render("classroom50", load(written("full", tmp_path)), TODAY, given)


def test_prairielearn_takes_no_more_than_a_megabyte(tmp_path: Path) -> None:
    run = load(written("graded", tmp_path))
    (first, *_) = run.stages
    wrong = dataclasses.replace(first.verdict.checks[1], seen="ü\n" * TEXT_LIMIT)
    many = dataclasses.replace(first.verdict, checks=(wrong,) * 90)
    large = dataclasses.replace(run, stages=(dataclasses.replace(first, verdict=many),))
    made, _ = render("prairielearn", large, TODAY, {})
    assert 100_000 < len(made.file.encode()) <= 1_000_000
    jsonschema.validate(json.loads(made.file), schema("prairielearn"))


@pytest.mark.parametrize("platform", JUNITS)
def test_junit_has_each_check_once_and_its_whole_text(
    platform: str, tmp_path: Path
) -> None:
    root = xml.fromstring(exported(platform, "graded", tmp_path).file.encode())
    cases = list(root.iter("testcase"))
    names = [case.get("name") for case in cases]
    assert len(names) == len(set(names)) == 9
    failures = list(root.iter("failure"))
    assert all(len(found.text or "") <= TEXT_LIMIT for found in failures)
    # Artemis shows the attribute in place of the text; CodeGrade knows no properties.
    shows_text = [found.get("message") is None for found in failures]
    assert all(shows_text) if platform == "artemis" else not any(shows_text)
    assert bool(root.findall(".//properties")) == (platform == "artemis")


def test_gitlab_gets_the_screens_of_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = recorded(tmp_path).rename(tmp_path / "grade")
    monkeypatch.chdir(tmp_path)
    show("gitlab", Path("grade"))
    root = xml.parse(out / "job/junit.xml").getroot()
    shown = {line.text for line in root.iter("system-out")}
    assert shown == {"[[ATTACHMENT|grade/job/screens/i386-05-threads-mixed.svg]]\n"}
    picture = xml.parse(out / "job/screens/i386-05-threads-mixed.svg").getroot()
    texts = [element.text for element in picture if element.tag.endswith("text")]
    assert texts == ["rows of K and U".ljust(80), "♥" * 80]
    for case in root.iter("testcase"):
        assert case.find("failure") is not None or case.find("system-out") is None


def test_the_command_writes_where_the_platform_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = written("graded", tmp_path)
    file = tmp_path / "results/results.json"
    words = ["export", "--to", "gradescope", "--file", str(file), str(out)]
    assert main(words) == 0
    assert json.loads(file.read_text(encoding="utf-8"))["score"] == 9
    written("lost", tmp_path)
    assert main([*words[:-1], str(tmp_path / "lost")]) == 2
    assert not file.exists(), "a platform would take it for this run's"
    assert "gdt-code on x86_64" in capsys.readouterr().err
    assert main(["export", "--to", "vpl", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Comment :=>>-Points\n")
    assert main(["export", "--to", "prairielearn", str(out)]) == 0
    assert (out / "prairielearn/results.json").is_file()
    assert main(["export", "--to", "elsewhere", str(out)]) == 2
    assert "choose --to from artemis" in capsys.readouterr().err
    late = [*words[:-1], "--date", "2026-12-01", str(out)]
    assert main(late) == 0 and '"later on i386' in file.read_text(encoding="utf-8")
