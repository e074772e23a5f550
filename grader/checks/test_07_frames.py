# SPDX-License-Identifier: MIT
"""07-frames: which frames are free, and what random requests get of them."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import BootSpec, Case, CheckFailed, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.frame_ranges import (
    NOT_ZEROED,
    HEADER,
    LONG,
    RANGES,
    RIGHT_FREES,
    expect_ranges,
    frees_many,
    playground,
    ranges_of,
    result_cause,
)
from grader.checks.memory_map import (
    CLEAN,
    ONE,
    PAGE,
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
from grader.checks.record import Evidence, unexpected_end
from grader.machine import Boot, End, Module

MAPS, RESULTS = 12, 512  # as in the scenario
RAM_END = 0x1F00000


@boot("maps")
def maps(plan: Plan) -> Boot:
    rng, (low, high) = plan.rng(), playground(plan)
    made = [random_map(rng, low, RAM_END, high) for _ in range(MAPS)]
    plan.note("maps", made)
    return plan.boot("frames-maps", modules=(Module("maps", packed(made)),))


@boot("room")
def room(plan: Plan) -> Boot:
    rng, (low, high) = plan.rng(), playground(plan)
    made = plan.note("map", random_map(rng, low, RAM_END, high))
    base = support.of(plan)["KERNEL_BASE"]
    # Two at least: random_map leaves a hole in the middle.
    count = len(runs(free_frames(made, base, high)))
    half = plan.note("room", rng.randrange(1, count))
    return plan.boot(
        "frames-room",
        *support.hexadecimal(room=half),
        modules=(Module("maps", packed([made])),),
    )


def requests_boot(plan: Plan, *, many: bool) -> Boot:
    """A trace in a small memory; keeps the map and the requests."""
    rng, (low, high) = plan.rng(), playground(plan)
    made = plan.note("map", small_map(rng, low))
    frames = len(free_frames(made, 0, high))
    requests = random_requests(rng, RESULTS, frames, many=many)
    plan.note("requests", requests)
    bits = 8 * support.word_bytes(plan.arch) - 13
    key = plan.note("key", rng.getrandbits(bits) << 12 | 1)
    return plan.boot(
        "frames-trace",
        *support.hexadecimal(key=key),
        modules=(
            Module("maps", packed([made])),
            Module("requests", packed_requests(requests)),
        ),
        limits=LONG,
    )


@boot("trace")
def trace(plan: Plan) -> Boot:
    return requests_boot(plan, many=False)


@boot("runs")
def many(plan: Plan) -> Boot:
    return requests_boot(plan, many=True)


@check("frame-map", boots=(maps, room))
def test_map(case: Case) -> None:
    """Of any memory map exactly the whole usable frames are free that nothing reserved
    touches; frame_ranges tells them in order, each range as long as it can be."""
    evidence = case.run(maps)
    high = playground(case)[1]
    for number, made in enumerate(support.note(evidence, "maps")):
        low = support.of(case)["KERNEL_BASE"]
        want = runs(free_frames(made, low, high))
        have = ranges_of(evidence, number)
        expect_ranges(
            case, have, want, what=f" of the random memory map {number + 1}", made=made
        )
        case.fact(f"map {number}", want)
    evidence = case.run(room)
    low = support.of(case)["KERNEL_BASE"]
    want = runs(free_frames(support.note(evidence, "map"), low, high))
    half = support.note(evidence, "room")
    counts = support.array(evidence, "scenario_range_counts", "I", 2)
    case.expect(
        [count for (count,) in counts] == [len(want)] * 2,
        expected=f"frame_ranges returns {len(want)}, how many ranges there are, also "
        f"with room for {half}, and with room for none.",
        seen=f"It returned {counts[0][0]} and {counts[1][0]}.",
        cause="It counts only what it stores.",
        hint="Go on counting when the room is used up.",
        read=HEADER,
    )
    stored = ranges_of(evidence, 0)
    dirt = support.array(evidence, "scenario_ranges", "I", RANGES)
    word = support.word_bytes(case.arch) // 4
    beyond = dirt[2 * word * half]
    case.expect(
        stored[:half] == want[:half] and beyond == (0xA5A5A5A5,),
        expected=f"It stores the first {half} ranges, and nothing behind them.",
        seen="It stored others, or wrote behind the room that it was given.",
        cause="The room is not looked at before a range is stored.",
        read=HEADER,
    )


@check("frame-trace", boots=(trace,))
def test_trace(case: Case) -> None:
    """Hundreds of frame_alloc and frame_free in random order: each frame is one that
    was free, nobody else gets it meanwhile, and it is free again afterwards."""
    replay = expect_replay(case, trace)
    expect_free(case, trace, replay)
    case.fact("free", len(replay.free))


@check("frame-zero", boots=(trace,))
def test_zero(case: Case) -> None:
    """Every frame arrives filled with zeroes, also one that somebody has used."""
    expect_zero(case, trace)


def expect_zero(case: Case, spec: BootSpec) -> None:
    """Frames were zeroed when they came, and those that nobody wrote to still are."""
    evidence = case.run(spec, ends=(End.DONE, End.PANIC))
    dirty = [n for (n,) in support.array(evidence, "scenario_dirty", "I", 2)]
    which = 0 if spec is trace else 1
    case.expect(
        dirty[which] == 0,
        expected="All 4096 bytes of a frame are 0 when it is handed out.",
        seen=f"{dirty[which]} frames of {('frame_alloc', 'frames_alloc')[which]} were "
        "not.",
        **NOT_ZEROED,
        read=HEADER,
    )
    expect_played(case, evidence)
    replay = replay_of(case, evidence)
    for frame in sorted(replay.clean):
        bits = evidence.ram.read(frame * PAGE, PAGE)
        case.expect(
            not any(bits),
            expected=f"The frame at {frame * PAGE:#x} is still zeroed at the end: "
            "nobody wrote to it since it was handed out.",
            seen=f"It is not, from byte {_first(bits)} on.",
            cause="The allocator keeps something of its own in a frame that is handed "
            "out, or never zeroed it.",
            read=HEADER,
        )
    case.fact(spec.name, len(replay.clean))


def expect_free(case: Case, spec: BootSpec, replay: Replay) -> None:
    """After a trace frame_ranges tells of the frames that nobody has."""
    expect_ranges(
        case,
        ranges_of(case.run(spec), 0),
        runs(replay.free),
        what=" that is free after all requests",
        cause="What was handed out is told as free, or what came back is not.",
    )


def _first(data: bytes) -> int:
    return next((n for n, byte in enumerate(data) if byte), len(data))


@check("frame-runs", boots=(many,))
def test_runs(case: Case) -> None:
    """Requests for many frames side by side get them wherever there is room; parts of
    them come back in any order, and free neighbours serve larger requests again."""
    replay = expect_replay(case, many)
    expect_free(case, many, replay)
    expect_zero(case, many)
    case.fact("free", len(replay.free))


def replay_of(case: Case, evidence: Evidence) -> Replay:
    """The trace as the submission's results tell it."""
    ((count,),) = support.array(evidence, "scenario_result_count", "I", 1)
    word = arch_of(case).word
    rows = support.array(evidence, "scenario_results", word, min(count, RESULTS))
    free = free_frames(
        support.note(evidence, "map"), support.of(case)["KERNEL_BASE"], RAM_END
    )
    requests: list[Request] = support.note(evidence, "requests")
    return Replay.of(free, requests, [result for (result,) in rows])


def expect_played(case: Case, evidence: Evidence) -> None:
    """The trace came to its end, and every request got an answer."""
    requests: list[Request] = support.note(evidence, "requests")
    if evidence.run.end is End.PANIC:
        failed = unexpected_end(evidence)
        if isinstance(failed, CheckFailed) and frees_many(requests):
            failed.hint += f" All requests of the trace are right: {RIGHT_FREES}."
        raise failed
    ((count,),) = support.array(evidence, "scenario_result_count", "I", 1)
    must = sum(kind <= CLEAN for kind, *_ in requests)
    case.expect(
        count == must,
        expected=f"All {must} requests for frames are answered.",
        seen=f"{count} were.",
        cause="An answer was no address of RAM, and with that the trace ended; or the "
        "function never came back to its caller.",
        read=HEADER,
    )


def expect_replay(case: Case, spec: BootSpec) -> Replay:
    """Every result could be, and what was written into frames stayed there.

    A panic may come of a result that was wrong long before, so results come first.
    """
    evidence = case.run(spec, ends=(End.DONE, End.PANIC))
    replay = replay_of(case, evidence)
    wrong = replay.wrong
    if wrong:
        kind, _, _, count = wrong.request
        one = kind == ONE or (kind == CLEAN and count == 1)
        call = "frame_alloc()" if one else f"frames_alloc({count})"
        case.fail(
            expected=f"Request {wrong.number + 1}, {call}, gets what was free"
            f" ({len(replay.free)} frames were).",
            seen=f"It got {wrong.what}.",
            cause=result_cause(wrong, support.note(evidence, "requests")),
            hint="Print frame_ranges around the request in a small scenario of your "
            f"own, or repeat this one: break at request {wrong.number + 1}.",
            read=HEADER,
        )
    expect_played(case, evidence)
    ((spoiled,),) = support.array(evidence, "scenario_spoiled", "I", 1)
    case.expect(
        spoiled == 0,
        expected="What the owner of a frame writes into it stays there.",
        seen=f"{spoiled} frames had changed when they were given back.",
        cause="The allocator writes into frames that are handed out, or hands one out "
        "twice.",
        hint="A list that lies in the frames may use free ones only.",
        read=HEADER,
    )
    key = support.note(evidence, "key")
    size = support.word_bytes(case.arch)
    for frame in sorted(replay.owned):
        have = int.from_bytes(evidence.ram.read(frame * PAGE, size), "little")
        case.expect(
            have == frame * PAGE ^ key,
            expected=f"The word in the frame at {frame * PAGE:#x} is the one that its "
            "owner wrote.",
            seen=f"It is {have:#x}.",
            cause="Two owners share the frame, or the allocator writes into it.",
            read=HEADER,
        )
    return replay
