# SPDX-License-Identifier: MIT
"""09-programs: which images are programs, and what is in memory of one."""

from __future__ import annotations

import random
import struct

from grader.checks import elf_odd, support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.elf_images import (
    DAMAGES,
    LOAD,
    NAMES,
    ENTRY,
    EXEC,
    FORMAT,
    MACHINE,
    OK,
    OVERLAP,
    PLACE,
    SEGMENTS,
    SHORT,
    SIZE,
    TYPE,
    WRITE,
    Bounds,
    Image,
    damaged,
    faults,
    mutated,
    names,
)
from grader.checks.host import expect_word
from grader.checks.record import Evidence
from grader.checks.spaces import PAGE, RANGES, READ_PAGES, shown, walk, word
from grader.evidence import paging
from grader.machine import Boot, Module

HEADER = "kernel/include/course/09-programs.h"
SHEET = "assignments/09-programs/README.md"
READ_ELF = 'System V ABI, "Program Header" (gABI, chapter 5)'
PROGRAM = "probes/sums.c"
E_INVAL = -1
ARGUMENTS_MOST = 32
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


def bounds(place: Plan | Case) -> Bounds:
    values = support.of(place)
    return Bounds(values["USER_PROGRAM_BASE"], values["USER_STACKS_BASE"])


def image_at(plan: Plan) -> bytes:
    """The program at an address of this run."""
    where, rng = bounds(plan), plan.rng("base")
    base = rng.randrange(where.low // PAGE, (where.high >> 1) // PAGE) * PAGE
    return plan.program(PROGRAM, base=base, elf=True)


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


def random_words(rng: random.Random, count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-+=.,"
    return ["".join(rng.choices(letters, k=rng.randrange(1, 24))) for _ in range(count)]


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
            seen=f"It returned {NAMES.get(have, have)}.",
            cause="Header bytes of a good program were changed at random: a test is "
            "missing, or wrong at its limit.",
            hint=min((HINTS[code] for code in want if code in HINTS), default="")
            or TOO_NARROW.get(have, ""),
            read=HEADER,
        )
    case.fact("images", len(made))


def segments_of(case: Case, evidence: Evidence) -> list[dict[str, int]]:
    image = Image.of(case.arch, support.note(evidence, "image"))
    return [one for one in image.segments if one["type"] == LOAD and one["memory"]]


def root_of(case: Case, evidence: Evidence) -> int:
    ((root,),) = support.array(evidence, "scenario_root", word(case), 1)
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
    ((entry,),) = support.array(evidence, "scenario_entry", word(case), 1)
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
    counts = support.array(evidence, "scenario_free_counts", "I", 2)
    rows = support.array(evidence, "scenario_free", 2 * word(case), 2 * RANGES)
    before, after = (
        sum(size for _, size in rows[n * RANGES :][: counts[n][0]]) for n in range(2)
    )
    case.expect(
        before == after,
        expected="When arguments_put refuses, the frame that it took is free again.",
        seen=f"{before - after} frames are not.",
        cause="An error on the way out forgets what was made before it.",
        hint="frame_free, unless space_map has put the frame into the space.",
        read=HEADER,
    )
