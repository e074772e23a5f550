# SPDX-License-Identifier: MIT
"""Maps of address spaces: right for both formats, and small whatever a tree holds."""

from __future__ import annotations

import json
import random
import struct
from dataclasses import dataclass, field

import pytest

from grader.evidence import process_map
from grader.evidence.address_map import ROWS, TREES, Request, Row, draw
from grader.evidence.memory import Ram
from grader.evidence.paging import PAGE_BYTES, PTE_NX, PTE_P, PTE_PS, PTE_U, PTE_W
from grader.evidence.process_map import AREAS, Area
from grader.reports import address_map

ARCHES = ("i386", "x86_64")
BASE, KERNEL = 0x40000000, 0x100000
REGIONS = (("page 0", 0), ("kernel", KERNEL), ("RAM", 0x800000))
RAM_BYTES = 1 << 21
DATA, CODE, STACK = 0x50000000, 0x60000000, 0xB0FFF000


@dataclass
class Memory:
    """Physical memory with trees in it, in either format."""

    arch: str
    data: bytearray = field(default_factory=lambda: bytearray(RAM_BYTES))
    free: int = KERNEL

    def frame(self) -> int:
        self.free += PAGE_BYTES
        return self.free - PAGE_BYTES

    def map(self, root: int, va: int, pa: int, bits: int, size: int = 12) -> None:
        """One page; size: log2 of its bytes."""
        wide = self.arch == "x86_64"
        form, each = ("<Q", 8) if wide else ("<I", 4)
        table = root
        for shift in (39, 30, 21, 12) if wide else (22, 12):
            at = table + (va >> shift) % (512 if wide else 1024) * each
            if shift == size:
                large = PTE_PS if shift > 12 else 0
                struct.pack_into(form, self.data, at, pa | bits | large | PTE_P)
                return
            (entry,) = struct.unpack_from(form, self.data, at)
            if not entry:
                entry = self.frame() | PTE_P | PTE_W | PTE_U
                struct.pack_into(form, self.data, at, entry)
            table = entry & 0xFFFFF000

    def draw(self, *roots: int, watched: tuple[int, ...] = ()) -> dict[int, Row]:
        """The rows by their first address; as JSON the map is small."""
        request = Request(self.arch, REGIONS, BASE, watched)
        names = {root: f"process {n}" for n, root in enumerate(roots)}
        found = draw(Ram(bytes(self.data)), request, names)
        shown = json.loads(json.dumps(found.to_json()))
        assert len(json.dumps(shown)) < 64_000
        assert address_map.spaces(shown)["rows"]
        return {row.start: row for row in found.rows}


@pytest.fixture(params=ARCHES)
def memory(request: pytest.FixtureRequest) -> Memory:
    return Memory(request.param)


def two(memory: Memory, shared: bool) -> tuple[int, int]:
    """Two processes with code and data at the same addresses."""
    roots = memory.frame(), memory.frame()
    frame = memory.frame()
    for number, root in enumerate(roots):
        memory.map(root, KERNEL, KERNEL, PTE_W)
        memory.map(root, CODE, memory.frame(), PTE_U)
        data = frame if shared or number == 0 else memory.frame()
        memory.map(root, DATA, data, PTE_U | PTE_W)
        memory.data[data + 8] = 11 + number
    return roots


def test_one_address_shows_two_frames_and_two_values(memory: Memory) -> None:
    rows = memory.draw(*two(memory, shared=False), watched=(DATA + 8,))
    one, other = rows[DATA].cells
    assert (one.value, other.value) == (11, 12) and one.frames != other.frames
    assert (one.kind, one.rights[:2], one.also) == ("user", "rw", ())
    assert rows[DATA].watched == DATA + 8 and not rows[DATA].shared
    assert rows[CODE].cells[0].rights == "r-x"
    assert {cell.kind for cell in rows[KERNEL].cells} == {"kernel"}


def test_a_frame_that_two_processes_see_is_named_in_both(memory: Memory) -> None:
    rows = memory.draw(*two(memory, shared=True), watched=(DATA + 8,))
    assert [cell.also for cell in rows[DATA].cells] == [("process 1",), ("process 0",)]
    assert not rows[CODE].shared and not rows[KERNEL].shared


def test_a_frame_shared_at_another_address_is_found(memory: Memory) -> None:
    roots = two(memory, shared=False)
    frame = memory.draw(*roots)[DATA].cells[0].frames[0][0]
    memory.map(roots[1], STACK, frame, PTE_U | PTE_W)
    rows = memory.draw(*roots)
    assert rows[DATA].cells[0].also == ("process 1",)
    assert rows[STACK].cells[1].also == ("process 0",)
    assert rows[STACK].cells[0].kind == "absent"


def test_a_page_of_the_kernel_open_to_ring_3_stands_out(memory: Memory) -> None:
    roots = two(memory, shared=False)
    memory.map(roots[1], KERNEL + PAGE_BYTES, KERNEL, PTE_U)
    cells = memory.draw(*roots)[KERNEL].cells
    assert [(cell.kind, cell.pages) for cell in cells] == [("kernel", 1), ("open", 1)]


def test_pages_that_may_not_be_executed_are_told_apart() -> None:
    memory = Memory("x86_64")
    root = memory.frame()
    memory.map(root, DATA, memory.frame(), PTE_U | PTE_W | PTE_NX)
    memory.map(root, DATA + PAGE_BYTES, memory.frame(), PTE_U)
    rows = memory.draw(root)
    assert rows[DATA].cells[0].rights == "rw-"
    assert rows[DATA + PAGE_BYTES].cells[0].rights == "r-x"


def test_a_large_page_is_one_row(memory: Memory) -> None:
    root, size = memory.frame(), 21 if memory.arch == "x86_64" else 22
    memory.map(root, DATA, 0x400000, PTE_U | PTE_W, size)
    (cell,) = memory.draw(root)[DATA].cells
    assert (cell.pages, cell.frames) == (1 << size - 12, ((0x400000, 1 << size),))


def test_many_pages_leave_few_rows_and_those_that_tell_most(memory: Memory) -> None:
    roots = two(memory, shared=True)
    for n in range(300):
        memory.map(roots[0], CODE + (2 * n + 1) * PAGE_BYTES, KERNEL, PTE_U)
    rows = memory.draw(*roots)
    assert len(rows) <= ROWS + len(REGIONS) and rows[DATA].shared


def test_a_tree_that_names_itself_everywhere_is_bounded(memory: Memory) -> None:
    root, wide = memory.frame(), memory.arch == "x86_64"
    form = "<512Q" if wide else "<1024I"
    count = 512 if wide else 1024
    entry = root | PTE_P | PTE_U | PTE_W
    struct.pack_into(form, memory.data, root, *[entry] * count)
    request = Request(memory.arch, REGIONS, BASE, (DATA,))
    found = draw(Ram(bytes(memory.data)), request, {root: "process 0"})
    assert not found.trees[0].whole and len(found.rows) <= ROWS + len(REGIONS)
    said = address_map.spaces(json.loads(json.dumps(found.to_json())))
    assert "too large" in " ".join(said["notes"])


@pytest.mark.parametrize("seed", range(4))
def test_memory_of_any_content_gives_a_small_map(memory: Memory, seed: int) -> None:
    memory.data[:] = random.Random(seed).randbytes(RAM_BYTES)
    rows = memory.draw(*range(0, 20 * PAGE_BYTES, PAGE_BYTES), watched=(DATA, 1))
    assert len(rows) <= ROWS + len(REGIONS)
    assert all(len(row.cells) <= TREES for row in rows.values())


def test_a_process_shows_its_areas_and_the_pages_that_are_there(memory: Memory) -> None:
    root = memory.frame()
    for page in (0, 1, 5):
        memory.map(root, DATA + page * PAGE_BYTES, memory.frame(), PTE_U | PTE_W)
    memory.map(root, STACK, memory.frame(), PTE_U | PTE_W)
    areas = [Area(DATA, DATA + 8 * PAGE_BYTES, "heap", "rw-")]
    ram = Ram(bytes(memory.data))
    found = process_map.draw(ram, memory.arch, "fill", root, areas, BASE)
    (heap,) = found.held
    assert (heap.pages, heap.there, heap.parts) == (8, 3, ((0, 2), (5, 1)))
    assert found.stray == ((STACK, STACK + PAGE_BYTES),)
    said = address_map.process(json.loads(json.dumps(found.to_json())))
    assert said["rows"][0]["text"] == "3 of 8 pages" and "no area" in said["stray"]


def test_areas_of_any_size_and_number_are_bounded(memory: Memory) -> None:
    memory.data[:] = random.Random(7).randbytes(RAM_BYTES)
    areas = [Area(n << 20, (1 << 64) - 1, "data", "rw-") for n in range(500)]
    areas.append(Area(9, 3, "data", "rw-"))
    ram = Ram(bytes(memory.data))
    found = process_map.draw(ram, memory.arch, "x", PAGE_BYTES, areas, BASE)
    assert len(found.held) <= AREAS
    text = json.dumps(found.to_json())
    assert len(text) < 64_000 and address_map.process(json.loads(text))["rows"]
