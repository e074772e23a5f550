# SPDX-License-Identifier: MIT
"""07-frames on the host: the same gap file under address and undefined sanitizers."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from grader.checks import support
from grader.checks.api import Case, CheckFailed, check
from grader.checks.frame_ranges import NOT_ZEROED, expect_ranges, result_cause
from grader.checks.host import expect_word
from grader.checks.memory_map import (
    CLEAN,
    PAGE,
    RESERVED,
    USABLE,
    Range,
    Replay,
    Request,
    free_frames,
    packed,
    packed_requests,
    random_map,
    random_requests,
    runs,
    small_map,
)

HEADER = "kernel/include/course/07-frames.h"
SOURCE = "07-frames.c"
MAPS, TRACES, REQUESTS = 23, 4, 900

World = tuple[list[Range], list[Request]]


def worlds(case: Case) -> list[World]:
    """Memory maps without requests, then small memories with many.

    In the first map the first frame of all is free, and the last one, their neighbours
    not.
    """
    rng, values = case.rng(), support.of(case)
    low, high = values["KERNEL_BASE"], values["IDENTITY_END"]
    alone = [Range(low + PAGE, 1, RESERVED), Range(high - 2 * PAGE, 1, RESERVED)]
    made: list[World] = [([Range(low, high - low, USABLE), *alone], [])]
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
    have = told_ranges(case, lines, report)
    what = f" of memory map {number + 1}"
    expect_ranges(case, have, runs(free), what=what, made=ranges)
    replay = expect_results(case, free, requests, lines, report)
    shared = {
        "cause": "The allocator wrote into a frame that is handed out, or handed it "
        "out twice.",
        "hint": "A frame is whoever's it is until it comes back: notes about it lie "
        "elsewhere.",
    }
    for word, meaning, texts in (
        ("dirty", "frames did not arrive as zeroes", NOT_ZEROED),
        ("spoiled", "frames had changed when they came back", shared),
    ):
        count = number_of(expect_word(case, lines, word, report, HEADER), 10)
        case.expect(
            count == 0,
            expected="Frames arrive zeroed, and belong to their owner alone.",
            seen=f"{count} {meaning}.",
            read=HEADER,
            **texts,
        )
    left = " that is free after all requests"
    have = told_ranges(case, lines, report)
    cause = "What was handed out is told as free, or what came back is not."
    expect_ranges(case, have, runs(replay.free), what=left, cause=cause)


def number_of(word: str, base: int) -> int:
    """A number that the program printed; what is none counts as one that is wrong."""
    try:
        return int(word, base)
    except ValueError:
        return -1


def told_ranges(case: Case, lines: Iterator[str], report: str) -> list[tuple[int, int]]:
    """First frame and length of each range that the program printed."""
    count = number_of(expect_word(case, lines, "ranges", report, HEADER), 10)
    have = []
    for _ in range(min(count, 1 << 14)):
        base, _, frames = next(lines, "").partition(" ")
        have.append((number_of(base, 16) // PAGE, number_of(frames, 16)))
    return have


def expect_results(
    case: Case,
    free: set[int],
    requests: list[Request],
    lines: Iterator[str],
    report: str,
) -> Replay:
    """Each request got what was free; the first that did not is told, even if the
    program ended soon after it."""
    results: list[int] = []
    # What frees says nothing: where the program ends lies between two that allocate.
    last, ended = 0, None
    for number, request in enumerate(requests, 1):
        if request[0] > CLEAN:
            continue
        during = f" at request {number} of {len(requests)} (frames: {request[3]})"
        if number > last + 1:
            during += f", or at a free behind request {last}"
        try:
            word = expect_word(case, lines, "result", report, HEADER, during)
        except CheckFailed as error:
            ended = error
            break
        results.append(number_of(word, 16))
        last = number
    replay = Replay.of(free, requests, results)
    wrong = replay.wrong
    case.expect(
        wrong is None,
        expected="Each request gets what was free.",
        seen=f"Request {wrong.number + 1} ({wrong.request[3]} frames) got {wrong.what}."
        if wrong
        else "",
        cause=result_cause(wrong, requests) if wrong else "",
        hint="Nothing but the gap file is at work here: it can be tried with gdb or "
        "valgrind on the host.",
        read=HEADER,
    )
    if ended:
        raise ended
    return replay
