# SPDX-License-Identifier: MIT
"""Descriptors, gates, TSS and page tables must survive a round trip and be judged."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence import paging, tss
from grader.evidence.descriptors import (
    GateDescriptor,
    SegmentDescriptor,
    TssDescriptor,
    differences,
)
from grader.evidence.memory import Ram, Space

DATA = Path(__file__).parent / "data" / "evidence"

U64 = st.integers(0, (1 << 64) - 1)
USER_CODE = SegmentDescriptor(limit=0xFFFFF, type=0xA, s=1, dpl=3, p=1, db=1, g=1)


@given(U64)
def test_any_eight_bytes_survive_as_a_segment_descriptor(raw: int) -> None:
    decoded = SegmentDescriptor.decode(raw)
    assert decoded.encode() == raw.to_bytes(8, "little")
    assert decoded.explain() and str(decoded)


@given(st.binary(min_size=16, max_size=16))
def test_tss_descriptors_survive(raw: bytes) -> None:
    for wide in (False, True):
        once = TssDescriptor.decode(raw, wide=wide)
        assert TssDescriptor.decode(once.encode(wide=wide), wide=wide) == once


@given(st.binary(min_size=16, max_size=16))
def test_gates_survive(raw: bytes) -> None:
    for wide in (False, True):
        once = GateDescriptor.decode(raw, wide=wide)
        assert GateDescriptor.decode(once.encode(wide=wide), wide=wide) == once
        assert str(once)


def test_known_descriptors() -> None:
    code = SegmentDescriptor.decode(0x00CFFA000000FFFF)
    assert code == USER_CODE and code.code and code.readable and code.dpl == 3
    assert code.last_offset == 0xFFFFFFFF
    data = SegmentDescriptor.decode(0x00CFF2000000FFFF)
    assert data.writable and not data.code
    busy = TssDescriptor(base=0x101044, limit=0x67, type=0xB)
    assert busy.encode(wide=False).hex() == "67004410108b0000"
    assert busy.busy and busy.valid
    gate = GateDescriptor(offset=0x100086, selector=8)
    assert gate.encode(wide=False).hex() == "86000800008e1000"


def test_differences_name_the_field_and_ignore_the_accessed_bit() -> None:
    accessed = SegmentDescriptor.decode(0x00CFFB000000FFFF)
    assert differences(accessed, USER_CODE) == []
    kernel = SegmentDescriptor.decode(0x00CF9A000000FFFF)
    assert differences(kernel, USER_CODE) == ["DPL is 0x0, must be 0x3"]
    base = SegmentDescriptor.decode(0x01CFFA000000FFFF)
    assert "base" in differences(base, USER_CODE)[0]
    assert differences(base, USER_CODE, long_mode=True) == []


def test_short_input_is_refused() -> None:
    with pytest.raises(ValueError):
        SegmentDescriptor.decode(b"1234567")
    with pytest.raises(ValueError):
        tss.Tss.decode(bytes(103), wide=True)


@given(U64, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.booleans())
def test_the_tss_survives(stack: int, ss0: int, base: int, wide: bool) -> None:
    if wide:
        one = tss.Tss(True, stack, 0, base, ist=(stack, *[0] * 6))
    else:
        one = tss.Tss(False, stack & 0xFFFFFFFF, ss0, base)
    again = tss.Tss.decode(one.encode(), wide=wide)
    assert again.encode() == one.encode()
    assert (again.stack0, again.ss0, again.iomap_base) == (
        one.stack0,
        one.ss0,
        one.iomap_base,
    )


def slow_open(limit: int, base: int, memory: bytes) -> set[int]:
    """The CPU's rule, one port at a time."""
    found = set()
    for port in range(65536):
        at = base + port // 8
        if at + 1 > limit:
            break
        mask = memory[at] if at < len(memory) else 0
        if not mask >> port % 8 & 1:
            found.add(port)
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.integers(103, 400),
    st.integers(0, 500),
    st.lists(st.sampled_from([0, 255, 3, 0xF0]), max_size=420).map(bytes),
)
def test_open_ports_follow_the_rule_of_the_cpu(
    limit: int, base: int, memory: bytes
) -> None:
    found = tss.open_ports(limit, base, memory)
    want = slow_open(limit, base, memory)
    assert {p for a, b in found.ranges for p in range(a, b + 1)} == want
    assert found.count == len(want)


def test_open_ports_of_the_known_mistakes() -> None:
    zeroed = bytearray(104)
    zeroed[4:8] = (0x11C000).to_bytes(4, "little")
    zeroed[8] = 0x10
    assert tss.open_ports(0x67, 104, bytes(zeroed)).count == 0
    base0 = tss.open_ports(0x67, 0, bytes(zeroed))
    assert 810 <= base0.count <= 824 and 0x3F8 not in base0 and 0x60 in base0
    assert tss.open_ports(0xFFF, 0x68, bytes(zeroed)).count == 31928
    assert tss.open_ports(0x67, 104, bytes(zeroed), iopl=3).count == 65536
    assert str(tss.open_ports(0x67, 104, b"")) == "no port"


def build(arch: str, va: int, pa: int, bits: list[int]) -> tuple[Ram, int]:
    """RAM with one path of tables at 0x1000, 0x2000, … mapping va to pa."""
    size = 4 if arch == "i386" else 8
    index_bits = 10 if size == 4 else 9
    ram = bytearray(0x6000)
    for depth, flags in enumerate(bits):
        shift = 12 + index_bits * (len(bits) - 1 - depth)
        index = va >> shift & (1 << index_bits) - 1
        last = depth == len(bits) - 1
        target = pa & ~0xFFF if last else 0x1000 * (depth + 2)
        at = 0x1000 * (depth + 1) + index * size
        ram[at : at + size] = (target | flags).to_bytes(size, "little")
    return Ram(bytes(ram)), 0x1000


@given(st.data())
def test_a_page_walk_finds_what_was_mapped(data: st.DataObject) -> None:
    arch = data.draw(st.sampled_from(["i386", "x86_64"]))
    wide = arch == "x86_64"
    va = data.draw(st.integers(0, (1 << (47 if wide else 32)) - 1))
    if wide and data.draw(st.booleans()):
        va |= 0x1FFFF << 47
    pa = data.draw(st.integers(0, 0xFFFFFFFF)) & ~0xFFF
    each = st.sampled_from([1, 3, 5, 7])
    levels = 4 if wide else 2
    bits = data.draw(st.lists(each, min_size=levels, max_size=levels))
    ram, cr3 = build(arch, va, pa, bits)
    walk = paging.translate(ram, cr3 | 0x18, va, arch)
    assert walk.pa == pa | va & 0xFFF
    assert walk.user == all(b & 4 for b in bits)
    assert walk.writable == all(b & 2 for b in bits)
    want = [va & ~0xFFF] if walk.user else []
    assert [r.start for r in paging.user_ranges(ram, cr3, arch)] == want
    fault = walk.fault(write=True, user=True, fetch=False)
    assert fault == (None if walk.user and walk.writable else 7)
    assert (walk.blocking(7) is None) == (fault is None)
    assert len(paging.explain(walk)) == levels + 1
    other = paging.translate(ram, cr3, va ^ 0x1000, arch)
    assert other.pa is None and other.fault(write=False, user=True, fetch=False) == 4


def test_a_large_page_and_a_hole() -> None:
    ram = bytearray(0x2000)
    ram[0x1000:0x1004] = (0x00400000 | 0x87).to_bytes(4, "little")
    walk = paging.translate(Ram(bytes(ram)), 0x1000, 0x12345, "i386")
    assert walk.pa == 0x412345 and walk.user and walk.entries[0].large
    assert paging.translate(Ram(b""), 0x1000, 0, "i386").pa is None
    far = paging.translate(Ram(bytes(ram)), 0x1000, 1 << 47, "x86_64")
    assert not far.canonical and "canonical" in paging.explain(far)[0]


def test_virtual_reads_stop_at_the_first_missing_page() -> None:
    ram, cr3 = build("i386", 0x400000, 0x5000, [7, 7])
    space = Space(ram, "i386", cr3)
    assert space.read(0x400FF0, 64) == bytes(16)
    assert space.read(0x500000, 4) == b"" and space.number(0x500000, 4) is None
    assert Space(ram, "i386").read(0x1000 + 4, 4) == (0x2007).to_bytes(4, "little")


def test_recorded_tables_of_a_real_machine() -> None:
    pages = zlib.decompress((DATA / "x64-userbit.ram.z").read_bytes())
    ram = Ram(bytes(0x100000) + pages)
    assert paging.user_ranges(ram, 0x102000, "x86_64") == []
    walk = paging.translate(ram, 0x102000, 0x100108, "x86_64")
    blocking = walk.blocking(0x15)
    assert blocking is not None and blocking.name == "PDPTE"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 15), st.sampled_from(["i386", "x86_64"]))
def test_wild_tables_end_and_never_crash(noise: bytes, page: int, arch: str) -> None:
    ram = Ram((noise + bytes(4096))[:4096] * 4)
    walk = paging.translate(ram, page << 12, 0x1234, arch)
    assert paging.explain(walk)
