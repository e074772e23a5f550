# SPDX-License-Identifier: MIT
"""The sandbox: what a hostile command cannot do, and that nothing of it is left."""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import sandbox as module
from grader.errors import OperatorError
from grader.sandbox import Limits, Sandbox, Stop, Stopped, Tier, box, close_staffs
from grader.sandbox import detect, exceeded, force, require_tier, tiers, told
from grader.settings import ROOT

USR = Path("/usr")
TIERS = [Tier.A, Tier.B, Tier.C]


def _box(tier: Tier) -> Sandbox:
    if tier is Tier.A and detect().tier is not Tier.A:
        pytest.skip("bubblewrap does not work here")
    if tier is Tier.B and os.geteuid():
        pytest.skip("only root can give a command another user id")
    return detect() if tier is Tier.A else Sandbox(tier, own_uid=tier is Tier.B)


@pytest.fixture(name="folder")
def _folder() -> Iterator[Path]:
    """One that every user can reach, which tmp_path is not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        os.chmod(made, 0o755)
        yield Path(made)


def _processes_with(word: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if word.encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                pass
    return found


@pytest.mark.parametrize("tier", TIERS)
def test_status_and_both_outputs_come_back(tier: Tier) -> None:
    result = _box(tier).run(["sh", "-c", "echo out; echo err >&2; exit 7"], cwd=USR)
    assert (result.status, result.stdout, result.stderr) == (7, b"out\n", b"err\n")
    assert result.stop is None


@pytest.mark.parametrize("tier", TIERS)
def test_a_signal_shows_in_the_status(tier: Tier) -> None:
    assert _box(tier).run(["sh", "-c", "kill -ABRT $$"], cwd=USR).status == 128 + 6


def test_the_user_inside_is_not_root_and_the_host_cannot_be_seen() -> None:
    result = _box(Tier.A).run(["sh", "-c", "id -u; ls /"], cwd=USR)
    uid, *names = result.stdout.decode().split()
    assert uid == "1000"
    assert not {"root", "home", "work", "var", "proc"} & set(names)


def test_not_even_the_host_itself_can_be_reached_by_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        script = f"import socket; socket.create_connection({address}, 1)"
        argv = ["python3", "-c", script]
        assert Sandbox(Tier.C).run(argv, cwd=USR).status == 0
        assert _box(Tier.A).run(argv, cwd=USR).status == 1


@pytest.mark.parametrize("tier", TIERS)
def test_the_environment_holds_no_secrets(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    assert b"SECRET" not in _box(tier).run(["env"], cwd=USR).stdout


def test_files_given_read_only_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    script = "echo new > file; cat file"
    result = _box(Tier.A).run(["sh", "-c", script], cwd=tmp_path, ro=[tmp_path])
    assert (tmp_path / "file").read_text() == "old"
    assert result.stdout == b"old"


@pytest.mark.parametrize("tier", TIERS)
def test_a_folder_given_read_write_takes_files(tier: Tier, folder: Path) -> None:
    argv = ["sh", "-c", "echo new > file"]
    result = _box(tier).run(argv, cwd=folder, rw=[folder])
    assert result.status == 0
    assert (folder / "file").read_text() == "new\n"


@pytest.mark.parametrize("tier", TIERS)
def test_cpu_time_is_limited(tier: Tier) -> None:
    argv = ["sh", "-c", "while :; do :; done"]
    result = _box(tier).run(argv, cwd=USR, limits=Limits(cpu_s=1))
    assert result.status in (128 + 9, 128 + 24)
    assert result.stop is None


@pytest.mark.parametrize("tier", TIERS)
def test_endless_output_is_cut(tier: Tier) -> None:
    result = _box(tier).run(["yes"], cwd=USR, limits=Limits(output_bytes=5000))
    assert result.stop is Stop.OUTPUT
    assert len(result.stdout) == 5000


@pytest.mark.parametrize("tier", TIERS)
def test_a_file_cannot_grow_beyond_its_limit(tier: Tier, folder: Path) -> None:
    argv = ["sh", "-c", "yes > big"]
    limits = Limits(file_bytes=100_000)
    result = _box(tier).run(argv, cwd=folder, rw=[folder], limits=limits)
    assert result.status != 0
    assert (folder / "big").stat().st_size == 100_000


@pytest.mark.parametrize("tier", TIERS)
def test_memory_is_limited(tier: Tier) -> None:
    argv = ["python3", "-c", "b'x' * (1 << 30)"]
    result = _box(tier).run(argv, cwd=USR, limits=Limits(memory_bytes=1 << 28))
    assert b"MemoryError" in result.stderr


@pytest.mark.parametrize("tier", [Tier.A, Tier.B])
def test_no_more_processes_start_than_are_allowed(tier: Tier) -> None:
    if tier is Tier.A and not (os.geteuid() or _box(tier).own_uid):
        pytest.skip("RLIMIT_NPROC does not hold for root")
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; echo all"
    limits = Limits(processes=5)
    result = _box(tier).run(["sh", "-c", script], cwd=USR, limits=limits)
    assert b"all" not in result.stdout
    assert b"ork" in result.stderr


@pytest.mark.parametrize("tier", TIERS)
def test_a_tree_of_many_processes_is_ended(tier: Tier) -> None:
    script = "for i in 1 2 3 4 5 6; do sleep 60 & done; wait"
    limits = Limits(processes=7)
    result = _box(tier).run(["sh", "-c", script], cwd=USR, limits=limits)
    assert exceeded(result) is Stop.PROCESSES


@pytest.mark.parametrize("tier", TIERS)
def test_what_processes_use_together_is_limited(tier: Tier) -> None:
    script = "for i in 1 2 3 4; do (while :; do :; done) & done; wait"
    limits = Limits(cpu_s=1, wall_s=60.0)
    result = _box(tier).run(["sh", "-c", script], cwd=USR, limits=limits)
    assert exceeded(result) is Stop.CPU


def test_the_memory_of_all_processes_together_is_limited() -> None:
    grow = "a = bytearray(96 << 20); input()"
    script = f"for i in 1 2 3; do sleep 60 | python3 -c '{grow}' & done; wait"
    limits = Limits(resident_bytes=256 << 20)
    result = detect().run(["sh", "-c", script], cwd=USR, limits=limits)
    assert exceeded(result) is Stop.MEMORY


def test_a_command_that_only_waits_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "IDLE_S", 0.5)
    result = _box(Tier.C).run(["sh", "-c", "kill -STOP $$"], cwd=USR)
    assert exceeded(result) is Stop.IDLE


def test_one_that_escapes_its_session_ends_with_its_user() -> None:
    word = f"7{secrets.randbelow(10**8):08d}"
    script = f"setsid sleep {word} & sleep 0.1"
    _box(Tier.B).run(["sh", "-c", script], cwd=USR)
    assert not _processes_with(word)


@pytest.mark.parametrize("tier", [Tier.A, Tier.B])
def test_nothing_runs_on_when_a_command_is_over(tier: Tier) -> None:
    word = f"7{secrets.randbelow(10**8):08d}"
    script = f"setsid sleep {word} >/dev/null 2>&1 &"
    for _ in range(30):
        assert _box(tier).run(["sh", "-c", script], cwd=USR).status == 0
        assert not _processes_with(word)


@pytest.mark.parametrize("tier", [Tier.B, Tier.C])
def test_temporary_files_go_with_the_command(tier: Tier) -> None:
    script = "echo $TMPDIR; touch $TMPDIR/a; mkdir $TMPDIR/b; touch $TMPDIR/b/c"
    result = _box(tier).run(["sh", "-c", script], cwd=USR)
    place = Path(result.stdout.decode().strip())
    assert result.status == 0 and place.is_absolute() and not place.exists()


def test_what_a_user_leaves_where_all_may_write_is_removed() -> None:
    left = Path("/tmp") / f"left-{secrets.token_hex(8)}"
    script = f"mkdir {left} && touch {left}/file && ls -d {left}"
    result = _box(Tier.B).run(["sh", "-c", script], cwd=USR)
    assert result.stdout.strip() == os.fsencode(left)
    assert not left.exists()


def test_tier_b_reads_nothing_of_the_staffs(folder: Path) -> None:
    for name in ("solutions", "grader/checks", "grader/scenarios", "kernel"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text(name)
    close_staffs(folder)
    names = ["solutions/file", "grader/checks/file", "grader/scenarios/file"]
    result = _box(Tier.B).run(["cat", *names, "kernel/file"], cwd=folder, ro=[folder])
    assert result.stdout == b"grader/scenarioskernel"


def test_a_place_that_tier_b_cannot_reach_is_the_operators(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="chmod"):
        _box(Tier.B).run(["true"], cwd=tmp_path, ro=[tmp_path / "file"])


ENDS = {
    "kill -XFSZ $$": Stop.DISK,
    "echo Too many open files >&2; exit 1": Stop.FILES,
    "echo cc1: out of memory >&2; exit 1": Stop.MEMORY,
    "kill -KILL $$": Stop.MEMORY,
    "exit 1": None,
    "echo Killed >&2; exit 0": None,
}


@pytest.mark.parametrize("script", ENDS)
def test_the_limit_that_ended_a_command_is_known(script: str) -> None:
    result = _box(Tier.C).run(["sh", "-c", script], cwd=USR)
    assert exceeded(result) is ENDS[script]


def test_what_a_students_program_prints_of_limits_is_not_believed() -> None:
    argv = ["sh", "-c", "echo Too many open files >&2; exit 1"]
    assert exceeded(_box(Tier.C).run(argv, cwd=USR), trusted=False) is None


@pytest.mark.parametrize("stop", Stop)
def test_each_limit_tells_cause_and_mend(stop: Stop) -> None:
    reading = told(stop, Limits(), "compiling")
    running = told(stop, Limits(), "It", program=True)
    assert str(reading).startswith("compiling ") and all(reading)
    assert all(running) and reading != running


def test_a_tier_can_be_forced_and_a_lesser_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiers, "detect", lambda: Sandbox(Tier.C))
    monkeypatch.delenv(tiers.FORCED, raising=False)
    with pytest.raises(OperatorError, match="TIER=C"):
        require_tier(Tier.A)
    assert require_tier(Tier.C).tier is Tier.C
    monkeypatch.setenv(tiers.FORCED, "C")
    assert require_tier(Tier.A).tier is Tier.C


def test_a_forced_tier_is_taken_or_the_operator_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiers, "_works", lambda sandbox: sandbox.tier is Tier.C)
    monkeypatch.setenv(tiers.FORCED, "")
    try:
        force("C")
        assert detect().tier is Tier.C
        force("A")
        with pytest.raises(OperatorError, match="tier A does not work"):
            detect()
        with pytest.raises(OperatorError, match="A, B or C"):
            force("D")
    finally:
        detect.cache_clear()


@pytest.mark.parametrize("tier", TIERS)
def test_a_whole_tree_dies_with_its_time(tier: Tier) -> None:
    word = f"7{secrets.randbelow(10**8):08d}"
    script = f"sleep {word} & sleep {word} & sleep {word}"
    limits = Limits(wall_s=0.2)
    result = _box(tier).run(["sh", "-c", script], cwd=USR, limits=limits)
    assert result.stop is Stop.WALL
    assert not _processes_with(word)


@pytest.mark.parametrize("tier", TIERS)
def test_stop_all_ends_a_running_command_at_once(tier: Tier) -> None:
    word = f"7{secrets.randbelow(10**8):08d}"
    caught: list[BaseException] = []

    def work() -> None:
        try:
            _box(tier).run(["sleep", word], cwd=USR)
        except Stopped as stopped:
            caught.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    while not _processes_with(word):
        time.sleep(0.005)
    try:
        module.stop_all()
        thread.join(5)
        assert caught and not thread.is_alive()
        with pytest.raises(Stopped):
            _box(tier).run(["true"], cwd=USR)
    finally:
        module.resume()
    assert not _processes_with(word)


def test_a_command_of_tier_a_has_a_proc_of_its_own_if_it_asks_for_one() -> None:
    box, count = _box(Tier.A), ["sh", "-c", "ls -d /proc/[0-9]* | wc -l; exec ls /proc"]
    assert box.run(count, cwd=USR).status != 0
    asked = box.run(count, cwd=USR, proc=True)
    processes, *_ = asked.stdout.split()
    assert asked.status == 0 and int(processes) < 6


# As in a container: what it shows of /proc is not all, and no user may mount another.
HIDE = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs none /proc/driver && exec "$@"',
]
TELL = "from grader.sandbox import detect; print(detect())"


def test_a_machine_that_hides_parts_of_proc_still_has_tier_a() -> None:
    if subprocess.run([*HIDE, "-", "true"], capture_output=True).returncode:
        pytest.skip("only root can hide parts of /proc")
    want = dataclasses.replace(_box(Tier.A), proc=False)
    tell = [*HIDE, "-", sys.executable, "-c", TELL]
    done = subprocess.run(tell, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode().strip() == repr(want)


@pytest.mark.parametrize("tier", TIERS)
def test_no_descriptor_leaks(tier: Tier) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        _box(tier).run(["true"], cwd=USR)
        with pytest.raises(OSError):
            Sandbox(Tier.C).run(["true"], cwd=Path("/nonexistent"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_command_has_no_descriptors_but_its_own() -> None:
    script = "import fcntl\nfor f in range(64):\n try: fcntl.fcntl(f, 1); print(f)\n"
    script += " except OSError: pass"
    result = _box(Tier.A).run(["python3", "-c", script], cwd=USR)
    assert result.stdout.split() == [b"0", b"1", b"2"]
