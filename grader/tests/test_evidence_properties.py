# SPDX-License-Identifier: MIT
"""Whatever the machine printed or left in memory is read, judged and explained."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence import decoded, explain, paging, registers, trace
from grader.evidence.descriptors import (
    GateDescriptor,
    SegmentDescriptor,
    TssDescriptor,
)
from grader.evidence.exhibit import KINDS, Exhibit
from grader.evidence.memory import Ram
from grader.evidence.trace import Interrupt
from grader.evidence.tss import TSS_BYTES, Tss
from grader.tests.causes import FOLDER, LINE_BYTES, Lines, Record
from grader.tests.qemu_text import (
    ARCHES,
    U64,
    Delivery,
    State,
    damaged,
    deliveries,
    states,
)
from grader.verdict.model import plain_exhibit

DATA = Path(__file__).parent / "data" / "evidence"
GENUINE_HEAD = re.compile(
    rb"check_exception old: 0xffffffff new 0xd\n *\d+: v=0d e=0000 i=0 cpl=3 "
)
RECORDS = sorted(FOLDER.glob("*.json"))


def sound(exhibits: Iterable[Exhibit]) -> None:
    """Each is a table of single lines that survives JSON."""
    for exhibit in exhibits:
        assert exhibit.kind in KINDS and exhibit.title
        assert all(len(row.cells) == len(exhibit.columns) for row in exhibit.rows)
        assert "\n" not in "".join(plain_exhibit(exhibit).lines())
        again = json.loads(json.dumps(exhibit, default=vars))
        assert Exhibit.from_json(again) == exhibit


@settings(max_examples=40)
@given(states())
def test_a_dump_is_read_back_as_it_was_printed(state: State) -> None:
    found = registers.parse(state.text())
    assert dict(found) == state.values and found.complete
    for name, values in state.segments.items():
        one = found.segments[name]
        assert (one.selector, one.base, one.limit, one.flags) == values
    assert found.gdt is not None and found.idt is not None
    assert (found.gdt.base, found.gdt.limit) == state.gdt
    assert (found.idt.base, found.idt.limit) == state.idt


@settings(max_examples=40)
@given(states(), st.data())
def test_a_damaged_dump_gives_nothing_that_was_not_printed(
    state: State, data: st.DataObject
) -> None:
    text = state.text()
    cut = text[: data.draw(st.integers(0, len(text)))]
    found = registers.parse(cut)
    assert dict(found).items() <= state.values.items()
    registers.parse(data.draw(damaged(text.encode())))


@settings(max_examples=25)
@given(st.lists(deliveries(), max_size=3), st.data())
def test_a_log_is_read_back_as_it_was_printed(
    every: list[Delivery], data: st.DataObject
) -> None:
    log = "".join(one.text(n) for n, one in enumerate(every)).encode()
    events = trace.interrupts(trace.parse(log))
    assert [(e.v, e.e, e.i) for e in events] == [
        (one.v, one.e, one.origin == "int") for one in every
    ]
    for event, one in zip(events, every):
        assert (event.hardware, event.checked) == (
            one.origin == "device",
            one.origin == "check",
        )
        assert event.cpl == one.state.values["CPL"] and event.regs.complete
        assert event.cs == one.state.segments["CS"][0]
        assert dict(event.regs) == one.state.values
    harm = trace.parse(data.draw(damaged(log)))
    trace.triple_fault_chain(harm)
    for position, item in enumerate(harm):
        trace.is_genuine_fault(item)
        trace.refused(harm, position)


@settings(max_examples=40)
@given(st.sampled_from(["gp", "x64-gp"]), st.data())
def test_a_sweep_counts_no_more_than_the_rules_allow(
    name: str, data: st.DataObject
) -> None:
    log = (DATA / f"{name}.log").read_bytes()
    record = log[log.index(b"check_exception") :].rstrip(b"\n") + b"\n"
    harm = data.draw(damaged(record * 2))
    most = len(GENUINE_HEAD.findall(harm))
    with tempfile.NamedTemporaryFile() as file:
        file.write(harm)
        file.flush()
        for pc in {event.pc for event in trace.interrupts(trace.parse(record))}:
            found = trace.sweep(Path(file.name), pc)
            assert found.faults <= most


@given(U64, st.booleans(), st.integers(0, 3), st.booleans())
def test_a_segment_laid_open_marks_what_differs(
    raw: int, code: bool, dpl: int, wide: bool
) -> None:
    seen = SegmentDescriptor.decode(raw)
    want = decoded.segment_wanted(code=code, dpl=dpl, wide=wide)
    exhibit = decoded.segment("a slot", seen, want)
    sound([exhibit])
    rows = {row.cells[0]: row for row in exhibit.rows}
    assert rows["DPL"].differs == (seen.dpl != dpl) and rows["P"].differs != seen.p
    if not wide:
        assert rows["base"].differs == (seen.base != 0)
    bits = [row.cells[1].split(", ") for row in exhibit.rows]
    assert sum(_count(part) for parts in bits for part in parts) == 64


def _count(bits: str) -> int:
    """How many bits "46..45" or "47" names."""
    high, _, low = bits.partition("..")
    return int(high) - int(low or high) + 1


@given(st.binary(min_size=TSS_BYTES, max_size=TSS_BYTES), st.booleans())
def test_gates_and_task_states_are_laid_open(raw: bytes, wide: bool) -> None:
    gate = GateDescriptor.decode(raw, wide=wide)
    task = TssDescriptor.decode(raw, wide=wide)
    want = decoded.gate_wanted(dpl=3, code=8)
    sound([decoded.gate("a gate", gate, want, wide=wide)])
    known = decoded.tss_wanted(loaded=True)
    sound([decoded.tss_descriptor("a slot", task, known, wide=wide)])
    fields: decoded.Want = {
        "esp0": "a top",
        "rsp0": "a top",
        "ist3": 0,
        "eip": 1,
        "ss0": 16,
    }
    sound([decoded.tss("a TSS", Tss.decode(raw, wide=wide), fields)])


@given(st.data())
def test_a_walk_agrees_with_the_rights_on_every_level(data: st.DataObject) -> None:
    arch = data.draw(ARCHES)
    tables = data.draw(st.lists(st.binary(min_size=64, max_size=64), max_size=8))
    ram = Ram(b"".join(table * 64 for table in tables))
    va = data.draw(st.integers(0, (1 << (32 if arch == "i386" else 64)) - 1))
    seen = paging.translate(ram, data.draw(st.integers(0, 8)) << 12, va, arch)
    user, write, fetch = (data.draw(st.booleans()) for _ in range(3))
    fault = seen.fault(write=write, user=user, fetch=fetch)
    exhibit = decoded.walk("a walk", seen, user=user, write=write, fetch=fetch)
    sound([exhibit])
    if seen.entries and seen.pa is not None:
        wrong = any(row.differs for row in exhibit.rows)
        assert wrong == (fault is not None)
        blocking = seen.blocking(fault) if fault is not None else None
        assert (blocking is None) == (fault is None)


@settings(max_examples=100)
@given(st.sampled_from(RECORDS), st.data())
def test_a_mangled_run_is_explained(path: Path, data: st.DataObject) -> None:
    whole = Record.read(path)
    log = data.draw(damaged(whole.log.encode("latin-1")))
    lines = {int(at, 16): bytes.fromhex(line) for at, line in whole.ram.items()}
    for at in data.draw(st.lists(st.sampled_from(sorted(lines) or [0]), max_size=4)):
        harm = data.draw(damaged(lines.get(at, bytes(LINE_BYTES))))
        lines[at] = harm.ljust(LINE_BYTES, b"\0")
    text = data.draw(damaged(whole.registers.encode())).decode("latin-1")
    scene = replace(
        whole.scene(),
        end=data.draw(st.sampled_from([whole.end, "TRIPLE_FAULT", "PANIC", "DONE"])),
        events=trace.parse(log),
        registers=registers.parse(text) if text else None,
        ram=Lines(lines),
    )
    found = explain.diagnose(scene)
    assert found.cause and found.hint and found.read
    sound(found.exhibits)
    for event in scene.interrupts[:3]:
        assert isinstance(event, Interrupt)
        sound(explain.fault(scene, event).exhibits)
    explain.observe(scene)
