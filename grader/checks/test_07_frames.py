# SPDX-License-Identifier: MIT
"""07-frames: which frames are free, and what random requests get of them."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
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
from grader.checks.record import Evidence
from grader.machine import Boot, End, Limits, Module, Via

HEADER = "kernel/include/course/07-frames.h"
MAPS, RANGES, RESULTS = 12, 128, 512  # as in the scenario
RAM_END = 0x1F00000
LONG = Limits(cpu_s=6.0)


def playground(plan: Plan | Case) -> tuple[int, int]:
    """RAM that nothing else uses while these scenarios run, and where all ends."""
    values = support.of(plan)
    return values["FRAME_POOL_BASE"], values["IDENTITY_END"]


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
    count = len(runs(free_frames(made, 0, high)))
    half = plan.note("room", rng.randrange(1, max(2, count)))
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


def ranges_of(evidence: Evidence, number: int) -> list[tuple[int, int]]:
    """What frame_ranges stored for a map: first frame and length, as it stands."""
    ((count,),) = support.array(evidence, "scenario_range_counts", "I", number + 1)[-1:]
    word = "I" if support.word_bytes(evidence.arch) == 4 else "Q"
    rows = support.array(evidence, "scenario_ranges", 2 * word, (number + 1) * RANGES)
    found = rows[number * RANGES :][: min(count, RANGES)]
    return [(base // PAGE if base % PAGE == 0 else -1, size) for base, size in found]


def expect_ranges(
    case: Case, have: Sequence[tuple[int, int]], want: Sequence[tuple[int, int]]
) -> None:
    """The ranges are these; the first difference is shown, with its likely cause."""
    at = next((n for n, pair in enumerate(zip(have, want)) if pair[0] != pair[1]), None)
    if at is None and len(have) != len(want):
        at = min(len(have), len(want))
    if at is None:
        return
    case.fail(
        expected=f"Range {at + 1} of {len(want)} is {shown(want, at)}.",
        seen=f"frame_ranges gives {shown(have, at)}, and {len(have)} ranges in all.",
        cause=_cause(list(have), list(want), at),
        hint="Usable ranges shrink to whole frames only when all of them are joined; "
        "a reserved byte takes its whole frame.",
        read=HEADER,
    )


def _cause(have: list[tuple[int, int]], want: list[tuple[int, int]], at: int) -> str:
    frames = [
        {f for first, n in part for f in range(first, first + min(n, 1 << 15))}
        for part in (have, want)
    ]
    more, less = frames[0] - frames[1], frames[1] - frames[0]
    if not more and not less:
        return "The frames are the right ones, but a range is split, or out of order."
    if have != sorted(have):
        return "The ranges are not in ascending order."
    if more:
        return (
            f"The frame {min(more) * PAGE:#x} is not free: it shares bytes with what "
            "is reserved or not usable, is no RAM as a whole, or lies outside of "
            "KERNEL_BASE to IDENTITY_END."
        )
    return (
        f"The frame {min(less) * PAGE:#x} is free: all of it is usable, and nothing "
        "reserved touches it. Perhaps two usable ranges meet in it, or the end of a "
        "range (one past its last byte) was taken for its last byte."
    )


@check("frame-map", boots=(maps, room))
def test_map(case: Case) -> None:
    """Of any memory map exactly the whole usable frames are free that nothing reserved
    touches; frame_ranges tells them in order, each range as long as it can be."""
    evidence = case.run(maps)
    high = playground(case)[1]
    for number, made in enumerate(support.note(evidence, "maps")):
        low = support.of(case)["KERNEL_BASE"]
        want = runs(free_frames(made, low, high))
        expect_ranges(case, ranges_of(evidence, number), want)
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
    case.fact("free", sorted(replay.free) and len(replay.free))


@check("frame-zero", boots=(trace, many))
def test_zero(case: Case) -> None:
    """Every frame arrives filled with zeroes, also one that somebody has used."""
    for spec in (trace, many):
        evidence = case.run(spec)
        ((dirty,),) = support.array(evidence, "scenario_dirty", "I", 1)
        case.expect(
            dirty == 0,
            expected="All 4096 bytes of a frame are 0 when it is handed out.",
            seen=f"{dirty} frames were not.",
            cause="What the last owner wrote is still there: with it a program could "
            "read another's secrets.",
            hint="memset(…, 0, PAGE_BYTES) before a frame is returned, for every frame "
            "of a run.",
            read=HEADER,
        )
        replay = replay_of(case, evidence)
        for frame in sorted(replay.clean):
            bits = evidence.ram.read(frame * PAGE, PAGE)
            case.expect(
                not any(bits),
                expected=f"The frame at {frame * PAGE:#x} is still zeroed at the end: "
                "nobody wrote to it since it was handed out.",
                seen=f"It is not, from byte {_first(bits)} on.",
                cause="The allocator keeps something of its own in a frame that is "
                "handed out, or never zeroed it.",
                read=HEADER,
            )
        case.fact(spec.name, len(replay.clean))


def _first(data: bytes) -> int:
    return next((n for n, byte in enumerate(data) if byte), len(data))


@check("frame-runs", boots=(many,))
def test_runs(case: Case) -> None:
    """Requests for many frames side by side get them wherever there is room; parts of
    them come back in any order, and free neighbours serve larger requests again."""
    replay = expect_replay(case, many)
    evidence = case.run(many)
    expect_ranges(case, ranges_of(evidence, 0), runs(replay.free))
    case.fact("free", len(replay.free))


def replay_of(case: Case, evidence: Evidence) -> Replay:
    """The trace as the submission's results tell it."""
    word = "I" if support.word_bytes(case.arch) == 4 else "Q"
    ((count,),) = support.array(evidence, "scenario_result_count", "I", 1)
    rows = support.array(evidence, "scenario_results", word, min(count, RESULTS))
    free = free_frames(
        support.note(evidence, "map"), support.of(case)["KERNEL_BASE"], RAM_END
    )
    requests: list[Request] = support.note(evidence, "requests")
    return Replay.of(free, requests, [result for (result,) in rows])


def expect_replay(case: Case, spec: BootSpec) -> Replay:
    """Every result could be, and what was written into frames stayed there."""
    evidence = case.run(spec)
    replay = replay_of(case, evidence)
    wrong = replay.wrong
    if wrong:
        kind, _, _, count = wrong.request
        call = "frame_alloc()" if kind == 0 else f"frames_alloc({count})"
        case.fail(
            expected=f"Request {wrong.number + 1}, {call}, gets what was free"
            f" ({len(replay.free)} frames were).",
            seen=f"It got {wrong.what}.",
            cause=_why(wrong.what),
            hint="Print frame_ranges around the request in a small scenario of your "
            f"own, or repeat this one: break at request {wrong.number + 1}.",
            read=HEADER,
        )
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


def _why(what: str) -> str:
    if what.startswith("nothing"):
        return (
            "Freed frames do not come back, or free neighbours are not taken together: "
            "there were enough side by side."
        )
    if "already" in what:
        return "The frame was not marked when it was handed out, or freed by mistake."
    if "never" in what:
        return "The frame is none of the map's, or somebody else's: a limit is wrong."
    return "The address is not that of a frame."


@boot("exhaust")
def exhaust(plan: Plan) -> Boot:
    return machine_boot(plan)


def machine_boot(plan: Plan, **fields: object) -> Boot:
    """All frames of the machine, with a module that must survive."""
    rng = plan.rng()
    data = rng.randbytes(rng.randrange(3, 9) * PAGE + rng.randrange(1, PAGE))
    plan.note("module", data)
    bits = 8 * support.word_bytes(plan.arch) - 13
    key = plan.note("key", rng.getrandbits(bits) << 12 | 1)
    return plan.boot(
        "frames-exhaust",
        *support.hexadecimal(key=key, step=rng.randrange(101, 999, 2)),
        modules=(Module("witness", data),),
        limits=LONG,
        **fields,
    )


def machine_map(evidence: Evidence) -> list[Range]:
    """What the boot loader told the kernel, and what the kernel reserves."""
    layout = "QQB3x" if evidence.arch == "i386" else "QQB7x"
    found = []
    for name, reserved in (("boot_map", False), ("boot_reserved", True)):
        most = 128 if reserved else 64
        for base, size, usable in support.array(evidence, name, layout, most):
            found.append(Range(base, size, 2 if reserved else 1 - usable))
    return [one for one in found if one.size]


@check("frame-machine", boots=(exhaust,))
def test_machine(case: Case) -> None:
    """Of the machine's own memory the frames are free that the map calls usable:
    nothing below 1 MiB, of the kernel, of a module, or of what the loader left."""
    evidence = case.run(exhaust)
    expect_machine(case, evidence)
    low, high = support.of(case)["KERNEL_BASE"], playground(case)[1]
    want = runs(free_frames(machine_map(evidence), low, high))
    expect_ranges(case, ranges_of(evidence, 0), want)
    case.fact("ranges", want)


def handed_out(case: Case, evidence: Evidence, turn: int) -> list[int]:
    """The frames of one turn, in the order in which they came."""
    ((count,),) = support.array(evidence, "scenario_frame_counts", "I", turn + 1)[-1:]
    most = support.of(case)["IDENTITY_END"] // PAGE
    rows = support.array(evidence, "scenario_frames", "I", (turn + 1) * most)
    return [frame for (frame,) in rows[turn * most :][: min(count, most)]]


def expect_machine(case: Case, evidence: Evidence) -> None:
    """No frame was handed out that something else lies in; all of that is whole."""
    values = support.of(case)
    image = tuple(
        support.address_of(evidence, name) for name in ("image_text_start", "image_end")
    )
    data = support.note(evidence, "module")
    place = evidence.ram.find(data)
    case.expect(
        place is not None,
        expected="The module lies in memory as the boot loader put it there.",
        seen="Its bytes are nowhere in memory any more.",
        cause="Frames of the module were handed out, and somebody wrote to them.",
        hint="memory_reserved() names the modules; a part of a frame takes all of it.",
        read=HEADER,
    )
    taken = {
        "the first MiB": (0, values["KERNEL_BASE"]),
        "the kernel's image": image,
        "the kernel's heap and stacks": (
            values["HEAP_BASE"],
            values["FRAME_POOL_BASE"],
        ),
        "the module": (place or 0, (place or 0) + len(data)),
    }
    for frame in handed_out(case, evidence, 0):
        at = frame * PAGE
        what = next(
            (w for w, (low, end) in taken.items() if low < at + PAGE and at < end), ""
        )
        case.expect(
            not what,
            expected=f"Nobody gets a frame of {what}.",
            seen=f"frame_alloc returned {at:#x}.",
            cause="A reserved range was ignored, or cut to whole frames: its first and "
            "last bytes count too.",
            hint="Round reserved ranges outwards, usable ones inwards.",
            read=HEADER,
        )


@check("frame-exhaust", boots=(exhaust,))
def test_exhaust(case: Case) -> None:
    """frame_alloc hands out every free frame once, then 0; all of them come back, and
    can be had again."""
    evidence = case.run(exhaust)
    low, high = support.of(case)["KERNEL_BASE"], playground(case)[1]
    want = free_frames(machine_map(evidence), low, high)
    for turn in range(2):
        have = handed_out(case, evidence, turn)
        twice = len(have) - len(set(have))
        case.expect(
            set(have) == want and not twice,
            expected=f"All {len(want)} free frames are handed out, each once, before "
            "frame_alloc returns 0.",
            seen=f"{len(set(have))} were, {twice} of them twice, "
            f"{len(set(have) - want)} that are not free"
            + (", after all had been freed." if turn else "."),
            cause="Frames get lost when they are freed in another order than they were "
            "allocated."
            if turn
            else "The last frames of a range are left out, or a "
            "frame is handed out again.",
            read=HEADER,
        )
        left = ranges_of(evidence, 2 + turn)
        case.expect(
            not left,
            expected="When all frames are handed out, frame_ranges tells of none.",
            seen=f"It tells of {len(left)} ranges, the first {shown(left, 0)}.",
            cause="Frames that are handed out are still counted as free.",
            read=HEADER,
        )
    expect_ranges(case, ranges_of(evidence, 1), runs(want))
    case.fact("frames", len(want))


WRONG = (
    "frees a frame twice",
    "frees an address within a frame",
    "frees a frame of the kernel",
    "frees eight frames of which the fourth is free already",
    "frees nine frames of which the ninth is not handed out",
)


def refuse_boot(number: int) -> BootSpec:
    """A boot that ends with the wrong call of that number."""

    @boot(f"refuse-{number}")
    def made(plan: Plan) -> Boot:
        low = playground(plan)[0] + plan.rng().randrange(64) * PAGE
        one = Range(low, 8 * PAGE, 0)
        return plan.boot(
            "frames-refuse",
            *support.hexadecimal(wrong=number),
            modules=(Module("maps", packed([[one]])),),
        )

    return made


REFUSED = tuple(refuse_boot(number) for number in range(len(WRONG)))


def expect_refused(case: Case, numbers: range) -> None:
    """Each of these calls ends in a panic."""
    for number in numbers:
        evidence = case.run(REFUSED[number], ends=(End.DONE, End.PANIC))
        case.expect(
            evidence.run.end is End.PANIC and "the wrong one" in evidence.console,
            expected=f"A kernel that {WRONG[number]} is stopped by a panic.",
            seen="It went on as if nothing had happened."
            if evidence.run.end is End.DONE
            else "It panicked before the wrong call.",
            cause="The frame is put among the free ones unseen. Later two owners get "
            "it, and nobody knows when it went wrong.",
            hint="Keep for each frame whether it is handed out, and look there first.",
            read=HEADER,
        )
        case.fact(WRONG[number], evidence.run.end.name)


@check("frame-refuse", boots=REFUSED[:3])
def test_refuse(case: Case) -> None:
    """frame_free panics at a frame that is free already, at an address within a frame,
    and at memory that never was anybody's to hand out."""
    expect_refused(case, range(3))


@check("frame-runs-refuse", boots=REFUSED[3:])
def test_runs_refuse(case: Case) -> None:
    """frames_free panics if one of the frames is not handed out."""
    expect_refused(case, range(3, len(WRONG)))


@boot("grub")
def grub(plan: Plan) -> Boot:
    return machine_boot(plan, via=Via.GRUB)


@check("frame-grub", boots=(grub,), needs=("frame-machine",))
def test_grub(case: Case) -> None:
    """The same with the memory map and the modules of GRUB."""
    with support.only_by_grub():
        evidence = case.run(grub)
        expect_machine(case, evidence)
        low, high = support.of(case)["KERNEL_BASE"], playground(case)[1]
        want = runs(free_frames(machine_map(evidence), low, high))
        expect_ranges(case, ranges_of(evidence, 0), want)
