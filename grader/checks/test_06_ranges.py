# SPDX-License-Identifier: MIT
"""06-syscalls: what ring 3 may point to."""

from __future__ import annotations

import struct

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.syscalls import (
    PAGE,
    READ_ONLY,
    SECRET_BYTES,
    SUPERVISOR,
    Script,
)
from grader.machine import Boot, Module

LARGE = 24  # pages
READ_WRAP = "The sheet's “6.3”; C: unsigned arithmetic wraps around"
READ_PAGES = 'SDM 3A "Access Rights" (4.6)'
HIGHEST = "the highest address"
WRAPS = "the sum wraps around"


@boot("pointers")
def pointers(plan: Plan) -> Boot:
    """user_check is asked about ranges, each with its right answer, in any order."""
    script, rng = Script(plan), plan.rng("pointers")
    values = support.of(plan)
    base, end = values["USER_BASE"], values["USER_END"]
    word = 1 << 8 * support.word_bytes(plan.arch)
    free = script.free
    span = free.pop()
    for n in range(3):
        script.page(va=span + n * PAGE)
    holed = free.pop()
    for n in range(3):
        script.page(va=holed + n * PAGE, flags=SUPERVISOR if n == 1 else 0)
    for n in range(1, LARGE):  # where programs lie: none of the others is there
        script.page(va=base + n * PAGE)
    read_only, hidden = script.page(flags=READ_ONLY), script.page(flags=SUPERVISOR)
    last, first = script.page(va=end - PAGE), script.page(va=base)
    absent, at = free.pop(), rng.randrange(1, 2000)
    image = plan.symbols.find("scenario_secret") or 0
    ranges = (
        ("a whole buffer over three pages", span + at, 2 * PAGE, 1, True),
        ("a large buffer", base + at, LARGE * PAGE - at, 1, True),
        ("the first user bytes", first, 16, 0, True),
        ("the last user bytes", last + PAGE - 16, 16, 1, True),
        ("a single byte", span + 3 * PAGE - 1, 1, 1, True),
        ("no byte at all", 0, 0, 1, True),
        ("no byte at all", end + at, 0, 0, True),
        ("bytes that are only read, on a read-only page", read_only + at, 64, 0, True),
        ("memory of the kernel", image, SECRET_BYTES, 0, False),
        ("memory of the kernel", values["FRAME_POOL_BASE"] + at, 8, 1, False),
        ("the null pointer", 0, 16, 0, False),
        ("one byte below user memory", base - 1, 2, 0, False),
        ("one byte beyond user memory", last + PAGE - 8, 9, 0, False),
        ("bytes right behind user memory", end, 1, 0, False),
        (HIGHEST, word - 1, 1, 0, False),
        (f"a length with which {WRAPS}", span + at, word - at, 0, False),
        (f"a length with which {WRAPS}", span + at, word - span + base - at, 0, False),
        (f"a length with which {WRAPS}", span + at, word - 1, 1, False),
        (f"a length with which {WRAPS} to 0", span, word - span, 0, False),
        ("a page that is absent", absent + at, 4, 0, False),
        ("two pages of which the second is absent", span + 3 * PAGE - 4, 8, 0, False),
        ("four pages of which the last is absent", span, 3 * PAGE + 1, 0, False),
        ("a read-only page, to write", read_only + at, 1, 1, False),
        ("a page without the user bit", hidden + at, 4, 0, False),
        (
            "three pages of which the second is without the user bit",
            holed + at,
            2 * PAGE,
            0,
            False,
        ),
    )
    asked = rng.sample(ranges, len(ranges))
    plan.note("ranges", [(asked.index(each), each) for each in ranges])
    packed = b"".join(
        struct.pack("<QQI", va % word, n % word, write) for _, va, n, write, _ in asked
    )
    return script.boot("syscalls-check", modules=(Module("checks", packed),))


def answers(case: Case, in_range: bool) -> None:
    """Compare the answers about ranges, or about pages."""
    evidence = case.run(pointers)
    ranges = evidence.notes["ranges"]
    have = support.array(evidence, "scenario_answers", "i", len(ranges))
    judged = []
    for nth, (what, va, count, write, allowed) in ranges:
        [answer] = have[nth]
        about_pages = "page" in what
        if about_pages == in_range:
            continue
        judged.append(answer)
        want = 0 if allowed else -4
        use = "writing" if write else "reading"
        case.expect(
            answer == want,
            expected=f"user_check gives {_answer(want)} for {use} {count:#x} bytes at "
            f"{va:#x}: {what}.",
            seen=f"It gave {_answer(answer)}.",
            cause=_cause(what, allowed),
            hint="Compare bytes with USER_END - va: that cannot overflow."
            if not about_pages
            else "user_page_query for every page that the bytes touch.",
            read=READ_PAGES if about_pages else READ_WRAP,
        )
    case.fact("answers", judged)


def _answer(value: int) -> str:
    return {0: "E_OK", -4: "E_FAULT"}.get(value, str(value))


def _cause(what: str, allowed: bool) -> str:
    if what == "no byte at all":
        return "Nothing is accessed, so any address will do."
    if allowed:
        return "The check refuses what ring 3 may do: its bounds are too narrow."
    if WRAPS in what or what == HIGHEST:
        return "va + bytes wraps around: the end is a small number that passes."
    if "kernel" in what or "null" in what:
        return "Nobody looks whether the address is one of ring 3: it is the kernel's."
    if "read-only" in what:
        return "The kernel may write the page, ring 3 may not: the write flag counts."
    if "page" in what:
        return "Not every page that the bytes touch was looked at."
    return "The range is wrong by some bytes at its end."


@check("call-user-range", boots=(pointers,))
def test_range(case: Case) -> None:
    """user_check accepts user memory to its last byte, and refuses the kernel's, what
    goes beyond the end, and lengths with which the sum wraps around."""
    answers(case, in_range=True)


@check("call-user-pages", boots=(pointers,))
def test_pages(case: Case) -> None:
    """user_check looks at every page: an absent one, a read-only one that is to be
    written, and one without the user bit give E_FAULT."""
    answers(case, in_range=False)
