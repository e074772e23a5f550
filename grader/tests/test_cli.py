# SPDX-License-Identifier: MIT
"""The command line from end to end, with real kernels in real machines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.course import Course
from grader.handouts import derive
from grader.settings import ROOT
from grader.tests.conftest import Grader
from grader.tests.test_verdict import SCHEMA

STAGE = "00-boot"
SOLUTION = ROOT / "solutions" / STAGE


def loaded(out: Path, stage: str = STAGE) -> Any:
    data = json.loads((out / "i386" / stage / "verdict.json").read_text())
    jsonschema.validate(data, SCHEMA)
    return data


def grade(run: Grader, *words: str, arch: str = "i386") -> Any:
    return run("grade", f"--stage={STAGE}", f"--arch={arch}", *words)


def test_who_leaves_the_bonus_open_gets_full_points(
    run_grader: Grader, tmp_path: Path
) -> None:
    stage = "06-syscalls"
    src = tmp_path / "src"
    shutil.copytree(ROOT / "solutions" / stage, src / stage)
    for path, text in derive(Course.load(ROOT)).items():
        if f"{stage}/i386/fast" in str(path):
            (src / stage / "i386" / Path(path).name).write_text(text)
    words = [f"--stage={stage}", "--arch=i386", f"--src={src}", "--bonus"]
    done = run_grader("grade", *words, f"--prior={ROOT / 'solutions'}")
    assert done.returncode == 1, done.stdout + done.stderr
    verdict = loaded(tmp_path / "out", stage)
    assert (verdict["status"], verdict["points"]) == ("pass", verdict["max_points"])
    extra = [check["status"] for check in verdict["checks"] if check["bonus"]]
    assert extra and set(extra) == {"not implemented"}


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """A folder SRC with a copy of the solution of 00-boot."""
    shutil.copytree(SOLUTION, tmp_path / "src" / STAGE)
    return tmp_path / "src"


def test_the_reference_gets_full_points(run_grader: Grader, tmp_path: Path) -> None:
    done = grade(run_grader, "--seed=0xBEEF")
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = loaded(tmp_path / "out")
    assert verdict["status"] == "pass"
    assert verdict["points"] == verdict["max_points"]
    assert verdict["seed"] == "000000000000beef"
    assert "SEED=000000000000beef" in done.stdout
    for folder in verdict["logs"].values():
        assert list((tmp_path / "out/i386" / STAGE / folder).glob("*trace*"))
    assert not list((tmp_path / "out").rglob("ram"))
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["exit_status"], summary["points"]) == (0, verdict["points"])


def test_pytest_with_workers_says_the_same(run_grader: Grader, tmp_path: Path) -> None:
    grade(run_grader, "--seed=7")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "grader/checks", "-q", "-n", "2"]
        + ["--stage", STAGE, "--arch", "i386", "--seed", "7", "-p", "no:cacheprovider"]
        + ["--out", str(tmp_path / "spread")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert loaded(tmp_path / "spread") == loaded(tmp_path / "out")


def test_a_compile_error_is_a_verdict(
    run_grader: Grader, submission: Path, tmp_path: Path
) -> None:
    gap = next((submission / STAGE).glob("*.c"))
    lines = gap.read_text().splitlines()
    gap.write_text("\n".join([*lines, "int broken(void) { return }", ""]))
    done = grade(run_grader, f"--src={submission}")
    assert done.returncode == 1, done.stdout + done.stderr
    verdict = loaded(tmp_path / "out")
    assert verdict["status"] == "build error" and verdict["points"] == 0
    assert {check["status"] for check in verdict["checks"]} == {"build error"}
    assert f"{STAGE}/{gap.name}:{len(lines) + 1}:" in done.stdout


@pytest.mark.parametrize("spoil", ["missing", "NUL", "folder", "link", "large"])
def test_a_spoilt_gap_file_is_a_verdict(
    run_grader: Grader, submission: Path, tmp_path: Path, spoil: str
) -> None:
    gap = next((submission / STAGE).glob("*.c"))
    text = gap.read_bytes()
    gap.unlink()
    if spoil == "NUL":
        gap.write_bytes(text + b"\0")
    elif spoil == "folder":
        gap.mkdir()
    elif spoil == "link":
        gap.symlink_to(SOLUTION / gap.name)
    elif spoil == "large":
        with gap.open("wb") as file:
            file.truncate(100 << 20)
    done = grade(run_grader, f"--src={submission}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert loaded(tmp_path / "out")["status"] == "build error"
    assert gap.name in done.stdout


def test_the_handout_scores_nothing_and_names_its_task(
    run_grader: Grader, tmp_path: Path
) -> None:
    for path, text in derive(Course.load(ROOT)).items():
        handout = tmp_path / "student" / path
        handout.parent.mkdir(parents=True, exist_ok=True)
        handout.write_text(text, encoding="utf-8")
    done = grade(run_grader, f"--src={tmp_path / 'student'}")
    assert done.returncode == 1, done.stdout + done.stderr
    verdict = loaded(tmp_path / "out")
    assert (verdict["status"], verdict["points"]) == ("not implemented", 0)
    assert all("Task 0.1" in check["seen"] for check in verdict["checks"])


OPERATOR: dict[str, tuple[list[str], str]] = {
    "stage": (["--stage=99-x"], "choose A from 00-boot"),
    "arch": (["--arch=arm"], "choose ARCH from"),
    "src": (["--src=/nowhere"], "SRC=/nowhere does not exist"),
    "src without the stage": (["--src=grader"], "has no folder 00-boot"),
    "seed": (["--seed=xyz"], "SEED='xyz'"),
    "prior": (["--stage=01-gdt", "--prior=grader"], "needs the earlier stage 00-boot"),
    "tool": ([], "is missing; install it: apt-get install"),
}


@pytest.mark.parametrize("fault", OPERATOR)
def test_the_operator_s_faults_are_one_line(
    run_grader: Grader, tmp_path: Path, fault: str
) -> None:
    words, says = OPERATOR[fault]
    out = tmp_path / "out/i386" / STAGE
    out.mkdir(parents=True)
    environment = {"PATH": str(tmp_path)} if fault == "tool" else {}
    done = run_grader("grade", "--stage=00-boot", *words, **environment)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("grader: ")]
    assert len(lines) == 1 and "Traceback" not in done.stderr
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["exit_status"] == 2 and says in summary["error"]


def test_a_reader_who_goes_away_does_not_change_the_outcome(tmp_path: Path) -> None:
    words = ["-m", "grader", f"--stage={STAGE}", "--arch=i386", f"--out={tmp_path}"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    assert loaded(tmp_path)["status"] == "pass"


def children(pid: int) -> list[int]:
    """The processes below `pid`, at any depth."""
    found: list[int] = []
    for task in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((task / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(task.name), *children(int(task.name))]
    return found


def running(pid: int) -> bool:
    """Whether the process is there and no zombie that init has yet to reap."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_neither_process_nor_verdict(
    tmp_path: Path, submission: Path, wanted: signal.Signals
) -> None:
    gap = next((submission / STAGE).glob("*.c"))
    text = gap.read_text()
    gap.write_text(text.replace("{\n", "{\n    for (;;) {\n    }\n", 1))
    words = ["-m", "grader", f"--stage={STAGE}", "--arch=i386", f"--src={submission}"]
    process = subprocess.Popen(
        [sys.executable, *words, f"--out={tmp_path / 'out'}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Below `make test &` of a plain shell it would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    below: list[int] = []
    end = time.monotonic() + 30
    while not any("qemu" in name(pid) for pid in below):
        assert time.monotonic() < end and process.poll() is None
        below = children(process.pid)
    os.kill(process.pid, wanted)
    _, said = process.communicate(timeout=30)
    end = time.monotonic() + 10
    while any(running(pid) for pid in below):
        assert time.monotonic() < end
    assert not list((tmp_path / "out").rglob("verdict.json"))
    if wanted is signal.SIGINT:
        assert process.returncode == 2 and said.strip().endswith("grader: stopped")


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""
