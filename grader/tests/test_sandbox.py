# SPDX-License-Identifier: MIT
"""The sandbox: what a hostile command cannot do, and that nothing of it is left."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from pathlib import Path

import pytest

from grader import sandbox as module
from grader.sandbox import Limits, Sandbox, Stop, Stopped, Tier, detect

USR = Path("/usr")
TIERS = [Tier.A, Tier.C]


def _box(tier: Tier) -> Sandbox:
    if tier is Tier.A and detect().tier is not Tier.A:
        pytest.skip("bubblewrap does not work here")
    return detect() if tier is Tier.A else Sandbox(Tier.C)


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
def test_a_folder_given_read_write_takes_files(tier: Tier, tmp_path: Path) -> None:
    argv = ["sh", "-c", "echo new > file"]
    result = _box(tier).run(argv, cwd=tmp_path, rw=[tmp_path])
    assert result.status == 0
    assert (tmp_path / "file").read_text() == "new\n"


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
def test_a_file_cannot_grow_beyond_its_limit(tier: Tier, tmp_path: Path) -> None:
    argv = ["sh", "-c", "yes > big"]
    limits = Limits(file_bytes=100_000)
    result = _box(tier).run(argv, cwd=tmp_path, rw=[tmp_path], limits=limits)
    assert result.status != 0
    assert (tmp_path / "big").stat().st_size == 100_000


@pytest.mark.parametrize("tier", TIERS)
def test_memory_is_limited(tier: Tier) -> None:
    argv = ["python3", "-c", "b'x' * (1 << 30)"]
    result = _box(tier).run(argv, cwd=USR, limits=Limits(memory_bytes=1 << 28))
    assert b"MemoryError" in result.stderr


def test_a_fork_bomb_ends() -> None:
    if not (os.geteuid() or _box(Tier.A).own_uid):
        pytest.skip("RLIMIT_NPROC does not hold for root")
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; echo all"
    limits = Limits(processes=5)
    result = _box(Tier.A).run(["sh", "-c", script], cwd=USR, limits=limits)
    assert b"all" not in result.stdout
    assert b"ork" in result.stderr


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


def test_no_descriptor_leaks() -> None:
    box = _box(Tier.C)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        box.run(["true"], cwd=USR)
        with pytest.raises(OSError):
            Sandbox(Tier.C).run(["true"], cwd=Path("/nonexistent"))
    assert len(os.listdir("/proc/self/fd")) == before
