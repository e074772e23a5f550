# SPDX-License-Identifier: MIT
"""06-syscalls: what ring 3 may point to, and the calls that read and write."""

from __future__ import annotations

import struct

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.checks.syscalls import (
    FIRST_NOTE,
    HEADER,
    PAGE,
    READ_ONLY,
    SECRET_BYTES,
    SUPERVISOR,
    Caller,
    Script,
    came_back,
    ids,
    notes_of,
    results,
)
from grader.machine import Boot, End, Module, Step

READ_WRAP = "The sheet's “6.3”; C: unsigned arithmetic wraps around"
READ_PAGES = 'SDM 3A "Access Rights" (4.6)'
TYPED = 12
FILLER = 80
READS_ONLY = "read checks its buffer for reading, but the kernel writes there."
WRAPS = "the sum wraps around"


@boot("pointers")
def pointers(plan: Plan) -> Boot:
    """user_check is asked about ranges, each with its right answer."""
    script, rng = Script(plan), plan.rng("pointers")
    values = support.of(plan)
    base, end = values["USER_BASE"], values["USER_END"]
    word = 1 << 8 * support.word_bytes(plan.arch)
    free = script.free
    span = free.pop()
    for n in range(3):
        script.page(va=span + n * PAGE)
    read_only, hidden = script.page(flags=READ_ONLY), script.page(flags=SUPERVISOR)
    last, first = script.page(va=end - PAGE), script.page(va=base)
    absent, at = free.pop(), rng.randrange(1, 2000)
    image = plan.symbols.find("scenario_secret") or 0
    ranges = (
        ("a whole buffer over three pages", span + at, 2 * PAGE, 1, True),
        ("the first user bytes", first, 16, 0, True),
        ("the last user bytes", last + PAGE - 16, 16, 1, True),
        ("a single byte", span + 3 * PAGE - 1, 1, 1, True),
        ("bytes that are only read, on a read-only page", read_only + at, 64, 0, True),
        ("memory of the kernel", image, SECRET_BYTES, 0, False),
        ("memory of the kernel", values["FRAME_POOL_BASE"] + at, 8, 1, False),
        ("the null pointer", 0, 16, 0, False),
        ("one byte below user memory", base - 1, 2, 0, False),
        ("one byte beyond user memory", last + PAGE - 8, 9, 0, False),
        ("bytes right behind user memory", end, 1, 0, False),
        ("the highest address", word - 1, 1, 0, False),
        (f"a length with which {WRAPS}", span + at, word - at, 0, False),
        (f"a length with which {WRAPS}", span + at, word - span + base - at, 0, False),
        (f"a length with which {WRAPS}", span + at, word - 1, 1, False),
        (f"a length with which {WRAPS} to 0", span, word - span, 0, False),
        ("a page that is absent", absent + at, 4, 0, False),
        ("two pages of which the second is absent", span + 3 * PAGE - 4, 8, 0, False),
        ("four pages of which the last is absent", span, 3 * PAGE + 1, 0, False),
        ("a read-only page, to write", read_only + at, 1, 1, False),
        ("a page in between without the user bit", hidden + at, 4, 0, False),
    )
    questions = [(va % word, n % word, write) for _, va, n, write, _ in ranges]
    plan.note("ranges", ranges)
    packed = b"".join(struct.pack("<QQI", *question) for question in questions)
    return script.boot("syscalls-check", modules=(Module("checks", packed),))


def answers(case: Case, in_range: bool) -> None:
    """Compare the answers about ranges, or about pages."""
    evidence = case.run(pointers)
    ranges = evidence.notes["ranges"]
    have = support.array(evidence, "scenario_answers", "i", len(ranges))
    judged = []
    for (what, va, count, write, allowed), (answer,) in zip(ranges, have):
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
    if allowed:
        return "The check refuses what ring 3 may do: its bounds are too narrow."
    if WRAPS in what:
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


@boot("console")
def console(plan: Plan) -> Boot:
    """A thread that writes, reads what is typed, and tries pointers it may not use."""
    script, rng = Script(plan), plan.rng("console")
    values = support.of(plan)
    write, read = values["SYS_WRITE"], values["SYS_READ"]
    word = 1 << 8 * support.word_bytes(plan.arch)
    text = f"<{plan.nonce}:{rng.getrandbits(64):016x}>".encode()
    at = rng.randrange(16, 2000)
    page = script.page(b"\0" * at + text + b"?!")
    read_only = script.page(b"r" * 64, flags=READ_ONLY)
    typed = "".join(rng.choices("abcdefghijkmnpqrstuvwxyz", k=TYPED))
    secret = plan.symbols.find("scenario_secret") or 0
    across = script.page(b"\0" * (PAGE - 32) + b"z" * 32, va=values["USER_END"] - PAGE)
    bad = (
        ("write", write, secret, SECRET_BYTES),
        ("write", write, across + PAGE - 16, 64),
        ("write", write, page + at, word - at),
        ("write", write, script.free.pop(), 8),
        ("write", write, page + PAGE - 8, 16),
        ("read", read, secret, 8),
        ("read", read, read_only, 8),
        ("read", read, across + PAGE - 16, 64),
        ("read", read, page, word - page + values["USER_BASE"]),
        ("read", read, script.free.pop(), 8),
    )
    rows = [script.row(rng, values["SYS_THREAD_ID"])]
    rows += [script.row(rng, number) for number in (FIRST_NOTE, values["SYS_TIME"]) * 4]
    rows += [script.row(rng, FIRST_NOTE)]
    reads = len(rows) + 1
    rows += [script.row(rng, write, (page + at, len(text)))]
    rows += [script.row(rng, read, (page + n, 1)) for n in range(TYPED)]
    rows += [script.row(rng, number, (va, count)) for _, number, va, count in bad]
    rows += [script.row(rng, write, (page + at, 5)), script.row(rng, read, (page, 0))]
    script.caller("the probe", rows)
    for name, value in (("text", text.decode()), ("typed", typed), ("page", page)):
        plan.note(name, value)
    plan.note("reads", reads)
    plan.note("bad", bad)
    plan.note("read_only", read_only)
    return script.boot(
        "syscalls-run",
        *support.hexadecimal(ticks=6000),
        script=(Step(text.decode(), typed + "X" * FILLER),),
        icount_shift=6,
    )


def talk(case: Case) -> tuple[Evidence, Caller]:
    evidence = case.run(console, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(console)
    return evidence, evidence.notes["callers"][0]


@check("call-time", boots=(console,), needs=("call-through",))
def test_time(case: Case) -> None:
    """The calls for the thread's number and for the time give what the kernel has."""
    evidence, caller = talk(case)
    have = came_back(case, evidence, caller, 10)
    [me] = ids(evidence, 1)
    case.expect(
        have[0]["ax"] == me,
        expected=f"The call for the thread's number gives {me}.",
        seen=f"It gave {have[0]['ax']}.",
        cause="It is not the number of the thread that calls.",
        hint="thread_current()->id",
        read=HEADER,
    )
    ticks = [note.ticks for note in notes_of(evidence, 0)]
    ms = 1000 / support.of(case)["TICK_HZ"]
    for n in range(min(4, len(ticks) - 1)):
        low, high = int(ticks[n] * ms), int((ticks[n + 1] + 1) * ms)
        now = have[2 + 2 * n]["ax"]
        case.expect(
            low <= now <= high,
            expected=f"The time is {low} to {high} ms, by the ticks before and after.",
            seen=f"The call gave {now}.",
            cause="It does not count milliseconds since the timer was started.",
            hint="tick_count() is in ticks; TICK_HZ of them are a second.",
            read=HEADER,
        )
    case.fact("time", 4)


@check("call-write", boots=(console,), needs=("call-arguments",))
def test_write(case: Case) -> None:
    """write prints exactly the bytes that it is given, and returns how many."""
    evidence, caller = talk(case)
    at = evidence.notes["reads"] - 1
    have = came_back(case, evidence, caller, at + 1)
    text = evidence.notes["text"]
    case.expect(
        have[at]["ax"] == len(text),
        expected=f"write returns {len(text)}, the number of bytes.",
        seen=f"It returned {have[at]['ax']:#x}.",
        cause="The result is not the number of bytes.",
        read=HEADER,
    )
    shown = evidence.console
    at = shown.find(text)
    before, after = shown[max(0, at - 1) : at], shown[at + len(text) :][:2]
    case.expect(
        at >= 0 and before in ("", "\n") and after != "?!",
        expected=f"The console shows {text} and no more.",
        seen=f"It shows {shown[-160:]!r}.",
        cause="Other bytes were printed, or more, or fewer of them.",
        hint="No NUL ends the text: the second argument is its length.",
        read=HEADER,
    )
    case.fact("write", len(text))


@check("call-read", boots=(console,), needs=("call-write",))
def test_read(case: Case) -> None:
    """read waits for what is typed, stores it and returns how many characters it is."""
    evidence, caller = talk(case)
    first = evidence.notes["reads"]
    have = came_back(case, evidence, caller, first + TYPED)
    counts = [result["ax"] for result in have[first : first + TYPED]]
    case.expect(
        counts == [1] * TYPED,
        expected=f"{TYPED} reads of one byte return 1 each.",
        seen=f"They returned {counts}.",
        cause="read returns without a character, or with the wrong count.",
        hint="Wait until console_poll gives a character.",
        read=HEADER,
    )
    stored = support.space(evidence).read(evidence.notes["page"], TYPED)
    typed = evidence.notes["typed"]
    case.expect(
        stored == typed.encode(),
        expected=f"The program's memory holds what was typed: {typed}.",
        seen=f"It holds {stored!r}.",
        cause="The characters are stored elsewhere, or in another order.",
        read=HEADER,
    )
    if len(have) == len(caller.rows):
        case.expect(
            have[-1]["ax"] == 0,
            expected="A read of 0 bytes returns 0 at once.",
            seen=f"It returned {have[-1]['ax']:#x}.",
            cause="No character can be stored, but one was waited for.",
            read=HEADER,
        )
    case.fact("read", counts)


@check("call-pointers", boots=(console,), needs=("call-write", "call-read"))
def test_pointers(case: Case) -> None:
    """A pointer that ring 3 may not use gives E_FAULT, for reading and for writing; the
    kernel tells nothing, changes nothing, and goes on."""
    evidence, caller = talk(case)
    first = evidence.notes["reads"] + TYPED
    have = results(evidence, caller)
    error = support.of(case)["E_FAULT"]
    secret = evidence.notes["secret"]
    case.expect(
        secret not in evidence.console,
        expected="The kernel's memory stays its own.",
        seen=f"The console shows the bytes of scenario_secret: {secret}.",
        cause="write printed from an address of the kernel that ring 3 gave.",
        hint="user_check before the first byte.",
        read=HEADER,
    )
    kept = evidence.ram.read(support.address_of(evidence, "scenario_secret"), 32)
    case.expect(
        kept == secret.encode(),
        expected="The kernel's memory is as before.",
        seen=f"scenario_secret now holds {kept!r}.",
        cause="read stored what was typed at a kernel address that ring 3 gave.",
        hint="user_check, with write true, before anything is stored.",
        read=HEADER,
    )
    page = support.space(evidence).read(evidence.notes["read_only"], 16)
    case.expect(
        page == b"r" * 16,
        expected="A page that ring 3 may only read is as before.",
        seen=f"It now holds {page!r}.",
        cause=READS_ONLY,
        hint="The third argument of user_check is true in read.",
        read=HEADER,
    )
    for n, (what, _, va, count) in enumerate(evidence.notes["bad"]):
        if len(have) > first + n:
            seen = f"It gave {have[first + n]['ax']:#x}."
        else:
            seen = f"The call did not come back. {evidence.diagnosis.seen}"
        case.expect(
            len(have) > first + n and have[first + n]["ax"] == error,
            expected=f"{what} of {count:#x} bytes at {va:#x} gives E_FAULT "
            f"({error:#x}).",
            seen=seen,
            cause=READS_ONLY
            if va == evidence.notes["read_only"]
            else "The buffer was not checked, or the answer was not returned.",
            hint="if (user_check(…) != E_OK) return E_FAULT, in write and in read; "
            "read writes to the buffer.",
            read=HEADER,
        )
    came_back(case, evidence, caller, len(caller.rows))
    case.fact("pointers", len(evidence.notes["bad"]))
