# SPDX-License-Identifier: MIT
"""Real QEMU, tiny kernels: every way in which a boot can end."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from grader.machine import At, End, Limits, Module, Step, Until, session
from grader.machine.qmp import Qmp
from grader.settings import ROOT
from grader.tests.tiny import END, SAY, TRIPLE_FAULT, Start, assembler

RESET = "    mov al, 0xfe\n    out 0x64, al\n    jmp $\n"
FAULT_GATE = """
    lgdt [gdtr]
    jmp 8:.here
.here:
    mov dword [0x300000 + 6 * 8], 0x80000 + (handler - $$ & 0xffff)
    mov word [0x300000 + 6 * 8 + 4], 0x8e00
    mov word [0x300000 + 6 * 8 + 6], 0x10
    lidt [idtr]
"""


def test_the_awaited_line_ends_a_boot(start: Start) -> None:
    ended = start(SAY)
    assert (ended.end, ended.detail) == (End.DONE, "")
    assert ended.console == b"[ringlab] end of test\r\n"
    assert "HLT=1" in ended.registers
    assert ended.exit_status is None
    assert ended.stderr == ""
    assert 0 < ended.first_byte_s <= ended.wall_s
    assert 0 < ended.rss_kib <= 64 << 10


def test_a_triple_fault_is_told_from_a_reset(start: Start) -> None:
    ended = start(TRIPLE_FAULT)
    assert ended.end is End.TRIPLE_FAULT
    assert "CPU#0" in ended.registers
    assert b"v=06" in ended.trace.read_bytes()


def test_a_triple_fault_at_once_waits_for_a_slow_grader(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Qmp.begin

    def late(self: Qmp) -> None:
        time.sleep(0.5)  # many times what the guest needs
        begin(self)

    monkeypatch.setattr(Qmp, "begin", late)
    ended = start(TRIPLE_FAULT, limits=Limits(wall_s=10.0))
    assert ended.end is End.TRIPLE_FAULT


def test_a_triple_fault_while_registers_are_asked_for_is_still_one(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Qmp.command

    def late(qmp: Qmp, name: str, **arguments: Any) -> Any:
        """The guest is stopped only when it has reset: nothing lets it go on then."""
        while name == "stop" and not qmp.events and qmp.patience():
            qmp.pump(0.05)
        return ask(qmp, name, **arguments)

    monkeypatch.setattr(Qmp, "command", late)
    until = Until(registers=lambda registers: False)
    ended = start(TRIPLE_FAULT, until=until)
    assert (ended.end, ended.detail) == (End.TRIPLE_FAULT, "")


def test_a_reset_is_told_from_a_triple_fault(start: Start) -> None:
    ended = start(RESET)
    assert ended.end is End.RESET


@pytest.mark.parametrize("body, told", [(TRIPLE_FAULT, 1), (RESET, 0)])
def test_make_run_tells_a_triple_fault_from_a_reset(
    tmp_path: Path, body: str, told: int
) -> None:
    machine = "qemu-system-i386 -accel tcg -display none -nic none -no-reboot"
    command = ["make", "-s", "-o", "iso", "run", "A=03-faults", f"VIEW={tmp_path}/view"]
    done = subprocess.run(
        [*command, f"MACHINE={machine} -kernel {assembler(tmp_path)(body)}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("that was a triple fault") == told
    assert done.stdout.count("make explain") == told


def test_a_silent_halt_is_seen_at_once(start: Start) -> None:
    ended = start("")
    assert ended.end is End.HALTED
    assert "HLT" in ended.detail
    assert ended.cpu_s < 1


def test_a_halt_elsewhere_is_not_the_end(start: Start) -> None:
    body = SAY + "    cli\n    hlt\nelsewhere:\n"
    assert start(body, until=Until(halt=(0x200000, 0x200010))).end is End.HALTED
    assert start(body, until=Until(halt=(0x100000, 0x100100))).end is End.DONE


def test_a_line_without_a_halt_is_not_the_end(start: Start) -> None:
    ended = start(SAY + "    jmp $\n", limits=Limits(cpu_s=0.4))
    assert ended.end is End.CPU_LIMIT
    assert "after the awaited line" in ended.detail


def test_a_busy_loop_costs_its_cpu_limit_and_no_more(start: Start) -> None:
    ended = start("    jmp $\n", limits=Limits(cpu_s=0.5))
    assert ended.end is End.CPU_LIMIT
    assert 0.5 <= ended.cpu_s < 0.7
    assert "EIP=" in ended.registers


IDLE = "    lidt [idtr]\n    mov al, 0xff\n    out 0x21, al\n    sti\n    hlt\n"


def test_an_idle_guest_ends_by_the_wall_guard(start: Start) -> None:
    ended = start(IDLE, limits=Limits(wall_s=0.5), icount_shift=None)
    assert ended.end is End.WALL_LIMIT


def test_a_guest_that_nothing_wakes_holds_nobody_up(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "IDLE_S", 0.3)
    ended = start(IDLE, limits=Limits(cpu_s=30.0), icount_shift=None)
    assert ended.end is End.WALL_LIMIT and ended.wall_s < Limits().wall_s
    assert "without an interrupt" in ended.detail


def test_who_has_come_to_an_end_when_time_is_up_is_not_cut_off(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up(watched: Any) -> tuple[End, str] | None:
        halted = "HLT=1" in watched.qmp.monitor("info registers")
        return (End.CPU_LIMIT, "") if halted else None

    monkeypatch.setattr(session._Session, "_limit", used_up)
    monkeypatch.setattr(session, "QUIET_S", 600.0)  # nobody else looks before
    assert start("").end is End.HALTED


def test_endless_output_is_cut(start: Start) -> None:
    ended = start("again:\n" + SAY + "    jmp again\n", 'text: db "spam ", 0')
    assert ended.end is End.CONSOLE_LIMIT
    assert len(ended.console) == Limits().console_bytes


@pytest.mark.parametrize(
    "said, end", [(15 << 10, End.CPU_LIMIT), (16 << 10, End.CONSOLE_LIMIT)]
)
def test_a_flood_is_told_as_one_on_a_slow_host_too(
    start: Start, monkeypatch: pytest.MonkeyPatch, said: int, end: End
) -> None:
    """Its CPU time may be up before the console's limit is met."""

    def used_up(watched: Any) -> tuple[End, str] | None:
        return (End.CPU_LIMIT, "") if watched.console.count == said else None

    monkeypatch.setattr(session._Session, "_limit", used_up)
    text = f'text: times {said // 4} db "spam"\n    db 0\n'
    assert start(SAY + "    jmp $\n", text).end is end


def test_a_fault_loop_fills_the_log_and_ends(start: Start) -> None:
    body = FAULT_GATE + "    ud2\nhandler:\n    iret\n"
    ended = start(body, limits=Limits(log_bytes=1 << 20))
    assert ended.end is End.LOG_LIMIT
    assert ended.trace_truncated
    assert ended.trace.stat().st_size >= 1 << 20
    assert "EIP=" in ended.registers


def test_a_truncated_log_spoils_even_a_good_end(start: Start) -> None:
    ended = start("    lidt [nothing]\n" + SAY, limits=Limits(log_bytes=500))
    assert ended.end is End.LOG_LIMIT
    assert ended.trace_truncated


def test_an_abort_of_qemu_keeps_its_words_and_the_memory(start: Start) -> None:
    body = """
    mov dword [0x234560], 0x12345678
    push 0x23
    push 0x80000
    push 2
    push 0x1b
    push user
    iret
user:
    ud2
handler:
    """
    ended = start(FAULT_GATE + body)
    assert ended.end is End.QEMU_ABORT
    assert ended.exit_status == 134
    assert "tss" in ended.stderr
    assert ended.registers == ""
    assert ended.ram.read_bytes()[0x234560:0x234564] == bytes.fromhex("78563412")


def test_an_open_task_is_named(start: Start) -> None:
    text = 'text: db "[ringlab] task 4.2 is open", 13, 10, 0'
    ended = start(SAY, text)
    assert (ended.end, ended.detail) == (End.TASK_OPEN, "4.2")


def test_a_panic_is_read_to_its_end(start: Start) -> None:
    text = 'text: db "[ringlab] panic: oh", 10, "[ringlab] panic end", 10, 0'
    ended = start(SAY, text)
    assert ended.end is End.PANIC
    assert ended.console.endswith(b"[ringlab] panic end\n")
    half = start(SAY, 'text: db "[ringlab] panic: oh", 10, 0', name="half")
    assert (half.end, half.detail) == (End.PANIC, "the panic report is not complete")


def test_a_script_types_and_reads(start: Start) -> None:
    body = """
    mov esi, prompt
    call say
    call listen
    mov [answer], al
    call listen
    mov [answer + 1], al
    mov esi, answer
    call say
    """
    data = 'prompt: db "name? ", 0\nanswer: db "..", 13, 10\n' + END
    steps = (Step(r"name\? ", "ok"), Step(r"ok\r\n"))
    ended = start(body, data, script=steps, icount_shift=None)
    assert ended.end is End.DONE
    assert ended.steps == 2


def test_registers_can_end_a_boot(start: Start) -> None:
    body = (
        "    mov ecx, 50000000\nagain:\n    loop again\n    mov ebx, 0x77\n    jmp $\n"
    )
    spin = At(cpl=0, low=0x100000, high=0x100100)
    never = At(cpl=3, low=0, high=0xFFFFFFFF)
    ended = start(body, until=Until(line=None, registers=spin))
    assert ended.end is End.DONE
    limits = Limits(cpu_s=0.3)
    ended = start(body, until=Until(line=None, registers=never), limits=limits)
    assert ended.end is End.CPU_LIMIT


def test_screen_is_taken_on_request(start: Start) -> None:
    body = "    mov word [0xb8000], 0x0741\n" + SAY
    assert start(body).screen is None
    ended = start(body, screen=True)
    assert ended.screen is not None
    assert ended.screen.read_bytes()[:2] == b"A\x07"
    assert ended.screen.stat().st_size == 4000


@pytest.mark.parametrize("bad", ["a'b", 'a"b', "a\\b", "\u00e9", "a\nb"])
def test_words_that_the_loaders_take_differently_are_refused(
    start: Start, bad: str
) -> None:
    with pytest.raises(ValueError):
        start(SAY, cmdline=bad)
    with pytest.raises(ValueError):
        start(SAY, modules=(Module("plan", b"", bad),))
