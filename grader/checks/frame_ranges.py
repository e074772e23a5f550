# SPDX-License-Identifier: MIT
"""What the checks of 07 share: the ranges that frame_ranges gave, and their faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from grader.checks import support
from grader.checks.api import Case, Plan
from grader.checks.arch import arch_of
from grader.checks.memory_map import (
    FREES,
    JOIN,
    KERNEL_BASE,
    PAGE,
    USABLE,
    Range,
    Request,
    Wrong,
    shown,
)
from grader.checks.record import Evidence
from grader.machine import Limits

HEADER = "kernel/include/course/07-frames.h"
RANGES = 128  # as in the scenario
WORD = 1 << 32
CUT = (
    "A range of the map that begins above 4 GiB would reach it if its address were cut "
    "to 32 bits. Addresses of the map have 64 bits, in 32-bit mode too."
)
LONG = Limits(cpu_s=6.0)
RIGHT_FREES = (
    "all frames of a run are handed out, what came in one piece goes back in parts as "
    "well, and frames_free of 0 frames frees none"
)
NOT_ZEROED = {
    "cause": "What the last owner wrote is still there, with which a program could "
    "read another's secrets; or what the firmware left, or a note of the allocator's "
    "own.",
    "hint": "memset(…, 0, PAGE_BYTES) right before a frame is returned, for every "
    "frame of a run.",
}


def playground(plan: Plan | Case) -> tuple[int, int]:
    """RAM that nothing else uses while these scenarios run, and where all ends."""
    values = support.of(plan)
    return values["FRAME_POOL_BASE"], values["IDENTITY_END"]


def ranges_of(evidence: Evidence, number: int) -> list[tuple[int, int]]:
    """What frame_ranges stored for a map: first frame and length, as it stands."""
    ((count,),) = support.array(evidence, "scenario_range_counts", "I", number + 1)[-1:]
    pair = arch_of(evidence).words(2)
    rows = support.array(evidence, "scenario_ranges", pair, (number + 1) * RANGES)
    found = rows[number * RANGES :][: min(count, RANGES)]
    return [(base // PAGE if base % PAGE == 0 else -1, size) for base, size in found]


def expect_ranges(
    case: Case,
    have: Sequence[tuple[int, int]],
    want: Sequence[tuple[int, int]],
    *,
    what: str = "",
    made: Sequence[Range] = (),
    cause: str = "",
) -> None:
    """The ranges are these; the first difference is shown, with its likely cause.

    what: whose ranges; made: the memory map that they come of; cause: for ranges that
    come of something else.
    """
    at = next((n for n, pair in enumerate(zip(have, want)) if pair[0] != pair[1]), None)
    if at is None and len(have) != len(want):
        at = min(len(have), len(want))
    if at is None:
        return
    case.fail(
        expected=f"Range {at + 1} of {len(want)}{what} is {shown(want, at)}.",
        seen=f"frame_ranges gives {shown(have, at)}, and {len(have)} ranges in all.",
        cause=_order(have, want) or cause or map_cause(have, want, made),
        hint=_mend(have, want) if made else "",
        read=HEADER,
    )


def _mend(have: Sequence[tuple[int, int]], want: Sequence[tuple[int, int]]) -> str:
    """What to do about frames that are on the wrong side of a memory map."""
    wrong = [number * PAGE for number in frames_of(have) - frames_of(want)]
    if any(frame < KERNEL_BASE for frame in wrong):
        return (
            "Frames below KERNEL_BASE and from IDENTITY_END on are never free, "
            "whatever the map says."
        )
    return (
        "Usable ranges shrink to whole frames only when all of them are joined; a "
        "reserved byte takes its whole frame."
    )


def frames_of(ranges: Sequence[tuple[int, int]]) -> set[int]:
    """The frames of ranges that a submission wrote, of any size."""
    most = 1 << 15
    return {f for first, n in ranges for f in range(first, first + min(n, most))}


def _order(have: Sequence[tuple[int, int]], want: Sequence[tuple[int, int]]) -> str:
    """What is wrong if the frames themselves are the right ones."""
    if frames_of(have) != frames_of(want):
        return ""
    if list(have) != sorted(have):
        return "The frames are the right ones, but the ranges are not ascending."
    return "The frames are the right ones, but a range is split: two of them adjoin."


def map_cause(
    have: Sequence[tuple[int, int]],
    want: Sequence[tuple[int, int]],
    made: Sequence[Range],
) -> str:
    """The first frame that is on the wrong side, and which range decides that."""
    more = sorted(frames_of(have) - frames_of(want))
    less = sorted(frames_of(want) - frames_of(have))
    cut = [replace(one, base=one.base % WORD) for one in made if one.base >= WORD]
    if not more or (less and less[0] < more[0]):
        frame = less[0] * PAGE
        over = _touching(frame, cut, usable=False)
        held = frames_of(have)
        if over and not any(_touching(f * PAGE, over, usable=False) for f in held):
            return f"The frame {frame:#x} is free. {CUT}"
        return f"The frame {frame:#x} is free: all of it is usable, and nothing " + (
            f"reserved touches it.{_free_because(frame, want, made)}"
        )
    first = more[0] * PAGE
    if first < KERNEL_BASE:
        return f"The frame {first:#x} is not free: it lies below KERNEL_BASE."
    taken = _touching(first, made, usable=False)
    if taken:
        return f"The frame {first:#x} is not free: it shares bytes with {taken[0]}."
    for frame in [number * PAGE for number in more[: 1 << 14]]:
        ram = _touching(frame, made, usable=True)
        if not ram and _touching(frame, cut, usable=True):
            return f"The frame {frame:#x} is not free: it is no RAM. {CUT}"
    part = _touching(first, made, usable=True)
    return (
        f"The frame {first:#x} is not free: "
        + (f"only a part of it is RAM, {part[0]}; " if part else "it is no RAM, ")
        + "or it lies from IDENTITY_END on."
    )


def _free_because(
    frame: int, want: Sequence[tuple[int, int]], made: Sequence[Range]
) -> str:
    """What is special about the frame at that address, which is free."""
    said = ""
    ram = _touching(frame, made, usable=True)
    if len(ram) > 1:
        said += f" {ram[0]} and {ram[1]} meet in it: these are one."
    near = [one for one in made if one.kind and _nearly(one, frame)]
    if near:
        said += (
            f" {near[0]} does not: its base plus its bytes is the first byte behind "
            "it, and an empty range has none."
        )
    if any(frame // PAGE in (first, first + count - 1) for first, count in want):
        said += " It is the first or the last one of a free range."
    return said


def _touching(frame: int, ranges: Sequence[Range], *, usable: bool) -> list[Range]:
    """Those that share a byte with the frame at that address."""
    return [
        one
        for one in ranges
        if (one.kind == USABLE) == usable
        and one.size
        and one.base < frame + PAGE
        and frame < one.end
    ]


def _nearly(one: Range, frame: int) -> bool:
    """A range that ends or begins at the frame's edge, or is empty and within it."""
    if not one.size:
        return frame <= one.base < frame + PAGE
    return one.end == frame or one.base == frame + PAGE


def frees_many(requests: Iterable[Request]) -> bool:
    """Whether these requests call frames_free."""
    return any(kind in (FREES, JOIN) for kind, *_ in requests)


def result_cause(wrong: Wrong, requests: Iterable[Request]) -> str:
    """The likely cause when one of the requests got what it must not get."""
    what = wrong.what
    first = " The result is the address of the first one." * (wrong.request[3] > 1)
    if what.startswith("nothing"):
        least = (
            "free neighbours are not taken together, or a range that is just long "
            "enough is passed over: there were enough side by side"
            if wrong.request[3] > 1
            else "the search ends before it has seen all that are free"
        )
        return f"Freed frames do not come back, or {least}."
    if "already" in what:
        mistake = "The frame was not marked when it was handed out, or freed by mistake"
        frees = f": {RIGHT_FREES}." if frees_many(requests) else "."
        return mistake + frees + first
    if "never" in what:
        limit = "The frame is none of the map's, or somebody else's: a limit is wrong."
        return limit + first
    if "asked for" in what:
        return "frames_alloc(0) has nothing to give: its result is 0."
    if "so many" in what:
        return "frames * PAGE_BYTES is more than a word holds: what is left is small."
    return "The address is not that of a frame."
