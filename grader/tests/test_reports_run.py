# SPDX-License-Identifier: MIT
"""A real run leaves its reports, and they can be made again from what it left."""

from __future__ import annotations

import json
from pathlib import Path

from grader.reports.write import write_reports
from grader.tests.conftest import Grader

STAGE = ("--stage=04-ring3", "--arch=x86_64", "--seed=1")
REPORTS = ("report.html", "report.md", "junit.xml")


def test_every_boot_is_kept_and_the_reports_can_be_made_again(
    run_grader: Grader, tmp_path: Path
) -> None:
    done = run_grader("grade", *STAGE)
    out = tmp_path / "out"
    assert done.returncode == 0, done.stderr
    assert f"report: {out / 'report.html'}" in done.stdout
    runs = out / "x86_64/04-ring3/runs"
    boots = [folder for folder in runs.iterdir() if (folder / "trace.log").exists()]
    for boot in boots:
        portrait = json.loads((boot / "portrait.json").read_text("utf-8"))
        assert "error" not in portrait and portrait["tables"], boot
    first = [(out / name).read_bytes() for name in REPORTS]
    write_reports(out)
    assert [(out / name).read_bytes() for name in REPORTS] == first


def test_a_run_for_its_verdicts_alone_leaves_no_reports(
    run_grader: Grader, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in REPORTS:
        (out / name).write_text("of an earlier run")
    done = run_grader("grade", "--stage=00-boot", "--arch=i386", "--verdicts-only")
    assert done.returncode == 0, done.stderr
    assert "report:" not in done.stdout
    assert not [name for name in REPORTS if (out / name).exists()]
    assert not list(out.rglob("portrait.json"))


def test_the_report_of_a_folder_without_a_run_says_so(run_grader: Grader) -> None:
    done = run_grader("report", "/nonexistent")
    assert done.returncode == 2
    assert "holds no finished run" in done.stderr
