# SPDX-License-Identifier: MIT
"""11-shell: processes that spawn, wait for and end each other."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.elf_images import DAMAGES, damaged, faults, names
from grader.checks.family import (
    E_FAULT,
    E_INVAL,
    E_NOENT,
    HEADER,
    KILLED,
    LONG,
    QUIET,
    children,
    expect_end,
    expect_nothing_left,
    family_boot,
    notes,
    said,
)
from grader.checks.record import Evidence
from grader.checks.test_09_elf import bounds
from grader.machine import Boot, Module

TIMES = 1000
NAME_BYTES = 32


@boot("waits")
def waits(plan: Plan) -> Boot:
    """Children with statuses of this run, waited for one by one, by any, in any order."""
    rng = plan.rng()
    statuses = [rng.randrange(1, 1 << 30) for _ in range(5)]
    plan.note("statuses", statuses)
    order = rng.sample((1, 2, 3), 3)
    words = [f"squiet,{status}" for status in statuses]
    words[3] = f"squiet,z{rng.randrange(20, 40)}"
    words += [f"w{n}" for n in order] + ["w0", "w0", "w0", f"w{order[0]}"]
    words += ["i1", "i999", "i-5", "snobody", "sbad"]
    good = plan.program(QUIET, elf=True)
    how = plan.note("how", rng.choice(sorted(DAMAGES)))
    bad = plan.note("bad", damaged(rng, plan.arch, good, how, bounds(plan)))
    plan.note("order", order)
    return family_boot(plan, words, Module("bad", bad))


@boot("pointers")
def pointers(plan: Plan) -> Boot:
    kinds = ["b1", "b2", "b3", "b4", "b9"]
    plan.rng().shuffle(kinds)
    words = [*kinds, "squiet,5", "b5", "w1", "squiet,6", "z30", "b6", "b7", "b8"]
    return family_boot(plan, words)


@boot("orphans")
def orphans(plan: Plan) -> Boot:
    """A child that has children of its own ends before them; so does the first one."""
    words = ["sagain,squiet!z60,squiet!4,z5", "w1", "l8", "squiet,z40", "squiet,9"]
    again = plan.program("probes/family.c", elf=True)
    words[0] = "sagain,squiet,z5"
    return family_boot(plan, words, Module("again", again))


@boot("kill")
def kill(plan: Plan) -> Boot:
    """A child that never ends, one that reads, one that sleeps: all are killed."""
    rng = plan.rng()
    order = rng.sample((1, 2, 3), 3)
    plan.note("order", order)
    words = ["squiet,ever", "squiet,read", "squiet,z25", "squiet,ever", "z10"]
    words += [f"k{n}" for n in order] + ["K999", "K-1"] + [f"w{n}" for n in order]
    words += [f"k{order[0]}", "l8", "k4", "w4"]
    return family_boot(plan, words)


@boot("list")
def listing(plan: Plan) -> Boot:
    words = ["squiet,ever", "squiet,z300", "squiet,3", "z15", "l8", "l2", "l0"]
    words += ["k1", "w1", "k2", "w2", "w3"]
    return family_boot(plan, words, most=900)


@boot("thousand")
def thousand(plan: Plan) -> Boot:
    rounds = plan.note("times", TIMES + plan.rng().randrange(1, 9))
    breed = Module("breed", plan.program("probes/breed.c", elf=True), str(rounds))
    quiet = Module("quiet", plan.program(QUIET, elf=True))
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
    evidence = case.run(waits)
    statuses = support.note(evidence, "statuses")
    pids = children(evidence)
    good = pids[: len(statuses)]
    case.expect(
        len(good) == len(statuses)
        and min(good, default=0) > 1
        and len(set(good)) == len(good),
        expected=f"{len(statuses)} spawns give {len(statuses)} pids, each another one.",
        seen=f"They gave {', '.join(map(str, good)) or 'nothing'}.",
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
        seen=f"It returned {', '.join(map(str, have)) or 'nothing'}.",
        cause="The error of process_start is the result, as it is.",
        read=HEADER,
    )
    case.fact("spawned", len(good))


@check("wait-status", boots=(waits,), needs=("spawn-start",))
def test_wait(case: Case) -> None:
    """wait gives each child's own status and pid, whenever it ends, and forgets it."""
    evidence = case.run(waits)
    statuses, order = (support.note(evidence, k) for k in ("statuses", "order"))
    pids = children(evidence)
    waited = said(evidence, "w")
    told = said(evidence, "t")
    for nth, (child, note, status) in enumerate(zip(order, waited, told)):
        case.expect(
            note.result == pids[child - 1] and status.result == statuses[child - 1],
            expected=f"wait for child {child}, pid {pids[child - 1]}, gives that pid and "
            f"the status {statuses[child - 1]}.",
            seen=f"It gave {note.result} and {status.result}.",
            cause="It returned before the child had ended, took another child, or "
            "stored another number.",
            read=HEADER,
        )
    expect_end(case, evidence)
    case.fact("waited", len(order))


@check("wait-which", boots=(waits,), needs=("wait-status",))
def test_wait_which(case: Case) -> None:
    """wait for any takes each of the rest once; who is no child, or was waited for
    already, is E_NOENT."""
    evidence = case.run(waits)
    statuses = support.note(evidence, "statuses")
    pids = children(evidence)
    waited = said(evidence, "w")[3:]
    told = said(evidence, "t")[3:]
    rest = {pids[3]: 7, pids[4]: statuses[4]}
    for note, status in zip(waited[:2], told[:2]):
        case.expect(
            rest.pop(note.result, None) == status.result,
            expected="wait(0) gives a child that nobody has waited for, and its status.",
            seen=f"It gave {note.result}, with {status.result}.",
            cause="A child is forgotten when it was waited for, and only then.",
            read=HEADER,
        )
    for note, what in zip(
        waited[2:],
        (
            "when no child is left",
            "for a child that was waited for",
            "for the pid of the caller itself",
            "for a pid that nobody has",
            "for a negative pid",
        ),
    ):
        case.expect(
            note.result == E_NOENT,
            expected=f"wait returns E_NOENT {what}.",
            seen=f"It returned {note.result}.",
            cause="Only processes whose parent is the caller are its children.",
            read=HEADER,
        )
    case.fact("which", True)


@check("spawn-pointers", boots=(pointers,))
def test_spawn_pointers(case: Case) -> None:
    """A name or words that are not ring 3's to read are E_FAULT, a string without an
    end E_INVAL."""
    want = {1: E_FAULT, 2: E_FAULT, 3: E_INVAL, 4: E_INVAL, 9: E_FAULT}
    what = {
        1: "the name lies in the kernel",
        2: "the words lie in the kernel",
        3: "the name has no NUL in time",
        4: "the words have no NUL in time",
        9: "nothing is where the name should be",
    }
    evidence = case.run(pointers)
    for note in said(evidence, "b"):
        if note.value in want:
            code = want[note.value]
            case.expect(
                note.result == code,
                expected=f"spawn returns {'E_FAULT' if code == E_FAULT else 'E_INVAL'}: "
                f"{what[note.value]}.",
                seen=f"It returned {note.result}.",
                cause="The kernel follows a pointer of ring 3 without user_check, or "
                "reads on until it finds a NUL.",
                hint="Byte by byte, each checked, into a buffer of SPAWN_BYTES.",
                read=HEADER,
            )
    expect_end(case, evidence)
    case.fact("pointers", len(want))


@check("wait-pointers", boots=(pointers,), needs=("spawn-start",))
def test_wait_pointers(case: Case) -> None:
    """A status that cannot be stored is E_FAULT, and the child is still there; no
    address at all is fine."""
    evidence = case.run(pointers)
    found = {note.value: note.result for note in said(evidence, "b")}
    pids = children(evidence)
    waited = said(evidence, "w")
    case.expect(
        found.get(5) == E_FAULT and waited and waited[0].result == pids[0],
        expected="wait with a status in the kernel returns E_FAULT; waited for properly, "
        "the child is still there.",
        seen=f"It returned {found.get(5)}, then {waited[0].result if waited else 'none'}.",
        cause="The child was forgotten before the address was looked at.",
        read=HEADER,
    )
    case.expect(
        found.get(6) == pids[1],
        expected=f"wait without an address returns the child's pid, {pids[1]}.",
        seen=f"It returned {found.get(6)}.",
        cause="0 means that nobody wants the status.",
        read=HEADER,
    )
    case.fact("wait", True)


@check("orphans", boots=(orphans,), needs=("wait-status",))
def test_orphans(case: Case) -> None:
    """Children whose parent ends before them run on, and are forgotten when they end;
    nothing of anybody is left."""
    evidence = case.run(orphans)
    expect_end(case, evidence)
    expect_nothing_left(case, evidence)
    case.fact("orphans", len(notes(evidence)) > 0)


@check("kill-running", boots=(kill,), needs=("wait-status",))
def test_kill(case: Case) -> None:
    """A process that never ends is ended by another one: its parent gets STATUS_KILLED,
    and it never runs again."""
    evidence = case.run(kill)
    expect_killed(case, evidence, 1, "that never ends")
    expect_end(case, evidence)
    expect_nothing_left(case, evidence)
    case.fact("killed", 1)


def expect_killed(case: Case, evidence: Evidence, child: int, what: str) -> None:
    order = support.note(evidence, "order")
    nth = order.index(child)
    kills = [n for n in said(evidence, "k") if n.value == child]
    case.expect(
        bool(kills) and kills[0].result == 0,
        expected=f"kill of a child {what} returns E_OK.",
        seen=f"It returned {kills[0].result if kills else 'never'}.",
        read=HEADER,
    )
    told = said(evidence, "t")
    status = told[nth].result if nth < len(told) else None
    case.expect(
        status == KILLED,
        expected=f"The status of a child {what} and is killed is STATUS_KILLED, {KILLED}.",
        seen=f"It is {status}." if status is not None else "wait never came back.",
        cause="It was marked and nobody looked at the mark, or it ended in another way.",
        hint="kill_tick is called in each tick, in the context of the thread that was "
        "interrupted.",
        read=HEADER,
    )


@check("kill-reading", boots=(kill,), needs=("kill-running",))
def test_kill_reading(case: Case) -> None:
    """So is one that waits for a key, and one that sleeps, when that is over."""
    evidence = case.run(kill)
    expect_killed(case, evidence, 2, "that waits for a key")
    expect_killed(case, evidence, 3, "that sleeps")
    case.fact("killed", 2)


@check("kill-refuse", boots=(kill,), needs=("kill-running",))
def test_kill_refuse(case: Case) -> None:
    """kill of a pid that nobody has, or of a process that has ended, is E_NOENT."""
    evidence = case.run(kill)
    strangers = said(evidence, "K")
    for note in strangers:
        case.expect(
            note.result == E_NOENT,
            expected=f"kill of the pid {note.value} returns E_NOENT.",
            seen=f"It returned {note.result}.",
            read=HEADER,
        )
    again = [
        n for n in said(evidence, "k") if n.value == support.note(evidence, "order")[0]
    ]
    case.expect(
        len(again) == 2 and again[1].result == E_NOENT,
        expected="A second kill, when the child has been waited for, returns E_NOENT.",
        seen=f"It returned {again[-1].result if again else 'never'}.",
        read=HEADER,
    )
    case.fact("refused", len(strangers))


def name_sum(name: str) -> int:
    """What the probe makes of a name."""
    total = 0
    for byte in name.encode().ljust(NAME_BYTES, b"\0"):
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total & 0x7FFFFFFF


@check("processes-list", boots=(listing,), needs=("spawn-start",))
def test_processes(case: Case) -> None:
    """The list has every process with pid, parent, name and what it does, by pid; with
    less room it has the first ones, and the number is still that of all."""
    evidence = case.run(listing)
    pids = children(evidence)
    me = notes(evidence)[0].pid if notes(evidence) else 1
    want = [(me, 0, 0, "first")]
    want += [(pid, me, state, "quiet") for pid, state in zip(pids, (0, 1, 2))]
    counts = said(evidence, "l")
    for note in counts:
        case.expect(
            note.result == len(want),
            expected=f"processes with room for {note.value} returns {len(want)}.",
            seen=f"It returned {note.result}.",
            cause="It counts only what it stores, or forgets those that have ended.",
            read=HEADER,
        )
    listed = said(evidence, "p")
    packed = [
        (pid | parent << 8 | state << 16, name_sum(name))
        for pid, parent, state, name in want
    ]
    have = [(note.value, note.result) for note in listed]
    rows = packed + packed[:2]
    at = next((n for n, pair in enumerate(zip(have, rows)) if pair[0] != pair[1]), None)
    at = min(len(have), len(rows)) if at is None and len(have) != len(rows) else at
    case.expect(
        at is None,
        expected=f"Row {(at or 0) + 1} says "
        + (
            f"{_row(rows[at])}, “{want[at % 4][3]}”."
            if at is not None and at < len(rows)
            else "nothing more."
        ),
        seen=f"It says {_row(have[at])}"
        + (
            ", with other bytes in the name."
            if at < len(rows) and have[at][0] == rows[at][0]
            else "."
        )
        if at is not None and at < len(have)
        else "It is missing.",
        cause="States are 0 ready, 1 blocked, 2 ended; the name is filled up with NULs.",
        read="kernel/include/abi/process.h",
    )
    beyond = said(evidence, "x")
    case.expect(
        not beyond,
        expected="Nothing behind the room is written.",
        seen=f"Element {beyond[0].value if beyond else 0} was.",
        read=HEADER,
    )
    case.fact("rows", len(rows))


def _row(row: tuple[int, int]) -> str:
    value = row[0]
    return f"pid {value & 0xFF}, parent {value >> 8 & 0xFF}, state {value >> 16 & 0xFF}"


@check("processes-pointers", boots=(pointers,))
def test_processes_pointers(case: Case) -> None:
    """A list that is not ring 3's to write is E_FAULT, also when its size wraps
    around."""
    found = {n.value: n.result for n in said(case.run(pointers), "b")}
    for number, what in ((7, "in the kernel"), (8, "whose size wraps around")):
        case.expect(
            found.get(number) == E_FAULT,
            expected=f"processes with a list {what} returns E_FAULT.",
            seen=f"It returned {found.get(number)}.",
            cause="count times the size of an element is computed before anybody looks "
            "whether that fits in a word."
            if number == 8
            else "The kernel writes where ring 3 says, unseen.",
            read=HEADER,
        )
    case.fact("pointers", 2)


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
        cause="Something is used up after so many: kernel stacks, heap, frames, or pids "
        "of more than a byte.",
        hint="Which is the first to fail? 64 kernel stacks are the least there is.",
        read=HEADER,
    )
    expect_nothing_left(case, evidence)
    case.fact("times", times)
