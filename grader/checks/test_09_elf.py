# SPDX-License-Identifier: MIT
"""09-programs: which images are programs."""

from __future__ import annotations

import struct

from grader.checks import elf_odd, support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.elf_images import (
    DAMAGES,
    NAMES,
    ENTRY,
    FORMAT,
    MACHINE,
    OK,
    OVERLAP,
    PLACE,
    SEGMENTS,
    SHORT,
    SIZE,
    TYPE,
    damaged,
    faults,
    mutated,
    names,
    numbers,
)
from grader.checks.host import expect_word
from grader.checks.program_runs import HEADER, PROGRAM, READ_ELF, bounds, image_at
from grader.machine import Boot, Module

HOST_IMAGES = 250  # of each kind


TOO_NARROW = {
    SHORT: "All bytes that it needs are there: perhaps a sum counts one too many, or a "
    "header that is not to be loaded was looked at.",
    SIZE: "A segment may have as many bytes in the file as in memory.",
    PLACE: "All of it lies from PROGRAM_LOW to below PROGRAM_HIGH; a segment without "
    "memory lies nowhere.",
    OVERLAP: "No page is touched twice; a segment without memory touches none.",
    ENTRY: "The entry is in the memory of a segment that is ELF_EXEC: any byte of it "
    "will do, the first and the last one as well.",
}


OTHERWISE = (
    "A test looks at another field than it should, or trusts it to be what linkers "
    "usually make."
)


HINTS = {
    SHORT: "Compare an offset with bytes, then a length with what is left behind it: a "
    "sum of two numbers out of a file can wrap around.",
    FORMAT: "The first seven bytes: the magic ones, class, order, version.",
    MACHINE: "ELF_MACHINE is the processor that this kernel is for.",
    TYPE: "A library or an object has an entry, too; only ELF_EXECUTABLE says that it "
    "is a program for the addresses that stand in it.",
    SEGMENTS: "segment_bytes is how far the headers are apart; and something must be "
    "left to load when segments of no bytes are taken away.",
    SIZE: "file_bytes above memory_bytes would be copied to where nothing belongs.",
    PLACE: "va against both ends; then memory_bytes against what is left from va to "
    "PROGRAM_HIGH: their sum can wrap around.",
    OVERLAP: "Round down both begins and compare with the other's last byte: what "
    "counts are pages.",
    ENTRY: "va <= entry <= last byte, of a segment that is ELF_EXEC.",
}


@boot("images")
def images(plan: Plan) -> Boot:
    """Good images and damaged ones, in any order."""
    rng, good = plan.rng(), image_at(plan)
    usual = plan.program(PROGRAM, elf=True)
    made = [("it is a good program", good), ("it is a good program", usual)]
    for how in DAMAGES:
        made.append((how, damaged(rng, plan.arch, good, how, bounds(plan))))
    return judged(plan, made)


@boot("odd-images")
def odd_images(plan: Plan) -> Boot:
    """Images that no linker makes, right ones and ones wrong by one byte."""
    rng, where = plan.rng(), bounds(plan)
    made = [
        (elf_odd.GOOD, elf_odd.good(rng, plan.arch, where, entry))
        for entry in (0, 5, -1)
    ]
    made.append((elf_odd.EXACT, elf_odd.exact(rng, plan.arch, where)))
    for how in elf_odd.edges(plan.arch):
        made.append((how, elf_odd.wrong(rng, plan.arch, how, where)))
    return judged(plan, made)


def judged(plan: Plan, made: list[tuple[str, bytes]]) -> Boot:
    plan.rng("order").shuffle(made)
    plan.note("images", made)
    modules = tuple(Module(f"image{n}", data) for n, (_, data) in enumerate(made))
    return plan.boot("elf-check", modules=modules)


@check("elf-accept", boots=(images, odd_images))
def test_accept(case: Case) -> None:
    """elf_check accepts a good program, wherever in user memory it wants to lie."""
    for what, want, have in answers(case, images) + answers(case, odd_images):
        if want == {OK}:
            case.expect(
                have == OK,
                expected=f"elf_check returns E_OK: {what}.",
                seen=f"It returned {NAMES.get(have, have)}.",
                cause=TOO_NARROW.get(have, OTHERWISE),
                hint="Segments may begin anywhere in a page, and come in any order; "
                "one without memory_bytes, or that is not ELF_LOAD, is none of yours. "
                "Print the fields, and compare them with readelf -lh.",
                read=READ_ELF,
            )
    case.fact("accepted", True)


@check("elf-refuse", boots=(images, odd_images), needs=("elf-accept",))
def test_refuse(case: Case) -> None:
    """Some thirty kinds of damaged image are refused, each with the code of its
    fault."""
    for what, want, have in answers(case, images) + answers(case, odd_images):
        if want != {OK}:
            case.expect(
                have in want,
                expected=f"elf_check returns {names(want)}: {what}.",
                seen=f"It returned {NAMES.get(have, have)}.",
                cause="Nobody looks at that, or too late: after the number was used."
                if have == OK
                else "Another test comes first, and is wrong about this image.",
                hint=min((HINTS[code] for code in want if code in HINTS), default=""),
                read=HEADER,
            )
    case.fact("refused", len(DAMAGES) + len(elf_odd.edges(case.arch)))


def answers(case: Case, spec: BootSpec) -> list[tuple[str, set[int], int]]:
    """What each image is, the codes that are right, and the one that came."""
    evidence = case.run(spec)
    made = support.note(evidence, "images")
    have = support.array(evidence, "scenario_checked", "i", len(made))
    return [
        (what, faults(case.arch, data, bounds(case)), code)
        for (what, data), (code,) in zip(made, have)
    ]


@check("elf-host", boots=(images, odd_images))
def test_host(case: Case) -> None:
    """elf_check on the host, under address and undefined-behaviour sanitizers: hundreds
    of images with changed headers, and not one byte is read beyond their end."""
    rng = case.rng()
    usual = support.note(case.run(images), "images")
    strange = support.note(case.run(odd_images), "images")
    good = next(data for what, data in usual if what == "it is a good program")
    odd = next(data for what, data in strange if what == elf_odd.GOOD)
    made = [data for _, data in usual + strange]
    made += [good[:n] for n in (0, 1, 4, 16, 51, 52, 63, 64, 83, 84, 119, 120, 121)]
    made += [
        mutated(rng, case.arch, one) for one in (good, odd) for _ in range(HOST_IMAGES)
    ]
    data = b"".join(struct.pack("<I", len(one)) + one for one in made)
    result = case.host("09-programs.c", ["elf.c"], data)
    report = result.stderr.decode("utf-8", "replace")
    lines = iter(result.stdout.decode("utf-8", "replace").splitlines())
    for number, one in enumerate(made):
        want = faults(case.arch, one, bounds(case))
        have = int(expect_word(case, lines, "answer", report, HEADER))
        case.expect(
            have in want,
            expected=f"elf_check returns {names(want)} for image {number + 1} of "
            f"{len(made)}.",
            seen=f"It returned {NAMES.get(have, have)}. The image: "
            f"{numbers(case.arch, one)}.",
            cause="Header bytes of a good program were changed at random: a test is "
            "missing, or wrong at its limit.",
            hint=min((HINTS[code] for code in want if code in HINTS), default="")
            or TOO_NARROW.get(have, ""),
            read=HEADER,
        )
    case.fact("images", len(made))
