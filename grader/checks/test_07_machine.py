# SPDX-License-Identifier: MIT
"""07-frames: the machine's own memory, to its last frame, and what must be refused."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.frame_ranges import (
    HEADER,
    LONG,
    expect_ranges,
    frames_of,
    playground,
    ranges_of,
)
from grader.checks.memory_map import PAGE, Range, free_frames, packed, runs, shown
from grader.checks.record import Evidence
from grader.machine import Boot, End, Module, Via


@boot("machine")
def machine(plan: Plan) -> Boot:
    return machine_boot(plan, "frames-machine")


@boot("exhaust")
def exhaust(plan: Plan) -> Boot:
    return machine_boot(plan, "frames-exhaust")


def machine_boot(plan: Plan, scenario: str, **fields: object) -> Boot:
    """The frames of the machine, with a module that must survive."""
    rng = plan.rng()
    data = rng.randbytes(rng.randrange(3, 9) * PAGE + rng.randrange(1, PAGE))
    plan.note("module", data)
    bits = 8 * support.word_bytes(plan.arch) - 13
    key = plan.note("key", rng.getrandbits(bits) << 12 | 1)
    return plan.boot(
        scenario,
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


@check("frame-machine", boots=(machine,))
def test_machine(case: Case) -> None:
    """Of the machine's own memory the frames are free that the map calls usable:
    nothing below 1 MiB, of the kernel, of a module, or of what the loader left."""
    case.fact("ranges", expect_whole(case, case.run(machine)))


def expect_whole(case: Case, evidence: Evidence) -> list[tuple[int, int]]:
    """frame_ranges tells of the machine's free frames; returns these."""
    have, made = ranges_of(evidence, 0), machine_map(evidence)
    expect_machine(case, evidence, sorted(frames_of(have)), "frame_ranges tells of")
    low, high = support.of(case)["KERNEL_BASE"], playground(case)[1]
    want = runs(free_frames(made, low, high))
    expect_ranges(case, have, want, what=" of this machine", made=made)
    return want


def handed_out(case: Case, evidence: Evidence, turn: int) -> list[int]:
    """The frames of one turn, in the order in which they came."""
    ((count,),) = support.array(evidence, "scenario_frame_counts", "I", turn + 1)[-1:]
    most = support.of(case)["IDENTITY_END"] // PAGE
    rows = support.array(evidence, "scenario_frames", "I", (turn + 1) * most)
    return [frame for (frame,) in rows[turn * most :][: min(count, most)]]


def expect_machine(
    case: Case, evidence: Evidence, frames: Sequence[int], how: str
) -> None:
    """In none of these frames lies something else; all of that is whole."""
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
    for frame in frames:
        at = frame * PAGE
        what = next(
            (w for w, (low, end) in taken.items() if low < at + PAGE and at < end), ""
        )
        case.expect(
            not what,
            expected=f"Nobody gets a frame of {what}.",
            seen=f"{how} {at:#x}.",
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
    truth = free_frames(machine_map(evidence), low, high)
    # What is free is for frame-machine to judge: here the submission's own word counts.
    want = frames_of(ranges_of(evidence, 0))
    case.expect(
        2 * len(want & truth) > len(truth),
        expected=f"frame_ranges tells of the machine's {len(truth)} free frames.",
        seen=f"It tells of {len(want)}.",
        cause="See frame-machine: without free frames there is nothing to hand out.",
        read=HEADER,
    )
    for turn in range(2):
        have = handed_out(case, evidence, turn)
        expect_machine(case, evidence, have, "frame_alloc returned")
        expect_all(case, have, want, again=turn == 1)
        left = ranges_of(evidence, 2 + turn)
        case.expect(
            not left,
            expected="When all frames are handed out, frame_ranges tells of none.",
            seen=f"It tells of {len(left)} ranges, the first {shown(left, 0)}.",
            cause="Frames that are handed out are still counted as free.",
            read=HEADER,
        )
    expect_ranges(
        case,
        ranges_of(evidence, 1),
        runs(want),
        what=" when all frames have come back",
        cause="Not every frame that was freed is free again.",
    )
    case.fact("frames", len(want))


def expect_all(case: Case, have: list[int], want: set[int], *, again: bool) -> None:
    """The frames handed out are those wanted, each once."""
    twice = len(have) - len(set(have))
    stray = set(have) - want
    when = ", after all had been freed" if again else ""
    if twice:
        cause = "A frame that is handed out is not marked: it is found free once more."
    elif stray:
        cause = f"{min(stray) * PAGE:#x} is one of them, and frame_ranges knew nothing "
        cause += "of it."
    elif again:
        cause = "Frames get lost when they are freed in another order than they came."
    else:
        cause = "The search ends too early: the last frames of a range, or of all "
        cause += "memory, are left out."
    case.expect(
        set(have) == want and not twice,
        expected=f"All {len(want)} frames that frame_ranges told of are handed out, "
        f"each once, before frame_alloc returns 0{when}.",
        seen=f"{len(set(have))} were, {twice} of them twice, {len(stray)} that were "
        "not free.",
        cause=cause,
        read=HEADER,
    )


WRONG = (
    "frees a frame twice",
    "frees an address within a frame",
    "frees a frame of the kernel",
    "frees an address behind all frames",
    "frees eight frames of which the fourth is free already",
    "frees nine frames of which the ninth is not handed out",
)
MANY_FROM = 4  # from here on by frames_free, as in the scenario


def refuse_boot(number: int) -> BootSpec:
    """A boot that ends with the wrong call of that number."""

    @boot(f"refuse-{number}")
    def made(plan: Plan) -> Boot:
        rng = plan.rng()
        low = playground(plan)[0] + rng.randrange(0, 64, 8) * PAGE  # a buddy's, too
        key = plan.note("key", rng.getrandbits(31) | 1)
        right = rng.randrange(1, 9)
        one = Range(low, 8 * PAGE, 0)
        return plan.boot(
            "frames-refuse",
            *support.hexadecimal(wrong=number, right=right, key=key),
            modules=(Module("maps", packed([[one]])),),
        )

    return made


REFUSED = tuple(refuse_boot(number) for number in range(len(WRONG)))


def expect_refused(case: Case, numbers: range) -> None:
    """Each of these calls ends in a panic."""
    for number in numbers:
        evidence = case.run(REFUSED[number], ends=(End.DONE, End.PANIC))
        ((now,),) = support.array(evidence, "scenario_wrong", "I", 1)
        case.expect(
            now == support.note(evidence, "key"),
            expected="Before the wrong call what is handed out can be freed.",
            seen=f"{_last_words(evidence)}.",
            cause="frame_free or frames_free refuses frames that are handed out, or "
            "does not make all of them free again; or what is free is not found, all "
            "eight frames of the memory here.",
            hint="If it panicked: which of its conditions holds, and should not?",
            read=HEADER,
        )
        fault = next((e for e in support.interrupts(evidence) if e.fault), None)
        case.expect(
            fault is None,
            expected=f"A kernel that {WRONG[number]} is stopped by a panic.",
            seen=f"{support.show(fault)}.",
            cause="The address was used, as an index perhaps, before it was looked at.",
            hint="Is it that of a frame, and below IDENTITY_END? Only then ask whether "
            "it is handed out.",
            read=HEADER,
        )
        case.expect(
            evidence.run.end is End.PANIC,
            expected=f"A kernel that {WRONG[number]} is stopped by a panic.",
            seen="It went on as if nothing had happened.",
            cause="The frame is put among the free ones unseen. Later two owners get "
            "it, and nobody knows when it went wrong.",
            hint="Keep for each frame whether it is handed out, and look there first.",
            read=HEADER,
        )
        case.fact(WRONG[number], evidence.run.end.name)


def _last_words(evidence: Evidence) -> str:
    """How a boot ended that should not have: its panic, if it was one."""
    said = evidence.diagnosis.seen if evidence.run.end is End.PANIC else ""
    return said.rstrip(".") or "The scenario ended before it came to that"


@check("frame-refuse", boots=REFUSED[:MANY_FROM])
def test_refuse(case: Case) -> None:
    """frame_free panics at a frame that is free already, at an address within a frame
    or behind all of them, and at memory that never was anybody's to hand out."""
    expect_refused(case, range(MANY_FROM))


@check("frame-runs-refuse", boots=REFUSED[MANY_FROM:])
def test_runs_refuse(case: Case) -> None:
    """frames_free panics if one of the frames is not handed out."""
    expect_refused(case, range(MANY_FROM, len(WRONG)))


@boot("grub", disc=True)
def grub(plan: Plan) -> Boot:
    return machine_boot(plan, "frames-machine", via=Via.GRUB)


@check("frame-grub", boots=(grub,), needs=("frame-machine",))
def test_grub(case: Case) -> None:
    """What frame-machine shows, with the memory map and the modules of GRUB."""
    with support.only_by_grub():
        expect_whole(case, case.run(grub))
