# SPDX-License-Identifier: MIT
"""06-syscalls: the calls that read and write, and what they do with pointers."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.checks.syscalls import (
    FIRST_NOTE,
    HEADER,
    PAGE,
    READ_ONLY,
    SECRET_BYTES,
    Caller,
    Script,
    came_back,
    ids,
    notes_of,
    results,
)
from grader.machine import Boot, End, Step

TYPED = 11  # with one before and two behind: what the UART takes in at once
FILLER = 80
TEXT = 300  # characters of what is written
EDGE = 16  # bytes of a buffer that lie below the end of user memory
LINE = 200  # bytes of a read: more than was typed
PROMPT, PROMPT_TICK = r"\[ringlab\] type now", 50
READS_ONLY = (
    "The kernel writes there: read checks its buffer for reading, or user_check does "
    "not look at that page."
)
MEND_FIRST = "If call-user-range or call-user-pages fails, mend 6.3 first."


@boot("console")
def console(plan: Plan) -> Boot:
    """A thread that writes, reads what is typed, and tries pointers it may not use."""
    script, rng = Script(plan), plan.rng("console")
    values = support.of(plan)
    write, read = values["SYS_WRITE"], values["SYS_READ"]
    word = 1 << 8 * support.word_bytes(plan.arch)
    words = "".join(rng.choices("0123456789abcdef", k=TEXT))
    text = f"<{plan.nonce}:{words}>".encode()
    at = PAGE - rng.randrange(16, TEXT)  # it goes on in the next page
    page = script.page(b"\0" * at + text + b"?!")
    read_only = script.page(b"r" * 64, flags=READ_ONLY)
    typed = "".join(rng.choices("abcdefghijkmnpqrstuvwxyz", k=TYPED))
    secret = plan.symbols.find("scenario_secret") or 0
    edge = b"\0" * (PAGE - EDGE) + b"z" * EDGE
    across = script.page(edge, va=values["USER_END"] - PAGE)
    spare = script.page(b"z" * EDGE)
    bad = (
        ("write", write, secret, SECRET_BYTES),
        ("write", write, across + PAGE - EDGE, 64),
        ("write", write, page + at, word - at),
        ("write", write, script.free.pop(), 8),
        ("write", write, page + 2 * PAGE - 8, 16),
        ("read", read, secret, 8),
        ("read", read, read_only, 8),
        ("read", read, across + PAGE - EDGE, 64),
        ("read", read, spare, word - spare + values["USER_BASE"]),
        ("read", read, script.free.pop(), 8),
    )
    rows = [script.row(rng, values["SYS_THREAD_ID"])]
    rows += [script.row(rng, number) for number in (FIRST_NOTE, values["SYS_TIME"]) * 4]
    rows += [script.row(rng, FIRST_NOTE)]
    reads = len(rows) + 1
    rows += [script.row(rng, write, (page + at, len(text)))]
    rows += [script.row(rng, read, (page + n, 1)) for n in range(TYPED)]
    good = (
        *(("write", write, page + at, count) for count in (5, 6)),
        ("write", write, read_only, 4),
        ("read", read, page + PAGE - 1, 1),
    )
    # What no page stops comes first: a kernel without checks does not die of it.
    first = [each for each in bad if each[2] == secret] + list(good[:2])
    rest = [each for each in (*bad, *good) if each not in first]
    mixed = rng.sample(first, len(first)) + rng.sample(rest, len(rest))
    at_row = {each: len(rows) + n for n, each in enumerate(mixed)}
    plan.note("bad", sorted((at_row[each], each) for each in bad))
    plan.note("good", sorted((at_row[each], each) for each in good))
    rows += [script.row(rng, number, (va, count)) for _, number, va, count in mixed]
    line = script.page()
    rows += [script.row(rng, read, (line + n, n)) for n in (0, LINE)]
    script.caller("the probe", rows)
    for name, value in (("text", text.decode()), ("typed", typed), ("page", page)):
        plan.note(name, value)
    plan.note("reads", reads)
    plan.note("read_only", read_only)
    plan.note("line", line + LINE)
    plan.note("partly", (across + PAGE - EDGE, spare))
    return script.boot(
        "syscalls-run",
        *support.hexadecimal(ticks=3000, prompt=PROMPT_TICK),
        script=(Step(PROMPT, f"!{typed}" + "X" * FILLER),),
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
    have = results(evidence, caller)
    counts = [result["ax"] for result in have[first : first + TYPED]]
    regs = evidence.registers
    stuck = evidence.run.end is not End.DONE and len(counts) < TYPED
    case.expect(
        not stuck or regs.cpl != 0 or regs.interrupts_on,
        expected="read waits for what is typed, with interrupts on.",
        seen=f"It waits with interrupts off: {evidence.diagnosis.seen}",
        cause="A call is served with interrupts off: no tick comes while read waits, "
        "and no other thread.",
        hint="Mend call-kernel-state first: cpu_sti() in syscall_dispatch.",
        read=HEADER,
    )
    case.expect(
        counts == [1] * len(counts),
        expected=f"{TYPED} reads of one byte return 1 each.",
        seen=f"They returned {counts}.",
        cause="read returns without a character, or with the wrong count.",
        hint="Wait until console_poll gives a character; take no more than bytes.",
        read=HEADER,
    )
    have = came_back(case, evidence, caller, first + TYPED)
    stored = support.space(evidence).read(evidence.notes["page"], TYPED)
    typed = evidence.notes["typed"]
    case.expect(
        stored == typed.encode(),
        expected=f"The program's memory holds what was typed: {typed}.",
        seen=f"It holds {stored!r}.",
        cause="The characters are stored elsewhere, or in another order.",
        read=HEADER,
    )
    error, bad = support.of(case)["E_FAULT"], [n for n, _ in evidence.notes["bad"]]
    if len(have) > max(bad) and all(have[n]["ax"] == error for n in bad):
        long_read(case, evidence, caller)  # nothing else has taken what was typed
    case.fact("read", counts)


def long_read(case: Case, evidence: Evidence, caller: Caller) -> None:
    """A read of nothing, and one of more than was typed: the last two rows."""
    have = came_back(case, evidence, caller, len(caller.rows) - 1)
    nothing = have[len(caller.rows) - 2]["ax"]
    case.expect(
        nothing == 0,
        expected="A read of 0 bytes returns 0 at once.",
        seen=f"It returned {nothing:#x}.",
        cause="No character can be stored, but one was waited for.",
        read=HEADER,
    )
    texts = {
        "expected": f"A read of {LINE} bytes takes what was typed, at most {FILLER} "
        "characters, and returns their number.",
        "hint": "Wait for the first character alone; then take what is there.",
        "read": HEADER,
    }
    case.expect(
        len(have) == len(caller.rows) or evidence.run.end is not End.DONE,
        seen="It did not come back.",
        cause="read waits until its buffer is full.",
        **texts,
    )
    count = came_back(case, evidence, caller, len(caller.rows))[-1]["ax"]
    stored = support.space(evidence).read(evidence.notes["line"], LINE)
    case.expect(
        0 < count <= FILLER and stored == b"X" * count + bytes(LINE - count),
        seen=f"It returned {count:#x}, and stored {len(stored.rstrip(bytes(1)))}.",
        cause="The result is not the number of characters that were stored.",
        **texts,
    )


@check("call-pointers", boots=(console,), needs=("call-write", "call-read"))
def test_pointers(case: Case) -> None:
    """A pointer that ring 3 may not use gives E_FAULT, for reading and for writing; the
    kernel tells nothing, changes nothing, and goes on."""
    evidence, caller = talk(case)
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
    space = support.space(evidence)
    begun = [space.read(va, EDGE) for va in evidence.notes["partly"]]
    case.expect(
        begun == [b"z" * EDGE] * 2 and "zz" not in evidence.console,
        expected="Of a buffer whose end is bad nothing is printed, and nothing of it "
        "is changed.",
        seen=f"Two of them now begin with {begun}; the console shows "
        f"{evidence.console.count('z')} of their bytes.",
        cause="The buffer is checked piece by piece while it is used.",
        hint="user_check over the whole buffer, before the first byte.",
        read=HEADER,
    )
    page = space.read(evidence.notes["read_only"], 16)
    case.expect(
        page == b"r" * 16,
        expected="A page that ring 3 may only read is as before.",
        seen=f"It now holds {page!r}.",
        cause=READS_ONLY,
        hint=f"The third argument of user_check is true in read. {MEND_FIRST}",
        read=HEADER,
    )
    for n, (what, _, va, count) in evidence.notes["bad"]:
        if len(have) > n:
            seen = f"It gave {have[n]['ax']:#x}."
        else:
            seen = f"The call did not come back. {evidence.diagnosis.seen}"
        case.expect(
            len(have) > n and have[n]["ax"] == error,
            expected=f"{what} of {count:#x} bytes at {va:#x} gives E_FAULT "
            f"({error:#x}).",
            seen=seen,
            cause=READS_ONLY
            if va == evidence.notes["read_only"]
            else "The buffer was not checked, or the answer was not returned.",
            hint="if (user_check(…) != E_OK) return E_FAULT, in write and in read; "
            f"read writes to the buffer. {MEND_FIRST}",
            read=HEADER,
        )
    have = came_back(case, evidence, caller, len(caller.rows) - 2)
    for n, (what, _, va, count) in evidence.notes["good"]:
        case.expect(
            have[n]["ax"] == count,
            expected=f"In between, {what} of {count} bytes at {va:#x} is served.",
            seen=f"It gave {have[n]['ax']:#x}.",
            cause="write only reads its buffer: a read-only page will do."
            if va == evidence.notes["read_only"]
            else "A good buffer was refused, or the result is not its length.",
            read=HEADER,
        )
    case.fact("pointers", len(evidence.notes["bad"]))
