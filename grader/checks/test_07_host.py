# SPDX-License-Identifier: MIT
"""07-frames on the host: the same gap file under address and undefined sanitizers."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from grader.checks import support
from grader.checks.api import Case, check
from grader.checks.host import expect_word
from grader.checks.memory_map import (
    PAGE,
    Range,
    Replay,
    Request,
    free_frames,
    packed,
    packed_requests,
    random_map,
    random_requests,
    runs,
    shown,
    small_map,
)

HEADER = "kernel/include/course/07-frames.h"
SOURCE = "07-frames.c"
MAPS, TRACES, REQUESTS = 24, 4, 900

World = tuple[list[Range], list[Request]]


def worlds(case: Case) -> list[World]:
    """Memory maps without requests, then small memories with many."""
    rng, values = case.rng(), support.of(case)
    low, high = values["KERNEL_BASE"], values["IDENTITY_END"]
    made: list[World] = []
    for _ in range(MAPS):
        start = low + rng.randrange(0, 64) * PAGE + rng.choice((0, 0, 1, PAGE - 1))
        made.append((random_map(rng, start, high - rng.randrange(3), high), []))
    for number in range(TRACES):
        ranges = small_map(rng, low + rng.randrange(4000) * PAGE)
        frames = len(free_frames(ranges, low, high))
        many = number > 0
        made.append((ranges, random_requests(rng, REQUESTS, frames, many=many)))
    return made


@check("frame-host")
def test_host(case: Case) -> None:
    """The same file on the host, under address and undefined-behaviour sanitizers:
    the maps and the requests give what they must, and no memory is touched that is
    reserved or somebody else's."""
    made = worlds(case)
    data = b"".join(
        struct.pack("<II", len(ranges), len(requests))
        + packed([ranges])
        + packed_requests(requests)
        for ranges, requests in made
    )
    result = case.host(SOURCE, ["frames.c"], data)
    report = result.stderr.decode("utf-8", "replace")
    lines = iter(result.stdout.decode("utf-8", "replace").splitlines())
    for number, world in enumerate(made):
        judge(case, world, number, lines, report)
    case.expect(
        next(lines, "") == "end" and result.status == 0,
        expected="The program comes to its end.",
        seen=f"It ended with status {result.status}.",
        read=HEADER,
    )
    case.fact("worlds", len(made))


def judge(
    case: Case, world: World, number: int, lines: Iterator[str], report: str
) -> None:
    """Compare what the driver printed of one world."""
    ranges, requests = world
    values = support.of(case)
    low, high = values["KERNEL_BASE"], values["IDENTITY_END"]
    free = free_frames(ranges, low, high)
    expect_ranges(case, number, lines, runs(free), report)
    results = [
        int(expect_word(case, lines, "result", report, HEADER), 16)
        for kind, *_ in requests
        if kind <= 2
    ]
    replay = Replay.of(free, requests, results)
    wrong = replay.wrong
    case.expect(
        wrong is None,
        expected="Each request gets what was free.",
        seen=f"Request {wrong.number + 1} ({wrong.request[3]} frames) got {wrong.what}."
        if wrong
        else "",
        cause="Nothing but the gap file is at work here: it can be tried with gdb or "
        "valgrind on the host.",
        read=HEADER,
    )
    for word, meaning in (
        ("dirty", "frames did not arrive as zeroes"),
        ("spoiled", "frames had changed when they came back"),
    ):
        count = int(expect_word(case, lines, word, report, HEADER))
        case.expect(
            count == 0,
            expected="Frames arrive zeroed, and belong to their owner alone.",
            seen=f"{count} {meaning}.",
            read=HEADER,
        )
    expect_ranges(case, number, lines, runs(replay.free), report)


def expect_ranges(
    case: Case,
    number: int,
    lines: Iterator[str],
    want: list[tuple[int, int]],
    report: str,
) -> None:
    count = int(expect_word(case, lines, "ranges", report, HEADER))
    have = []
    for _ in range(min(count, 1 << 14)):
        base, _, frames = next(lines, "0 0").partition(" ")
        have.append((int(base, 16) // PAGE, int(frames, 16)))
    at = next((n for n, pair in enumerate(zip(have, want)) if pair[0] != pair[1]), None)
    at = min(len(have), len(want)) if at is None else at
    case.expect(
        have == want,
        expected=f"Of the random memory map {number + 1} range {at + 1} of {len(want)} "
        f"is {shown(want, at)}.",
        seen=f"frame_ranges gives {shown(have, at)}, and {len(have)} ranges in all.",
        cause="A range was rounded the wrong way, forgotten, or cut off at 32 bits.",
        read=HEADER,
    )
