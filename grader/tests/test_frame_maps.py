# SPDX-License-Identifier: MIT
"""What 07 asks for with any seed, and what it says of a wrong map of free frames."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from grader.checks.frame_ranges import map_cause
from grader.checks.memory_map import (
    KERNEL_BASE,
    MANY,
    PAGE,
    RESERVED,
    USABLE,
    Range,
    Replay,
    free_frames,
    random_map,
    random_requests,
    runs,
    small_map,
)

HIGH = 64 << 20
LOW = 12 << 20


def cause(have: set[int], made: Sequence[Range]) -> str:
    return map_cause(runs(have), runs(free_frames(made, KERNEL_BASE, HIGH)), made)


@pytest.mark.parametrize("seed", range(20))
def test_an_exact_fit_is_asked_for_with_any_seed(seed: int) -> None:
    rng = random.Random(seed)
    free = free_frames(small_map(rng, LOW), LOW, HIGH)
    requests = random_requests(rng, 100, len(free), many=True)
    (kind, _, _, count), *_ = requests
    assert kind == MANY and count == max(length for _, length in runs(free))
    wrong = Replay.of(free, requests, [0]).wrong
    assert wrong and wrong.number == 0


@pytest.mark.parametrize("seed", range(20))
def test_frames_below_the_kernel_are_usable_in_each_random_map(seed: int) -> None:
    made = random_map(random.Random(seed), LOW, 31 << 20, HIGH)
    assert free_frames(made, 0, KERNEL_BASE)
    assert "it lies below KERNEL_BASE" in cause(free_frames(made, 0, HIGH), made)


@pytest.mark.parametrize("seed", range(20))
def test_an_address_cut_to_32_bits_is_named(seed: int) -> None:
    made = random_map(random.Random(seed), LOW, 31 << 20, HIGH)
    cut = [Range(one.base % (1 << 32), one.size, one.kind) for one in made]
    have = free_frames(cut, KERNEL_BASE, HIGH)
    assert "Addresses of the map have 64 bits" in cause(have, made)


def test_a_reserved_range_above_4_gib_is_named_only_where_it_explains_all() -> None:
    ram, far = Range(LOW, 64 * PAGE, USABLE), Range(1 << 32, 8 << 30, RESERVED)
    whole = free_frames([ram, far], KERNEL_BASE, HIGH)
    assert "Addresses of the map have 64 bits" in cause(set(), [ram, far])
    told = cause(whole - {max(whole)}, [ram, far])
    assert "It is the first or the last one" in told and "64 bits" not in told


def test_usable_ranges_that_meet_in_a_lost_frame_are_named() -> None:
    middle = LOW + 8 * PAGE + 100
    one, other = Range(LOW, middle - LOW, USABLE), Range(middle, 9 * PAGE, USABLE)
    have = free_frames([one], LOW, HIGH) | free_frames([other], LOW, HIGH)
    assert f"{one} and {other} meet in it: these are one." in cause(have, [one, other])
