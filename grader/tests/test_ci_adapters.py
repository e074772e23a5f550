# SPDX-License-Identifier: MIT
"""The jobs of GitHub and GitLab, run step by step in a clean clone of a branch."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as xml

import pytest

from grader.course import Course
from grader.handouts import solved
from grader.publish import content
from grader.settings import ROOT
from grader.tests import steps
from grader.tests.course_copy import begin, copy_tree, git

LIMIT_S = 600  # wall clock, for one job
GREET = "assignments/00-boot/greet.c"
HEAD = "#include <console.h>\n#include <course/00-boot.h>\n#include <task.h>\n"
FORGED = "::error file=Makefile,line=1::forged"
# Long enough that a report breaks it into lines, some of which begin with a command.
PRINTS = f"""
void boot_greet(const char *nonce)
{{
    (void)nonce;
    kprintf("\\n{FORGED}\\n::stop-commands::x\\n##[error]forged\\n");
    kprintf("Hello, ringlab! nonce={'::error::forged ' * 9}\\n");
}}
"""
DOES_NOT_COMPILE = f"""\
_Static_assert(0, "{FORGED} %0A{FORGED}");
#line 6 "00-boot/x,line=9::error file=Makefile::forged.c"
_Static_assert(0, "::stop-commands::x");
#line 7 "\\n{FORGED}\\n"
#warning ##[error]forged
"""


@dataclass(frozen=True)
class Command:
    """A workflow command as the runner takes it from a job's output."""

    name: str
    properties: dict[str, str]
    data: str


def commands(log: str) -> Iterator[Command]:
    """What the runner takes from a log: `::name a=b,c=d::data` where a line begins,
    `##[name a=b;c=d]data` anywhere in it; nothing while commands are stopped."""
    stopped = ""
    for line in log.splitlines():
        new = re.match(r"\s*::([^\s:]+)(?: (.*?))?::(.*)", line)
        old = re.search(r"##\[([^\s\]]+)(?: ([^\]]*))?\](.*)", line)
        found, sep = (new, ",") if new else (old, ";")
        if not found:
            continue
        name, named, data = found.groups()
        if stopped:
            stopped = "" if name == stopped else stopped
        elif name == "stop-commands":
            stopped = data
        else:
            pairs = (pair.partition("=") for pair in (named or "").split(sep) if pair)
            yield Command(name, {k: unquote(v) for k, _, v in pairs}, unquote(data))


@dataclass(frozen=True)
class Job:
    """A clone, and what its last job left behind."""

    root: Path
    status: int
    log: str
    summary: str

    def run(self, names: list[str]) -> Job:
        """Run the steps one after the other, until one fails, with CI's environment."""
        summary = self.root / steps.SUMMARY
        summary.unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", "-c", steps.script(names)],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.root.parent)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        text = summary.read_text("utf-8") if summary.exists() else ""
        return Job(self.root, done.returncode, done.stdout, text)

    def write(self, text: str) -> None:
        (self.root / GREET).write_text(text, "utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A clean clone of a branch with 00-boot on i386 alone, as it is published."""
    folder = tmp_path_factory.mktemp("ci")
    copy_tree(folder / "main")
    begin(folder / "main", "all")
    content.archive(folder / "main", "HEAD", folder / "whole")
    course, branch = Course.load(folder / "main"), folder / "branch"
    content.lay_out(folder / "whole", branch, course, course.stages[0], ("i386",))
    manifest = branch / "assignments/00-boot/assignment.toml"
    offered = manifest.read_text("utf-8").replace("x86_64 = []\n", "")
    manifest.write_text(offered, "utf-8")
    begin(branch, "00-boot")
    git(folder, "clone", "-q", str(branch), "clone")
    return Job(folder / "clone", 0, "", "")


def test_a_branch_brings_its_own_jobs(clone: Job) -> None:
    names = set(git(clone.root, "ls-files").splitlines())
    assert {".github/workflows/grade.yml", ".gitlab-ci.yml", "ci/Dockerfile"} < names
    assert ".devcontainer/devcontainer.json" in names
    assert not any(name.startswith(".ci/") for name in names)


def test_an_untouched_handout_is_not_red(clone: Job) -> None:
    git(clone.root, "checkout", "-q", "HEAD", GREET)
    job = clone.run(steps.github())
    assert job.status == 0, job.log
    assert job.summary.startswith("# ringlab: nothing has been begun yet\n")
    assert "Not begun: 00-boot." in job.summary
    assert not [*commands(job.log)]


def test_a_submission_forges_no_command(clone: Job) -> None:
    clone.write(HEAD + PRINTS)
    job = clone.run(steps.github())
    assert job.status == 1
    assert re.search(r"(?m)^\s*: :error::forged", job.log)
    found = [*commands(job.log)]
    assert {c.name for c in found} == {"error"}
    assert all(re.match(r"0\.1 on \w+: ", c.properties["title"]) for c in found)
    assert "# ringlab: 0 of 10 points" in job.summary


def test_a_compile_error_is_shown_at_its_line_and_forges_none(clone: Job) -> None:
    clone.write(HEAD + DOES_NOT_COMPILE)
    job = clone.run(steps.github())
    assert job.status == 1
    first, second, warning = commands(job.log)
    assert first.properties == {
        "file": GREET,
        "line": "4",
        "title": "00-boot: error",
    }
    assert first.data == f'static assertion failed: "{FORGED} %0A{FORGED}"'
    for named, level in ((second, "error"), (warning, "warning")):
        assert named.name == level
        assert named.properties == {"file": GREET, "title": f"00-boot: {level}"}
    assert "build error" in job.summary


def test_gitlab_gets_what_its_pipeline_collects(clone: Job) -> None:
    clone.write(HEAD + DOES_NOT_COMPILE)
    assert clone.run(steps.gitlab()).status == 1
    artifacts = steps.load(ROOT / steps.PIPELINE)["grade"]["artifacts"]
    paths = {*artifacts["paths"], *artifacts["reports"].values()}
    paths.remove("build/grade/job/screens")  # nothing was booted
    for path in paths:
        assert (clone.root / path).is_file(), path
    reports = artifacts["reports"]
    issues = json.loads((clone.root / reports["codequality"]).read_text("utf-8"))
    # The forged ones have no line of their own; GitLab's format wants one.
    assert [issue["location"] for issue in issues] == [
        {"path": GREET, "lines": {"begin": line}} for line in (4, 1, 1)
    ]
    assert xml.parse(clone.root / reports["junit"]).getroot().get("failures") == "3"


def test_the_solution_is_green(clone: Job) -> None:
    solution = ROOT / "solutions/00-boot/greet.c"
    clone.write(solved(solution.read_text("utf-8"), solution.name))
    job = clone.run(steps.github())
    assert job.status == 0, job.log
    assert job.summary.startswith("# ringlab: 10 of 10 points\n")
