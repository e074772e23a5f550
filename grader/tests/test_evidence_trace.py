# SPDX-License-Identifier: MIT
"""Recorded QEMU logs must be read exactly, forged and damaged ones never believed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence import registers, trace
from grader.evidence.trace import Block, Code, Interrupt, Reset

DATA = Path(__file__).parent / "data" / "evidence"
GP = (DATA / "gp.log").read_bytes()
GP64 = (DATA / "x64-gp.log").read_bytes()
EXEC = (DATA / "exec.log").read_bytes()
EXEC64 = (DATA / "x64-exec.log").read_bytes()
GP_PC, GP64_PC = 0x1000BE, 0x100110


def only(log: bytes) -> Interrupt:
    (event,) = trace.interrupts(trace.parse(log))
    return event


def test_a_record_is_read_field_by_field() -> None:
    events = trace.parse(GP)
    assert [type(e) for e in events] == [Reset, Reset, Interrupt]
    assert trace.guest_resets(events) == 0
    event = only(GP)
    assert (event.v, event.e, event.i, event.cpl) == (0xD, 0, 0, 3)
    assert (event.cs, event.ip, event.pc) == (0x1B, GP_PC, GP_PC)
    assert (event.ss, event.sp) == (0x23, 0x107800)
    assert event.checked and not event.hardware
    assert (event.old, event.new) == (trace.NO_EXCEPTION, 0xD)
    regs = event.regs
    assert regs.complete and regs["EAX"] == 0x23 and regs["EIP"] == GP_PC
    assert regs.cpl == 3 and regs.iopl == 0 and not regs.vm and regs.interrupts_on
    code = regs.segments["CS"]
    assert (code.selector, code.dpl, code.rpl, code.flat) == (0x1B, 3, 3, True)
    assert regs.segments["TR"].selector == 0x28 and regs.segments["TR"].limit == 0x67
    assert regs.gdt == registers.Table(0x101000, 0x2F)
    assert regs.idt == registers.Table(0x104000, 0x7FF)


def test_a_64_bit_record_is_read() -> None:
    event = only(GP64)
    assert event.pc == GP64_PC and event.regs.complete
    assert event.regs.segments["CS"].long and event.regs.long_mode
    assert event.regs.general("ax") == 0x1B and event.regs.general("r8") == 0


def test_compatibility_mode_prints_narrow_registers_on_a_wide_machine() -> None:
    event = only((DATA / "x64-compat.log").read_bytes())
    regs = event.regs
    assert "EIP" in regs and "RIP" not in regs and regs.long_mode
    assert not regs.segments["CS"].long


@pytest.mark.parametrize("log, pc", [(GP, GP_PC), (GP64, GP64_PC)])
def test_the_real_fault_is_genuine(log: bytes, pc: int) -> None:
    assert trace.is_genuine_fault(only(log), pc=pc)
    assert len(trace.faults_at(trace.parse(log), pc)) == 1
    assert not trace.is_genuine_fault(only(log), pc=pc + 1)


FORGERIES = [
    (b"check_exception old: 0xffffffff new 0xd\n", b""),
    (b"check_exception old: 0xffffffff new 0xd", b"Servicing hardware INT=0x0d"),
    (b"old: 0xffffffff", b"old: 0xd"),
    (b"new 0xd", b"new 0xe"),
    (b"new 0xd\n", b"new 0xd\nanother line\n"),
    (b" i=0 ", b" i=1 "),
    (b"cpl=3", b"cpl=0"),
    (b"e=0000", b"e=0402"),
    (b"IP=001b:", b"IP=0018:"),
    (b"IP=001b:001000be", b"IP=001b:001000bf"),
    (b"EIP=001000be", b"EIP=001000bf"),
    (b"EFL=00000246", b"EFL=00003246"),
    (b"EFL=00000246", b"EFL=00001246"),
    (b"EFL=00000246", b"EFL=00020246"),
    (b"CS =001b 00000000 ffffffff 00cffa00 DPL=3", b"CS =001b 00000000 ffffffff "),
    (b"CS =001b 00000000 ffffffff 00cffa00 DPL=3 CS32", b"CS =001b 00100000 ffffffff"),
    (b"CS =001b 00000000 ffffffff", b"CS =001b 00000000 0000ffff"),
    (b"00cffa00 DPL=3 CS32", b"00cf9a00 DPL=0 CS32"),
    (b"] CPL=3", b"] CPL=0"),
]


@pytest.mark.parametrize("old, new", FORGERIES)
def test_a_forged_record_is_neither_genuine_nor_swept(
    old: bytes, new: bytes, tmp_path: Path
) -> None:
    record = GP[GP.index(b"check_exception") :]
    assert old in record
    log = record.replace(old, new, 1)
    assert not any(trace.is_genuine_fault(e) for e in trace.parse(log))
    (tmp_path / "log").write_bytes(log)
    assert trace.sweep(tmp_path / "log", GP_PC).faults == 0


@pytest.mark.parametrize("log, pc", [(GP, GP_PC), (GP64, GP64_PC)])
def test_sweep_agrees_with_the_events(log: bytes, pc: int, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(log)
    assert trace.sweep(tmp_path / "log", pc) == trace.Sweep(frozenset({0}), 1)
    assert trace.sweep(tmp_path / "log", pc + 1).faults == 0
    assert trace.sweep(tmp_path / "missing", pc).faults == 0


def test_sweep_counts_all_ports_of_a_67_mb_log_quickly(tmp_path: Path) -> None:
    record = GP[GP.index(b"check_exception") :].rstrip(b"\n") + b"\n"
    head, tail = record.split(b"EDX=00000000", 1)
    path = tmp_path / "log"
    with path.open("wb") as file:
        for port in range(65536):
            file.write(b"%bEDX=%08x%b" % (head, port, tail))
    start = time.process_time()
    found = trace.sweep(path, GP_PC)
    spent = time.process_time() - start
    assert found.ports == frozenset(range(65536)) and found.faults == 65536
    assert spent < 0.6


def test_hardware_interrupts_are_told_from_faults_and_int() -> None:
    events = trace.parse((DATA / "timer.log").read_bytes())
    ticks = trace.hardware_from_user(events, 0x20)
    assert len(ticks) == 5 and not any(t.fault or t.checked for t in ticks)
    assert [t.regs["ECX"] for t in ticks] == sorted({t.regs["ECX"] for t in ticks})
    assert trace.hardware_from_user(events, 0x21) == []


CHAINS = [
    ("esp0", [0xD, 0xE, 8]),
    ("ss0", [0xD, 8]),
    ("absent80", [0x80, 0xB, 8]),
    ("userbit", [0xE, 8]),
    ("noidt", [6, 0xD, 8]),
    ("x64-noltr", [0xD, 8]),
    ("gp", []),
]


@pytest.mark.parametrize("name, vectors", CHAINS)
def test_the_chain_before_a_triple_fault(name: str, vectors: list[int]) -> None:
    events = trace.parse((DATA / f"{name}.log").read_bytes())
    assert [e.v for e in trace.triple_fault_chain(events)] == vectors
    first = trace.first_fault(events)
    assert (first.v if first else None) == (vectors[0] if vectors else None)


def test_a_handled_fault_before_the_chain_is_not_part_of_it() -> None:
    handled = GP[GP.index(b"check_exception") :]
    log = handled.rstrip(b"\n") + b"\n" + (DATA / "esp0.log").read_bytes()
    assert [e.v for e in trace.triple_fault_chain(trace.parse(log))] == [0xD, 0xE, 8]


def test_a_refused_system_call_is_seen() -> None:
    for name, vector in (("dpl80", 0xD), ("absent80", 0xB), ("x64-absent80", 0xB)):
        events = trace.parse((DATA / f"{name}.log").read_bytes())
        at = next(n for n, e in enumerate(events) if isinstance(e, Interrupt))
        following = trace.refused(events, at)
        assert following is not None and following.v == vector


def test_blocks_carry_the_cpl_and_know_when_they_were_stopped() -> None:
    events = trace.parse(EXEC)
    spin = [e for e in events if isinstance(e, Block) and e.pc == 0x1000F0]
    assert spin and all(b.cpl == 3 for b in spin)
    assert any(b.stopped for b in spin) and any(not b.stopped for b in spin)
    assert all(not b.stopped for b in trace.blocks(events, 0x1000F0, 0x1000F3))
    assert any(b.cpl == 0 for b in trace.blocks(events, 0x100000, 0x101000))


def test_translated_bytes_are_those_of_the_code() -> None:
    seen = trace.translated(trace.parse(EXEC), 0x1000F0, 0x1000F3)
    assert seen == {0x1000F0: 0x41, 0x1000F1: 0xEB, 0x1000F2: 0xFD}
    user = trace.translated(trace.parse(EXEC64), 0x100108, 0x100111)
    assert bytes(user[a] for a in sorted(user)) == bytes.fromhex("66b81b008ed88ec0ec")


def test_an_instruction_over_two_lines_is_put_together() -> None:
    log = (
        b"IN: \n0x00100000:  48 b8 00 00 00 00 00 80  movabsq  $0x1, %rax\n"
        b"0x00100008:  ff ff\n0x0010000a:  fa                       cli      \n\n"
    )
    code = Code(0x100000, bytes.fromhex("48b8000000000080fffffa"))
    assert trace.parse(log) == [code]


def test_device_trace_lines_are_kept() -> None:
    (event,) = trace.parse(b"pckbd_kbd_read_status pckbd read status 0x18\n")
    assert isinstance(event, trace.DeviceTrace)
    assert event.name == "pckbd_kbd_read_status"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_truncated_logs_never_crash_and_prove_nothing_new(data: st.DataObject) -> None:
    log = data.draw(st.sampled_from([GP, GP64, EXEC, EXEC64]))
    cut = data.draw(st.integers(0, len(log)))
    whole = sum(trace.is_genuine_fault(e) for e in trace.parse(log))
    events = trace.parse(log[:cut])
    assert sum(trace.is_genuine_fault(e) for e in events) <= whole
    trace.triple_fault_chain(events)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.sampled_from([x + b"\n" for x in (GP + EXEC).split(b"\n")]),
        ),
        max_size=60,
    )
)
def test_random_input_never_crashes(parts: list[bytes]) -> None:
    events = trace.parse(b"".join(parts))
    for event in events:
        trace.is_genuine_fault(event)
        if isinstance(event, Interrupt):
            event.regs.complete
    trace.triple_fault_chain(events)
    trace.translated(events, 0, 1 << 32)
    registers.parse(b"".join(parts))
