# SPDX-License-Identifier: MIT
"""What a report keeps of a boot: lanes, marks and tables, bounded and never failing."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence.events import Block, Event, Interrupt, TripleFault
from grader.evidence.memory import Ram
from grader.evidence.portrait import Portrait
from grader.evidence.timeline import COLUMNS, LANES, SINGLY, timelines
from grader.reports import svg
from grader.tests.test_evidence_explain import scene

USER, KERNEL = 0xB0003000, 0xA0F000


def event(number: int, cpl: int, sp: int, v: int = 0x20) -> Interrupt:
    made = Interrupt(number, v, 0, 0, cpl, 8 | cpl, 0x1000, 0x1000, 16 | cpl, sp)
    return replace(made, hardware=v == 0x20, checked=v < 0x20)


def turns(count: int, threads: int) -> list[Event]:
    """A timer that finds `threads` user threads and one of the kernel in turn."""
    return [
        event(n, 0, KERNEL) if n % 2 else event(n, 3, USER + n // 2 % threads * 0x3000)
        for n in range(count)
    ]


def test_each_stack_has_a_lane_of_its_own() -> None:
    (whole,) = timelines(turns(40, 3))
    assert [(lane.ring, lane.stack) for lane in whole.lanes] == [
        (3, USER - 0x1000),
        (3, USER + 0x2000),
        (3, USER + 0x5000),
        (0, KERNEL - 0x1000),
    ]
    assert sum(lane.records for lane in whole.lanes) == whole.records == 40
    assert whole.rings == {"0": whole.lanes[3].ticks, "3": whole.rings["3"]}
    assert set(whole.counts) == {("IRQ 0x20", 3, 20), ("IRQ 0x20", 0, 20)}


def test_adjacent_pages_are_one_stack() -> None:
    events = [event(n, 0, KERNEL - n * 0x800) for n in range(4)]
    (whole,) = timelines(events)
    assert [lane.stack for lane in whole.lanes] == [KERNEL - 0x2000]


def test_faults_and_calls_are_marks_and_say_what_they_are() -> None:
    call = replace(event(1, 3, USER, v=0x80), i=1)
    fault = replace(
        event(2, 3, USER, v=14), e=5, dump=b"\nEIP=0 \nES =0\nCR0=1 CR2=abc\n"
    )
    (whole,) = timelines([event(0, 3, USER), call, fault, TripleFault()])
    (lane,) = whole.lanes
    assert lane.ticks == ((0, 1),) and whole.end == "triple fault"
    assert [(m.kind, m.label) for m in lane.marks] == [
        ("call", "int 0x80"),
        ("fault", "#PF"),
    ]
    assert (
        "record 2: #PF in ring 3 at 0x1000, error code 0x5, CR2 0xabc"
        in lane.marks[1].text
    )


def test_where_an_interruption_landed_is_told() -> None:
    dump = b"\nESP=00a13fec \nES =0"
    (whole,) = timelines([event(0, 3, USER), Block(0x100000, 0, dump=dump)])
    assert whole.lanes[0].landed == "0xa13000"
    assert whole.rings == {"0": ((1, 1),), "3": ((0, 1),)}


def test_many_records_share_columns_and_both_ends_are_shown_singly() -> None:
    whole, first, last = timelines(turns(20_000, 40))
    assert whole.columns <= COLUMNS < whole.records
    assert (first.first, first.records) == (0, SINGLY)
    assert (last.first, last.records) == (20_000 - SINGLY, SINGLY)
    assert len(whole.lanes) == LANES and whole.hidden > 0
    text = json.dumps([line.to_json() for line in (whole, first, last)])
    drawn = [svg.timeline(data) for data in json.loads(text)]
    assert len(text) < 60_000 and sum(map(len, drawn)) < 120_000


def test_a_log_without_records_has_an_empty_timeline() -> None:
    (whole,) = timelines([])
    assert (whole.records, whole.lanes, whole.end) == (0, (), "")


def tables(name: str, end: str = "TRIPLE_FAULT") -> dict[str, list[tuple[str, ...]]]:
    found = Portrait(scene(name, end), lambda address: "").tables()
    return {
        table.title.split(",")[0].split(" at ")[0]: [row.cells for row in table.rows]
        for table in found
    }


def test_the_tss_the_table_and_the_walks_of_a_recorded_run() -> None:
    seen = tables("esp0")
    assert seen["TSS"][0][:2] == ("esp0", "0x0")
    assert seen["TSS"][1][0] == "ss0"
    assert {row[2] for row in seen["GDT"]} >= {"null", "code, execute/read"}
    assert seen["The CPU's last records"][0][1] == "#GP general protection (0x0d)"
    ends = [row[-1] for row in seen["Page walks"] if row[-1]]
    assert any(end.startswith("ring 3 and 0") for end in ends)


def test_long_mode_has_sixteen_bytes_and_four_levels() -> None:
    seen = tables("x64-userbit")
    assert "upper half of the TSS descriptor" in {row[2] for row in seen["GDT"]}
    assert {row[2].split("[")[0] for row in seen["Page walks"]} >= {"PML4E", "PDPTE"}
    assert all(len(row) == 7 for row in seen["IDT"])


@pytest.mark.parametrize("name", ["noltr", "x64-noltr", "taskgate", "timer", "limit80"])
def test_every_row_has_a_cell_for_each_column(name: str) -> None:
    for table in Portrait(scene(name, ""), lambda address: "").tables():
        assert {len(row.cells) for row in table.rows} <= {len(table.columns)}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["esp0", "x64-userbit", "ports"]), st.integers(0, 1 << 32))
def test_guest_memory_of_any_content_can_be_shown(name: str, seed: int) -> None:
    ram = Ram(random.Random(seed).randbytes(1 << 21))
    Portrait(replace(scene(name, ""), ram=ram), lambda address: "").tables()
