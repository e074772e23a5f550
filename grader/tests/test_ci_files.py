# SPDX-License-Identifier: MIT
"""The files that CI and the container read, and what annotations become."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.reports.annotations import (
    MOST,
    Annotation,
    annotate,
    for_github,
    for_gitlab,
)
from grader.reports.data import load
from grader.reports.job import begun, show, status, summary
from grader.settings import ROOT
from grader.tests import steps
from grader.tests.reports import hostile, recorded
from grader.tests.test_ci_adapters import commands
from grader.verdict.model import Status

# What is used of GitHub's and GitLab's syntax; a slip of a key is none of it.
TEXT = {"type": "string", "minLength": 1}


def table(needed: str, optional: str = "", **values: Any) -> dict[str, Any]:
    """A schema of a mapping with no other keys than these; values: what they hold."""
    keys: dict[str, Any] = dict.fromkeys([*needed.split(), *optional.split()], {})
    return {
        "type": "object",
        "required": needed.split(),
        "properties": {**keys, **values},
        "additionalProperties": False,
    }


STEP = table(
    "", "name uses with run env if", run=TEXT, env={"additionalProperties": TEXT}
)
STEP["oneOf"] = [{"required": ["uses"]}, {"required": ["run"]}]
JOB = table(
    "runs-on container timeout-minutes steps",
    container=TEXT,
    steps={"type": "array", "items": STEP},
)
FILES = {
    steps.WORKFLOW: table(
        "name on permissions concurrency jobs",
        on=table("push workflow_dispatch"),
        permissions={"const": {"contents": "read"}},
        concurrency=table("group cancel-in-progress"),
        jobs=table("grade", grade=JOB),
    ),
    steps.PIPELINE: table(
        "variables grade",
        variables={"additionalProperties": TEXT},
        grade=table(
            "image timeout interruptible script artifacts",
            script={"type": "array", "items": TEXT},
            artifacts=table(
                "when expire_in expose_as paths reports",
                when={"enum": ["always", "on_failure", "on_success"]},
                reports=table("junit codequality"),
            ),
        ),
    ),
}
PARSER = ROOT / "build/workflow-parser/node_modules/@actions/workflow-parser"
READER = Path(__file__).with_name("workflow.mjs")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_job_is_written_in_its_platforms_words(path: Path) -> None:
    jsonschema.validate(steps.load(ROOT / path), FILES[path])


@pytest.mark.skipif(
    not (PARSER.is_dir() and shutil.which("node")),
    reason="npm install --prefix build/workflow-parser @actions/workflow-parser",
)
def test_githubs_own_parser_takes_the_workflow(tmp_path: Path) -> None:
    def faults(file: Path) -> str:
        command = ["node", str(READER), str(PARSER), str(file)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=60
        )
        return done.stdout

    assert faults(ROOT / steps.WORKFLOW) == ""
    wrong = tmp_path / "wrong.yml"
    text = (ROOT / steps.WORKFLOW).read_text("utf-8")
    wrong.write_text(text.replace("vars.A", "nothing.A"), "utf-8")
    assert "nothing" in faults(wrong)


def test_each_step_is_a_script_that_is_there_or_short_shell() -> None:
    for step in (*steps.github(), *steps.gitlab()):
        assert os.access(ROOT / step.split()[0], os.X_OK), step
    for names in (steps.github(), steps.gitlab(), steps.docker()):
        subprocess.run(
            ["shellcheck", "--shell=bash", "--exclude=SC2086,SC2164", "-"],
            input=steps.script(names),
            text=True,
            check=True,
        )


def test_one_debian_serves_container_and_jobs() -> None:
    assert len({*steps.image().values()}) == 1
    installed = [step for step in (*steps.github(), *steps.gitlab()) if "setup" in step]
    assert installed == ["ci/setup grade"] * 2
    assert ("ARG", 'SETS="grade"') in steps.instructions()


def test_the_containers_list_of_tools_is_the_courses(tmp_path: Path) -> None:
    """The Dockerfile's files lie where ci/setup finds its list."""
    (place,) = (words.split() for name, words in steps.instructions() if name == "COPY")
    *sources, target = place
    inside = tmp_path / target.strip("/")
    inside.mkdir(parents=True)
    for source in sources:
        shutil.copy2(ROOT / "ci" / source, inside)
    (run, *_) = [words for name, words in steps.instructions() if name == "RUN"]
    program = run.split()[0]
    assert program == f"{target}setup"
    subprocess.run([tmp_path / program.strip("/"), "--check", "grade"], check=True)


def test_the_dev_container_is_made_from_the_dockerfile() -> None:
    file = ROOT / ".devcontainer/devcontainer.json"
    data = json.loads(file.read_text("utf-8"))
    build = data["build"]
    assert (file.parent / build["dockerfile"]).resolve() == ROOT / steps.DOCKERFILE
    assert (file.parent / build["context"]).resolve() == ROOT / "ci"
    names = {words.split()[-1] for name, words in steps.instructions() if name == "RUN"}
    assert data["remoteUser"] in names


def test_a_command_ends_where_it_should() -> None:
    text = "100%\r\n::error::forged"
    one = Annotation("error", "a,line=9::b:c%.c", 3, text, text)
    (line,) = for_github([one]).splitlines()
    assert [*commands(line)][0].data == text
    named = line.removeprefix("::error ").split("::")[0]
    assert named == (
        "file=a%2Cline=9%3A%3Ab%3Ac%25.c,line=3,"
        "title=100%25%0D%0A%3A%3Aerror%3A%3Aforged"
    )


def test_github_gets_the_first_of_each_level_and_no_more_than_it_takes() -> None:
    found = [
        Annotation(level, "", 0, str(number), "")
        for number in range(2 * MOST)
        for level in ("error", "warning")
    ]
    shown = [*commands(for_github(found))]
    for level in ("error", "warning"):
        titles = [c.properties["title"] for c in shown if c.name == level]
        assert titles == [str(number) for number in range(MOST)]


def test_gitlab_tells_issues_apart() -> None:
    found = [Annotation("error", "a.c", line, "t", "x") for line in (0, 1, 2)]
    issues = json.loads(for_gitlab([*found, Annotation("error", "", 0, "t", "x")]))
    assert len({issue["fingerprint"] for issue in issues}) == 3
    assert [issue["location"]["lines"]["begin"] for issue in issues] == [1, 1, 2]


def test_hostile_words_become_one_command_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert show("github", hostile(tmp_path)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::warning", "::error"]
    assert page.read_text("utf-8") == summary(load(tmp_path / "out"))


def test_a_summary_is_never_larger_than_github_takes(tmp_path: Path) -> None:
    run = load(hostile(tmp_path, "\U00010348" * 4000))
    text = summary(dataclasses.replace(run, stages=run.stages * 30))
    assert 600_000 < len(text.encode()) < 1 << 20


def test_a_failed_check_is_shown_where_the_machine_stood(tmp_path: Path) -> None:
    out = recorded(tmp_path)
    file = out / "i386/05-threads/verdict.json"
    data = json.loads(file.read_text("utf-8"))
    failed = next(check for check in data["checks"] if check["status"] == "fail")
    failed["source"] = "thread_yield+0x5 (05-threads/threads.c:177)"
    data["command"] = "make grade A=05-threads SRC='own work'"
    file.write_text(json.dumps(data), "utf-8")
    (issue,) = json.loads(for_gitlab(annotate(load(out))))
    assert issue["location"] == {
        "path": "own work/05-threads/threads.c",
        "lines": {"begin": 177},
    }


def test_only_what_has_been_begun_decides(tmp_path: Path) -> None:
    run = load(recorded(tmp_path))
    (stage,) = run.stages

    def having(*found: Status) -> int:
        stages = [
            dataclasses.replace(
                stage, verdict=dataclasses.replace(stage.verdict, status=one)
            )
            for one in found
        ]
        return status(dataclasses.replace(run, stages=tuple(stages)))

    assert having(Status.NOT_IMPLEMENTED) == 0
    assert having(Status.PASS, Status.NOT_IMPLEMENTED) == 0
    assert having(Status.FAIL, Status.NOT_IMPLEMENTED) == 1
    assert having(Status.PASS, Status.BUILD_ERROR) == 1
    assert having(Status.PASS, Status.HARNESS_ERROR) == 2
    assert status(dataclasses.replace(run, error="no room left")) == 2
    assert begun(run).points == stage.verdict.points
