# SPDX-License-Identifier: MIT
"""09-programs: what is in memory of a program, and the page of its arguments."""

from __future__ import annotations

import random

from grader.checks import elf_odd, support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.elf_images import EXEC, LOAD, OK, WRITE, Image
from grader.checks.program_runs import (
    HEADER,
    READ_ELF,
    bounds,
    image_at,
    random_words,
)
from grader.checks.record import Evidence
from grader.checks.spaces import PAGE, READ_PAGES, frames_lost, shown, walk
from grader.evidence import paging
from grader.machine import Boot, Module

E_INVAL = -1
ARGUMENTS_MOST = 32


@boot("load")
def load(plan: Plan) -> Boot:
    """A program whose segments begin and end anywhere, and one of each kind."""
    rng = plan.rng()
    data = plan.note("image", elf_odd.good(rng, plan.arch, bounds(plan)))
    words = random_words(rng, ARGUMENTS_MOST - 1)
    plan.note("words", words)
    text = spaced(rng, words)
    return plan.boot(
        "elf-load",
        modules=(Module("program", data), Module("words", text.encode() + b"\0")),
    )


def spaced(rng: random.Random, words: list[str]) -> str:
    """The words with one blank or more around each."""
    blanks = [" " * rng.randrange(1, 4) for _ in words]
    return "".join(b + w for b, w in zip(blanks, words)) + " " * rng.randrange(3)


def too_much(plan: Plan, kind: str) -> str:
    rng = plan.rng(kind)
    if kind == "many":
        return " ".join("x" for _ in range(ARGUMENTS_MOST))
    return " ".join("y" * 500 for _ in range(9)) + "z" * rng.randrange(100)


@boot("many-words")
def many_words(plan: Plan) -> Boot:
    return refused_words(plan, "many")


@boot("long-words")
def long_words(plan: Plan) -> Boot:
    return refused_words(plan, "long")


def refused_words(plan: Plan, kind: str) -> Boot:
    text = too_much(plan, kind).encode() + b"\0"
    modules = (Module("program", image_at(plan)), Module("words", text))
    return plan.boot("elf-load", modules=modules)


@boot("fit")
def fit(plan: Plan) -> Boot:
    """One word that gets longer until it fits no more."""
    return plan.boot("args-fit")


def segments_of(case: Case, evidence: Evidence) -> list[dict[str, int]]:
    image = Image.of(case.arch, support.note(evidence, "image"))
    return [one for one in image.segments if one["type"] == LOAD and one["memory"]]


def root_of(case: Case, evidence: Evidence) -> int:
    ((root,),) = support.array(evidence, "scenario_root", arch_of(case).word, 1)
    return int(root)


@check("elf-load", boots=(load,), needs=("elf-accept",))
def test_load(case: Case) -> None:
    """Every byte of every segment stands where the file wants it, the rest of its pages
    is zero, nothing else is mapped, and the entry is the file's."""
    evidence = case.run(load)
    data: bytes = support.note(evidence, "image")
    root = root_of(case, evidence)
    ((code, _),) = support.array(evidence, "scenario_loaded", "ii", 1)
    case.expect(
        code == OK,
        expected="elf_load returns E_OK.",
        seen=f"It returned {code}.",
        cause="space_map refuses a page that is there: one page too many at the end of "
        "a segment, or a segment that is not to be loaded.",
        read=HEADER,
    )
    wanted: set[int] = set()
    for one in segments_of(case, evidence):
        end = one["va"] + one["memory"]
        content = data[one["offset"] : one["offset"] + one["file"]]
        first = one["va"] // PAGE * PAGE
        whole = (bytes(one["va"] - first) + content).ljust(
            -(-(end - first) // PAGE) * PAGE, b"\0"
        )
        for n in range(0, len(whole), PAGE):
            wanted.add(first + n)
            expect_bytes(case, evidence, root, first + n, whole[n : n + PAGE], one)
    values = support.of(case)
    seen = {
        va
        for part in paging.user_ranges(evidence.ram, root, case.arch)
        for va in range(part.start, min(part.end, part.start + (1 << 24)), PAGE)
    } - {values["USER_ARGS_VA"]}
    more = sorted(seen - wanted)
    case.expect(
        not more,
        expected=f"Ring 3 sees the {len(wanted)} pages of the segments.",
        seen=f"It sees {len(more)} more"
        + (f", the first at {more[0]:#x}." if more else "."),
        cause="A page too many at the end of a segment, or a segment that is not to be "
        "loaded.",
        read=READ_ELF,
    )
    ((entry,),) = support.array(evidence, "scenario_entry", arch_of(case).word, 1)
    want = int(Image.of(case.arch, data).header["entry"])
    case.expect(
        entry == want,
        expected=f"*entry is {want:#x}, as the header says.",
        seen=f"It is {entry:#x}.",
        cause="The begin of a segment is not where the program starts.",
        read=HEADER,
    )
    case.fact("pages", len(wanted))


def expect_bytes(
    case: Case,
    evidence: Evidence,
    root: int,
    va: int,
    want: bytes,
    segment: dict[str, int],
) -> None:
    found = walk(evidence, root, va)
    case.expect(
        found.user,
        expected=f"Ring 3 sees the page {va:#x} of the segment at {segment['va']:#x}.",
        seen=f"The page tables say: {shown(found)}.",
        cause="The last page of a segment is left out, or one that holds zeroes only.",
        hint="From the page of the first byte to the page of the last one in memory.",
        read=READ_ELF,
    )
    have = evidence.ram.read(found.pa or 0, PAGE)
    at = next((n for n in range(PAGE) if have[n] != want[n]), None)
    if at is None:
        return
    behind = va + at >= segment["va"] + segment["file"]
    case.fail(
        expected=f"At {va + at:#x} stands {want[at]:#04x}"
        + (
            ": it lies behind the bytes of the file." if behind else ", as in the file."
        ),
        seen=f"There stands {have[at]:#04x}.",
        cause="Bytes of the file that belong to something else were copied too, or "
        "the zeroed data was not zeroed."
        if behind
        else "The bytes were copied from another place, to another place, or not to "
        "the end.",
        hint="offset says where they stand in the file, va where in memory; both may "
        "begin in the middle of a page.",
        read=READ_ELF,
    )


@check("elf-rights", boots=(load,), needs=("elf-load",))
def test_rights(case: Case) -> None:
    """Code is to execute and not to write, constants are to read, data is to write and
    not to execute."""
    evidence = case.run(load)
    root = root_of(case, evidence)
    for one in segments_of(case, evidence):
        found = walk(evidence, root, one["va"])
        write, run = bool(one["flags"] & WRITE), bool(one["flags"] & EXEC)
        right = found.writable == write
        if case.arch == "x86_64":
            right = right and found.executable == run
        case.expect(
            right,
            expected=f"The segment at {one['va']:#x} is {'' if write else 'not '}to "
            f"write, {'' if run else 'not '}to execute.",
            seen=f"The page tables say: {shown(found)}.",
            cause="The flags of the segment did not become rights: a program could "
            "change its code, or run its data.",
            hint="ELF_WRITE is SPACE_WRITE, ELF_EXEC is SPACE_EXEC.",
            read=READ_PAGES,
        )
    case.fact("rights", [one["flags"] & 3 for one in segments_of(case, evidence)])


@check("args-page", boots=(load,))
def test_arguments(case: Case) -> None:
    """The page of the arguments holds their number, a pointer to each, a 0, and the
    texts: the program's name first, then its words, without blanks."""
    evidence = case.run(load)
    ((_, code),) = support.array(evidence, "scenario_loaded", "ii", 1)
    words = ["program", *support.note(evidence, "words")]
    case.expect(
        code == OK,
        expected=f"arguments_put returns E_OK for {len(words) - 1} words.",
        seen=f"It returned {code}.",
        cause=f"Up to {ARGUMENTS_MOST} arguments fit, with the name.",
        read=HEADER,
    )
    base = support.of(case)["USER_ARGS_VA"]
    found = walk(evidence, root_of(case, evidence), base)
    case.expect(
        found.user and found.writable,
        expected=f"The page {base:#x} is ring 3's to read and write.",
        seen=f"The page tables say: {shown(found)}.",
        read=HEADER,
    )
    page = evidence.ram.read(found.pa or 0, PAGE)
    size = support.word_bytes(case.arch)
    numbers = [
        int.from_bytes(page[n : n + size], "little")
        for n in range(0, (len(words) + 2) * size, size)
    ]
    case.expect(
        numbers[0] == len(words),
        expected=f"argc, the first word of the page, is {len(words)}.",
        seen=f"It is {numbers[0]}.",
        cause="argv[0], the name, counts too; blanks at the begin, at the end or in a "
        "row make no arguments.",
        read=HEADER,
    )
    for n, (pointer, text) in enumerate(zip(numbers[1:], words)):
        at = pointer - base
        inside = 0 <= at < PAGE
        have = page[at : at + len(text) + 1] if inside else b""
        case.expect(
            have == text.encode() + b"\0",
            expected=f"argv[{n}] points to “{text}” and a NUL, on the page.",
            seen=f"It is {pointer:#x}, where “{_text(have)}” stands."
            if inside
            else f"It is {pointer:#x}, beyond the page.",
            cause="Ring 3's address of the text is meant, not the kernel's."
            if not inside
            else "A word was cut at the wrong place, or its NUL is missing.",
            read=HEADER,
        )
    case.expect(
        numbers[len(words) + 1] == 0,
        expected="Behind the last pointer stands 0.",
        seen=f"There stands {numbers[len(words) + 1]:#x}.",
        cause="C programs may go through argv until NULL.",
        read=HEADER,
    )
    case.fact("arguments", words)


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode("ascii", "replace")


@check("args-refuse", boots=(many_words, long_words, fit), needs=("args-page",))
def test_arguments_refused(case: Case) -> None:
    """More words than ARGUMENTS_MOST, or more than fits on a page, is E_INVAL."""
    for spec, what in ((many_words, "too many words"), (long_words, "too long a text")):
        ((_, code),) = support.array(case.run(spec), "scenario_loaded", "ii", 1)
        case.expect(
            code == E_INVAL,
            expected=f"arguments_put returns E_INVAL for {what}.",
            seen=f"It returned {code}.",
            cause="Nobody counts, and what stands behind the page is overwritten.",
            hint="Look before each word, and before each text, whether it still fits.",
            read=HEADER,
        )
    expect_fit(case)
    case.fact("refused", 3)


def expect_fit(case: Case) -> None:
    """A word of any length that fits is taken, to its NUL; a longer one is not."""
    evidence = case.run(fit)
    ((longest, refused, again, place),) = support.array(
        evidence, "scenario_fit", "4I", 1
    )
    least = PAGE - (ARGUMENTS_MOST + 2) * support.word_bytes(case.arch) - 16
    case.expect(
        longest >= least and not again,
        expected=f"A word of up to {least} bytes fits at least: the page holds no more "
        f"than {ARGUMENTS_MOST + 2} words besides the texts.",
        seen=f"One of {refused} bytes is refused"
        + (f", {again} longer ones are not." if again else "."),
        cause="The room for the texts is counted too small, or only the last word is "
        "looked at.",
        read=HEADER,
    )
    case.expect(
        place + longest + 1 <= PAGE,
        expected="A text that is taken ends on the page, with its NUL.",
        seen=f"One of {longest} bytes was taken, and began at byte {place}: it ends "
        f"{place + longest + 1 - PAGE} bytes beyond.",
        cause="The NUL was not counted, or not the bytes that were used before: what "
        "stands behind the page is another's.",
        hint="used + length + 1 <= PAGE_BYTES, or length < PAGE_BYTES - used.",
        read=HEADER,
    )
    lost = frames_lost(evidence)
    case.expect(
        not lost,
        expected="When arguments_put refuses, the frame that it took is free again.",
        seen=f"{lost} frames are not.",
        cause="An error on the way out forgets what was made before it.",
        hint="frame_free, unless space_map has put the frame into the space.",
        read=HEADER,
    )
