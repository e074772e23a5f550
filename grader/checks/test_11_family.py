# SPDX-License-Identifier: MIT
"""11-shell: processes that spawn and wait for each other, and what is left."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.elf_images import DAMAGES, damaged, faults, names
from grader.checks.family import (
    E_NOENT,
    HEADER,
    LONG,
    again,
    came,
    children,
    expect_end,
    expect_nothing_left,
    expect_result,
    family_boot,
    notes,
    nth,
    quiet_image,
    said,
)
from grader.checks.program_runs import bounds
from grader.checks.record import Evidence
from grader.machine import Boot, End, Module

TIMES = 1000
# A wait that never comes back is judged by what came before it.
ENDS = (End.DONE, End.CPU_LIMIT, End.WALL_LIMIT)


@boot("waits")
def waits(plan: Plan) -> Boot:
    """Children with statuses of this run, waited for one by one, and by any."""
    rng = plan.rng()
    given = [rng.randrange(1, 1 << 30) for _ in range(5)]
    salt = rng.randrange(1, 1 << 30)
    plan.note("statuses", [number ^ salt for number in given] + [3])
    # The one that is waited for first counts for longer than a tick.
    order = [6, *rng.sample((1, 2, 3), 3)]
    words = [f"squiet,{number}" for number in given] + ["sagain,c200000,b6"]
    words[3] = f"squiet,z{rng.randrange(80, 110)}"
    words += ["snobody", "sbad"]
    words += [f"w{n}" for n in order] + ["w0", "w0", "w0", f"w{order[0]}"]
    words += ["i1", "i999", "i-5"]
    good = quiet_image(plan)
    how = plan.note("how", rng.choice(sorted(DAMAGES)))
    bad = plan.note("bad", damaged(rng, plan.arch, good, how, bounds(plan)))
    plan.note("order", order)
    return family_boot(plan, words, Module("bad", bad), again(plan), salt=salt)


@boot("pending")
def pending(plan: Plan) -> Boot:
    """Children that run in a tick that comes as soon as their parent can be
    interrupted."""
    words = ["sagain,i999"] * 3 + ["z20", "w1", "w2", "w3"]
    # A tick is long enough for the child's first call, before its parent is back.
    return family_boot(plan, words, again(plan), shift=3, pending=1)


@boot("orphans")
def orphans(plan: Plan) -> Boot:
    """A child ends after its own child, and nobody has asked for that one; the first
    process ends before two of its children, and the last of them has yet to say so."""
    words = ["sagain,squiet,z5", "w1", "squiet,z40", "squiet,9", "sagain,z40,b6"]
    return family_boot(plan, words, again(plan))


@boot("ended")
def ended(plan: Plan) -> Boot:
    """The last process to end has children that ended long before, all at once."""
    return family_boot(plan, ["squiet,3", "squiet,4", "squiet,5", "z40"])


@boot("thousand")
def thousand(plan: Plan) -> Boot:
    rounds = plan.note("times", TIMES + plan.rng().randrange(1, 9))
    breed = Module("breed", plan.program("probes/breed.c", elf=True), str(rounds))
    quiet = Module("quiet", quiet_image(plan))
    return plan.boot(
        "family-run",
        *support.hexadecimal(most=100000),
        modules=(breed, quiet),
        icount_shift=2,
        trace=("cpu_reset",),
        limits=LONG,
    )


@check("spawn-start", boots=(waits,))
def test_spawn(case: Case) -> None:
    """spawn starts the program of that name with its words and returns its pid, or
    says why it cannot."""
    evidence = case.run(waits, ends=ENDS)
    statuses = support.note(evidence, "statuses")
    pids = children(evidence)
    good = pids[: len(statuses)]
    case.expect(
        len(good) == len(statuses)
        and min(good, default=0) > 1
        and len(set(good)) == len(good),
        expected=f"{len(statuses)} spawns give {len(statuses)} pids, each another one.",
        seen=f"They gave {', '.join(map(support.named, good)) or 'nothing'}.",
        cause="A good name and good words were refused, or the pid was lost on the way "
        "to ring 3.",
        read=HEADER,
    )
    have = pids[len(statuses) :]
    want = faults(case.arch, support.note(evidence, "bad"), bounds(case))
    case.expect(
        len(have) == 2 and have[0] == E_NOENT and have[1] in want,
        expected="spawn returns E_NOENT for a program that is not there, and "
        f"{names(want)} for one that is damaged ({support.note(evidence, 'how')}).",
        seen=f"It returned {', '.join(map(support.named, have)) or 'nothing'}.",
        cause="The error of process_start is the result, as it is.",
        read=HEADER,
    )
    case.expect(
        any(note.pid == good[5] for note in said(evidence, "b")),
        expected=f"The process {good[5]} makes the call that its word asks for.",
        seen="Nobody with that pid made it.",
        cause="The process was not started, or its words did not arrive.",
        read=HEADER,
    )
    case.fact("spawned", len(good))


@check("wait-status", boots=(waits,), needs=("spawn-start",))
def test_wait(case: Case) -> None:
    """wait gives each child's own pid and status, whenever it ends."""
    evidence = case.run(waits, ends=ENDS)
    statuses, order = (support.note(evidence, k) for k in ("statuses", "order"))
    pids = children(evidence)
    waited = said(evidence, "w")
    told = said(evidence, "t")
    for number, child in enumerate(order):
        pid, status = pids[child - 1], statuses[child - 1]
        note, stored = nth(waited, number), nth(told, number)
        expect_result(
            case,
            note,
            pid,
            expected=f"wait for child {child}, pid {pid}, returns that pid.",
            cause="spawn did not make the caller its parent, so that it is nobody's "
            "child."
            if note and note.result == E_NOENT
            else "It does not let others run, or has no end when the child has one.",
        )
        case.expect(
            stored is not None and stored.result == status,
            expected=f"The status of child {child} is {status}, as it said.",
            seen=f"{stored.result} was stored."
            if stored and stored.result != untouched(case)
            else "Nothing was stored.",
            cause=not_stored(case, stored.result if stored else 0, status),
            hint="status = child->status, then process_forget, then store all of it.",
            read=HEADER,
        )
    case.fact("waited", len(order))


def untouched(case: Case) -> int:
    """What the probe puts where the status is to be."""
    return ((1 << 8 * support.word_bytes(case.arch) - 1) - 1) // 3


def not_stored(case: Case, stored: int, status: int) -> str:
    """Why the number is not the status."""
    word = support.word_bytes(case.arch)
    freed = bytes([support.of(case)["KFREE_BYTE"]])
    have, want, before = (
        value.to_bytes(word, "little", signed=True)
        for value in (stored, status, untouched(case))
    )
    for few in range(word - 1, 0, -1):
        if have != before and have == want[:few] + before[few:]:
            return (
                f"Only {few} of the {word} bytes were stored: a status is an intptr_t."
            )
    if have.startswith(freed * 4):
        return (
            f"That are the bytes {freed[0]:#x} which kfree leaves: the status was read "
            "from the child after process_forget."
        )
    return (
        "The status was taken before the child had ended, or from another child, or "
        "the child's words are wrong."
    )


@check("wait-which", boots=(waits, pending), needs=("wait-status",))
def test_wait_which(case: Case) -> None:
    """wait for any takes the child that ends first, each once; who is no child, or was
    waited for already, is E_NOENT; and a child is one from its first instruction on."""
    evidence = case.run(waits, ends=ENDS)
    statuses = support.note(evidence, "statuses")
    pids = children(evidence)
    first = len(support.note(evidence, "order"))
    waited = said(evidence, "w")[first:]
    told = said(evidence, "t")[first:]
    for number, (pid, status) in enumerate(((pids[4], statuses[4]), (pids[3], 7))):
        note, stored = nth(waited, number), nth(told, number)
        case.expect(
            note is not None
            and (note.result, stored and stored.result) == (pid, status),
            expected=f"wait(0) returns {pid} and stores {status}: that child ends "
            + ("first." if number == 0 else "last, after a sleep."),
            seen=f"It returned {note.result} and stored {stored.result}."
            if note and stored
            else came(note),
            cause="When all others sleep, only the timer's interrupt can change "
            "anything: wait must let it in."
            if not note
            else "It did not wait, or only for the first child in the list; or one "
            "that was waited for is still there.",
            hint="Between two looks at the children let interrupts in: cpu_sti, "
            "thread_yield, cpu_cli."
            if not note
            else "Look through all children again and again; whoever has ended is "
            "taken.",
            read=HEADER,
        )
    for number, what in enumerate(
        (
            "when no child is left",
            "for a child that was waited for",
            "for the pid of the caller itself",
            "for a pid that nobody has",
            "for a negative pid",
        ),
        2,
    ):
        expect_result(
            case,
            nth(waited, number),
            E_NOENT,
            expected=f"wait returns E_NOENT {what}.",
            cause="Only processes whose parent is the caller are its children, until "
            "they were waited for.",
        )
    expect_parents(case, case.run(pending))
    case.fact("which", True)


def expect_parents(case: Case, evidence: Evidence) -> None:
    """Whose child each was when it made its first call."""
    spawns = said(evidence, "s")
    for spawn in spawns:
        first = nth([note for note in notes(evidence) if note.pid == spawn.result], 0)
        case.expect(
            first is not None and first.parent == spawn.pid,
            expected=f"The process {spawn.result} runs in the first tick that comes "
            f"after its start, and makes a call: its parent is {spawn.pid}.",
            seen=f"Its parent is {first.parent}."
            if first
            else "It never made its call.",
            cause="Its parent is set when interrupts are on again: a tick in between "
            "lets the child run, and even end, as nobody's child.",
            hint="cpu_cli in front of process_start, cpu_sti behind the parent.",
            read=HEADER,
        )


@check("orphans", boots=(orphans, ended), needs=("wait-status",))
def test_orphans(case: Case) -> None:
    """Children whose parent ends before them run on, and are forgotten when they end;
    nothing of anybody is left."""
    evidence = case.run(orphans)
    expect_end(case, evidence)
    last = children(evidence)[-1]
    case.expect(
        any(note.pid == last for note in said(evidence, "b")),
        expected=f"The child {last} sleeps while its parent ends, then makes a call.",
        seen="The call never came.",
        cause="The end of a process is no reason for its children to end.",
        read=HEADER,
    )
    expect_nothing_left(case, evidence)
    evidence = case.run(ended)
    expect_end(case, evidence)
    expect_nothing_left(case, evidence)
    case.fact("orphans", True)


@check("thousand", boots=(thousand,), needs=("wait-status",))
def test_thousand(case: Case) -> None:
    """A thousand children, one after the other, then in groups, each with its own
    status: in the end every frame, every stack and all of the heap are free again."""
    evidence = case.run(thousand)
    ((status,),) = support.array(evidence, "scenario_statuses", "q", 1)
    times = support.note(evidence, "times")
    case.expect(
        status == 0,
        expected=f"{times} times spawn and wait work, and the status is the child's.",
        seen=f"{status} times they did not."
        if 0 < status < 1 << 20
        else f"The process ended with status {status}.",
        cause="Something is used up after so many: kernel stacks, heap, frames, or "
        "pids of more than a byte.",
        hint="Which is the first to fail? 64 kernel stacks are the least there is.",
        read=HEADER,
    )
    expect_nothing_left(case, evidence)
    case.fact("times", times)
