# SPDX-License-Identifier: MIT
"""malloc hands out memory that nobody else has, as long as there is any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.tests.libc import VARIANTS, At, Program, Server, build

PAGE = 4096
HEADER = 16  # what a block needs beside its memory, and the end of the heap
LEAST = 32  # bytes of a block
E_NOMEM = -2


@pytest.fixture(scope="module", params=VARIANTS)
def program(request: pytest.FixtureRequest) -> Program:
    return build(request.param)


@dataclass
class Heap:
    """malloc under test, with an arena of `limit` bytes, and what it must not do."""

    libc: Server
    limit: int
    live: dict[int, tuple[int, int]] = field(default_factory=dict)  # size and mark
    start: int = 0

    def __post_init__(self) -> None:
        self.start = self.libc.call("heap_limit", self.limit).result

    def gap(self) -> int:
        """The longest stretch without a block, header of its block included."""
        edges = [self.start]
        for address in sorted(self.live):
            edges += [address - HEADER, address + max(self._rounded(address), HEADER)]
        edges.append(self.start + self.limit - HEADER)
        return max(b - a for a, b in zip(edges[::2], edges[1::2]))

    def _rounded(self, address: int) -> int:
        return (self.live[address][0] + 15) // 16 * 16

    def malloc(self, name: str, size: int, *arguments: int) -> None:
        answer = self.libc.call(name, *arguments)
        self.given(answer.result, size, answer.error)
        if name == "calloc" and answer.result:
            assert self.libc.call("all_equal", answer.result, 0, size).result
        if answer.result:
            self.mark(answer.result, size)

    def given(self, address: int, size: int, error: int) -> None:
        """Is this an answer that malloc may give?"""
        if address == 0:
            assert error == E_NOMEM
            assert self.gap() < max(size + HEADER, LEAST)
            return
        assert address % 16 == 0
        assert self.start + HEADER <= address
        assert address + size <= self.start + self.limit
        for other, (length, _) in self.live.items():
            assert address + size <= other or other + length <= address

    def mark(self, address: int, size: int) -> None:
        number = (len(self.live) * 37 + size) % 251 + 1
        self.libc.call("memset", address, number, size)
        self.live[address] = (size, number)

    def check(self, address: int, most: int) -> None:
        """Does the block still hold what was written there?"""
        size, number = self.live[address]
        assert self.libc.call("all_equal", address, number, min(size, most)).result

    def free(self, address: int) -> None:
        self.check(address, self.limit)
        self.libc.call("free", address)
        del self.live[address]

    def realloc(self, address: int, size: int) -> None:
        answer = self.libc.call("realloc", address, size)
        if answer.result == 0:
            self.given(0, size, answer.error)
            self.check(address, self.limit)
            return
        old, number = self.live.pop(address)
        self.given(answer.result, size, 0)
        self.live[answer.result] = (old, number)
        self.check(answer.result, size)
        self.mark(answer.result, size)


SIZES = st.one_of(st.integers(0, 70), st.integers(0, 3000), st.integers(0, 5 * PAGE))
STEPS = st.tuples(
    st.sampled_from(["malloc", "calloc", "realloc", "realloc", "free", "free"]),
    SIZES,
    st.integers(0, 1000),
)


@settings(max_examples=40)
@given(steps=st.lists(STEPS, min_size=5, max_size=40), pages=st.integers(1, 12))
def test_blocks_are_apart_and_memory_is_short_only_when_it_is(
    program: Program, steps: list[tuple[str, int, int]], pages: int
) -> None:
    with program.run() as libc:
        heap = Heap(libc, pages * PAGE)
        for name, size, choice in steps:
            chosen = sorted(heap.live)[choice % len(heap.live)] if heap.live else 0
            if name == "calloc":
                heap.malloc(name, size * 3, size, 3)
            elif name == "malloc" or not chosen:
                heap.malloc("malloc", size, size)
            elif name == "realloc":
                heap.realloc(chosen, size)
            else:
                heap.free(chosen)
        for address in list(heap.live):
            heap.free(address)
        whole = heap.limit - 2 * HEADER
        assert libc.call("malloc", whole + 1).result == 0
        heap.malloc("malloc", whole, whole)
        assert heap.live, "what is free again is one block again"


@pytest.fixture
def libc(program: Program) -> Iterator[Server]:
    with program.run() as server:
        yield server


def test_impossible_sizes_are_refused(libc: Server) -> None:
    most = (1 << libc.bits) - 1
    for size in (most, most - HEADER, most // 2, most // 2 + 1, most - PAGE):
        answer = libc.call("malloc", size)
        assert (answer.result, answer.error) == (0, E_NOMEM)
    for count, size in ((most // 2, 3), (1 << libc.bits // 2, 1 << libc.bits // 2)):
        answer = libc.call("calloc", count, size)
        assert (answer.result, answer.error) == (0, E_NOMEM)


def test_no_block_is_resized_to_a_new_one_and_freed_for_nothing(libc: Server) -> None:
    assert libc.call("realloc", 0, 10).result != 0
    libc.call("free", 0)


def test_last_block_grows_where_it_is(libc: Server) -> None:
    address = libc.call("malloc", 100).result
    assert libc.call("realloc", address, 3000).result == address
    assert libc.call("realloc", address, 50).result == address


def test_heap_goes_on_behind_what_others_took(libc: Server) -> None:
    first = libc.call("malloc", 100).result
    taken = libc.call("heap_grow", 40).result
    blocks = [libc.call("malloc", 3000).result for _ in range(3)]
    assert all(block % 16 == 0 and block for block in blocks)
    assert all(block + 3000 <= taken or taken + 40 <= block for block in blocks)
    for block in (first, *blocks):
        libc.call("free", block)


def test_memory_freed_twice_ends_the_program(program: Program) -> None:
    libc = program.run()
    block = libc.call("malloc", 100).result
    libc.call("free", block)
    with pytest.raises(EOFError):
        libc.call("free", block)


def test_strdup_copies_unless_memory_is_short(libc: Server) -> None:
    start = libc.call("heap_limit", 0).result
    answer = libc.call("strdup", At(0), memory=b"text\0")
    assert start != 0
    assert (answer.result, answer.error) == (0, E_NOMEM)
    libc.call("heap_limit", PAGE)
    copy = libc.call("strdup", At(0), memory=b"text\0").result
    assert libc.call("strcpy", At(0), copy).text(0) == b"text"
