# SPDX-License-Identifier: MIT
"""The real command on real submissions: 00-boot on i386, killed in the middle."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cohort import command
from grader.cohort.store import Result, Store
from grader.errors import OperatorError
from grader.sandbox import Tier
from grader.settings import ROOT

STAGE, SEED = "00-boot", "00000000000000ff"
GUARD_S = 120.0
SOURCE = (ROOT / "solutions" / STAGE / "greet.c").read_bytes()
# What is no part of a verdict: where a run was.
CIRCUMSTANCES = ("command", "logs")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three submissions: right, not compiling, and with nothing in it."""
    gap = f"{STAGE}/greet.c"
    for name, data in {"ada": SOURCE, "bob": b"int x\n", "eve": b""}.items():
        file = tmp_path / "class" / name / gap
        file.parent.mkdir(parents=True)
        if data:
            file.write_bytes(data)
    return tmp_path


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "grader", "class", "--stage", STAGE]
    argv += ["--arch=i386", "--jobs=1", f"--submissions={place / 'class'}"]
    argv += [f"--out={place / 'out'}", f"--seed={SEED}", *words]
    return subprocess.Popen(
        argv,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "RINGLAB_CORE": "ready"},
        # A shell's background job has interrupts ignored, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    said = process.communicate(timeout=GUARD_S)[0]
    assert process.returncode == status, said
    return said


def results(place: Path) -> dict[str, Result]:
    store = Store.open(place / "out")
    try:
        return {result.submission: result for result in store.results(STAGE)}
    finally:
        store.close()


def mentions(place: Path) -> Iterator[int]:
    """Processes that know of this class."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(place).encode() in entry.read_bytes():
                yield int(entry.parent.name)
        except OSError:
            continue


def await_end(pids: Iterator[int]) -> None:
    for pid in pids:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        assert select.select([pidfd], [], [], GUARD_S)[0], pid
        os.close(pidfd)


def passed(process: subprocess.Popen[str], s: float = 0.05) -> None:
    try:
        process.wait(s)
    except subprocess.TimeoutExpired:
        pass


def test_a_class_killed_in_the_middle_is_finished_by_the_same_command(
    place: Path,
) -> None:
    first = start(place)
    while not (place / "out/class.sqlite").exists() or not results(place):
        passed(first)
        assert first.poll() is None
    first.kill()
    first.communicate()
    await_end(mentions(place))
    before = results(place)
    said = finish(start(place))
    after = results(place)
    assert {name: result.points for name, result in after.items()} == {
        "ada": 10,
        "bob": 0,
        "eve": 0,
    }
    assert all(after[name].token == before[name].token for name in before)
    assert "3 of 3" in said
    _same_as_alone(place, after["ada"])


def _same_as_alone(place: Path, ada: Result) -> None:
    argv = [sys.executable, "-m", "grader", "grade", f"--stage={STAGE}"]
    argv += ["--arch=i386", f"--src={place / 'class/ada'}", f"--seed={ada.seed}"]
    argv += [f"--out={place / 'alone'}", "--verdicts-only"]
    environment = {**os.environ, "RINGLAB_CORE": "ready"}
    subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, check=True)
    alone = json.loads((place / f"alone/i386/{STAGE}/verdict.json").read_text())
    run = place / "out" / ada.folder
    assert json.loads((run / f"i386/{STAGE}/verdict.json").read_text()) == ada.verdict
    assert (run / "report.html").is_file()
    assert ada.verdict
    for key in alone.keys() - {*CIRCUMSTANCES}:
        assert ada.verdict[key] == alone[key], key
    assert str(place) not in json.dumps(ada.verdict)


def test_ctrl_c_stops_the_workers_and_says_how_to_go_on(place: Path) -> None:
    process = start(place)
    while not (place / "out/workers/1.log").exists():
        passed(process)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert "stopped: " in finish(process, status=2)
    assert not [*mentions(place)]


def test_a_machine_without_a_good_sandbox_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(least: Tier) -> None:
        raise OperatorError(f"tier {least.value} is wanted", "take TIER=C")

    monkeypatch.setattr(command, "require_tier", refuse)
    options = {"stage": STAGE, "submissions": place / "class", "out": place / "out"}
    with pytest.raises(OperatorError, match="tier A is wanted"):
        command.class_run(ROOT, options)
    assert not (place / "out").exists()
