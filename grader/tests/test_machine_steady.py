# SPDX-License-Identifier: MIT
"""Real QEMU: equal boots leave equal evidence, and no boot leaves anything else."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from grader import sandbox as confinement
from grader.machine import Boot, End, Limits, Run, Via, run, session
from grader.sandbox import Sandbox, Stopped, Tier, detect
from grader.tests.tiny import END, SAY, Start, assembler


def _ram(ended: Run) -> bytes:
    """All memory but the rest of the image's page, which QEMU never initialises."""
    data = ended.ram.read_bytes()
    return data[:0x100000] + data[0x101000:]


@pytest.fixture(name="other", params=[Sandbox(Tier.C), Sandbox(Tier.A, proc=False)])
def _other(request: pytest.FixtureRequest) -> Sandbox:
    """One in which a boot must be as in the usual one."""
    found = request.param
    assert isinstance(found, Sandbox)
    if found.tier is Tier.A and detect().tier is not Tier.A:
        pytest.skip("bubblewrap does not work here")
    return found


def test_each_sandbox_boots_by_grub(tmp_path: Path, other: Sandbox) -> None:
    boot = Boot("test", assembler(tmp_path)(SAY), via=Via.GRUB)
    ended = run(boot, tmp_path / "run", other)
    assert (ended.end, ended.tier) == (End.DONE, other.tier.value)


def test_each_sandbox_gives_the_same(tmp_path: Path, other: Sandbox) -> None:
    boot = Boot("test", assembler(tmp_path)(SAY))
    first = run(boot, tmp_path / "one", other)
    second = run(boot, tmp_path / "a much longer name for two", detect())
    assert first.tier == other.tier.value
    assert first.end is second.end is End.DONE
    assert first.trace.read_bytes() == second.trace.read_bytes()
    assert first.registers == second.registers
    assert _ram(first) == _ram(second)


def test_the_same_boot_leaves_the_same_log(start: Start) -> None:
    first = start(SAY, name="one").trace.read_bytes()
    assert first == start(SAY, name="two").trace.read_bytes()
    assert first


TICKING = """
    lgdt [gdtr]
    jmp 8:.here
.here:
    mov edi, 0x300000
    mov ecx, 256
.gate:
    mov dword [edi], 0x80000 + (irq - $$)
    mov dword [edi + 4], 0x00108e00
    add edi, 8
    loop .gate
    lidt [idtr]
    mov al, 0x36
    out 0x43, al
    mov al, 0x40
    out 0x40, al
    mov al, 2
    out 0x40, al
    mov al, 0
    out 0x21, al
    sti
    mov ebp, 600
.again:
    mov esi, line
    call say
    dec ebp
    jnz .again
    cli
    mov esi, text
    call say
    cli
    hlt
irq:
    push eax
    mov al, 0x20
    out 0x20, al
    pop eax
    iret
"""


def test_a_slow_reader_does_not_change_what_the_guest_does(tmp_path: Path) -> None:
    line = 'line: db "a line of forty characters, or nearly so", 10, 0\n'
    boot = Boot("test", assembler(tmp_path)(TICKING, line + END))
    logs: list[bytes] = []

    def work(number: int) -> None:
        ended = run(boot, tmp_path / str(number), detect())
        logs.append(ended.trace.read_bytes())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"Servicing hardware INT" in logs[0]
    assert logs == logs[:1] * 4


def test_executed_blocks_can_be_traced_in_a_range(start: Start) -> None:
    trace = ("int", "exec", "in_asm")
    ranges = ((0x100000, 0x100FFF),)
    ended = start(SAY, trace=trace, trace_ranges=ranges)
    log = ended.trace.read_text()
    assert ended.end is End.DONE
    assert "Trace 0:" in log and "IN:" in log


def test_a_full_disk_yields_no_evidence(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "ROOM_BYTES", 1 << 62)
    with pytest.raises(OSError, match="No space left on device"):
        start(SAY)


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _qemus(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"qemu-system" in (
                entry / "cmdline"
            ).read_bytes().replace(b"\0", b" "):
                if os.readlink(entry / "cwd").startswith(str(folder)):
                    found.append(entry.name)
        except OSError:
            pass
    return found


def test_nothing_is_left_behind(start: Start, tmp_path: Path) -> None:
    start(SAY)
    before = _descriptors()
    start("    jmp $\n", limits=Limits(cpu_s=0.2))
    start("    lidt [nothing]\n    ud2\n")
    assert _descriptors() == before
    assert not _qemus(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_socket()]
    assert all(p.stat().st_uid == os.geteuid() for p in tmp_path.rglob("*"))


def test_stop_all_ends_a_boot_at_once(tmp_path: Path) -> None:
    boot = Boot("test", assembler(tmp_path)("    jmp $\n"), limits=Limits(cpu_s=60))
    caught: list[BaseException] = []

    def work() -> None:
        try:
            run(boot, tmp_path / "run", Sandbox(Tier.C))
        except Stopped as stopped:
            caught.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    while not _qemus(tmp_path):
        time.sleep(0.005)
    try:
        confinement.stop_all()
        thread.join(5)
        assert caught and not thread.is_alive()
    finally:
        confinement.resume()
    assert not _qemus(tmp_path)


def test_two_boots_at_once_do_not_meet(tmp_path: Path) -> None:
    boot = Boot("test", assembler(tmp_path)(SAY))
    ends: list[End] = []

    def work(number: int) -> None:
        ends.append(run(boot, tmp_path / str(number), detect()).end)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [End.DONE] * 3
