# SPDX-License-Identifier: MIT
"""11-shell: processes that end others, and the list of all."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.family import (
    E_NOENT,
    HEADER,
    KILLED,
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
from grader.checks.record import Evidence
from grader.machine import Boot, End, Module

NAME_BYTES = 32
# Who is not ended runs for ever, and so does the boot: that is no riddle.
ENDS = (End.DONE, End.CPU_LIMIT, End.LOG_LIMIT)


@boot("kill")
def kill(plan: Plan) -> Boot:
    """Two children that never end are killed, one kills itself, one has ended."""
    status = plan.note("status", plan.rng().randrange(1, 1 << 30))
    words = ["squiet,ever", "squiet,ever", f"squiet,{status}", "sagain,m", "z10"]
    words += ["K999", "K-1", "k3", "k1", "w3", "w1", "k1", "w4", "k2", "w2"]
    return family_boot(plan, words, again(plan))


@boot("kill-waiting")
def kill_waiting(plan: Plan) -> Boot:
    """A child that reads and one that sleeps are killed."""
    order = plan.rng().sample((1, 2), 2)
    words = ["squiet,read", "squiet,z25", "z10"]
    words += [f"k{n}" for n in order] + [f"w{n}" for n in order]
    return family_boot(plan, words)


@boot("list")
def listing(plan: Plan) -> Boot:
    """One child works, one sleeps, one has ended; order and a name are of this run."""
    rng = plan.rng()
    kinds = plan.note("kinds", rng.sample(("ever", "z120", "3"), 3))
    name = "".join(rng.choices("abcdefghijkmnpqrstuvwxyz", k=rng.randrange(9, 19)))
    called = plan.note("names", rng.sample(("quiet", "quiet", name), 3))
    words = [f"s{name},{kind}" for name, kind in zip(called, kinds)]
    words += ["z15", "l8", "l2", "l0", "k1", "k2", "k3"]
    return family_boot(plan, words, Module(name, quiet_image(plan)))


@check("kill-running", boots=(kill,), needs=("wait-status",))
def test_kill(case: Case) -> None:
    """A process that never ends is ended by another one, and one ends itself: the
    parent gets STATUS_KILLED, and nothing is left."""
    evidence = case.run(kill, ends=ENDS)
    if said(evidence, "k"):
        expect_kill(case, evidence, 1, "that never ends")
        expect_killed(case, evidence, 1, "that never ends")
    evidence = case.run(kill)
    expect_kill(case, evidence, 1, "that never ends")
    expect_killed(case, evidence, 4, "that kills itself and then makes a fault")
    expect_end(case, evidence)
    expect_nothing_left(case, evidence)
    case.fact("killed", True)


def expect_kill(case: Case, evidence: Evidence, child: int, what: str) -> None:
    note = nth([n for n in said(evidence, "k") if n.value == child], 0)
    expect_result(
        case,
        note,
        0,
        expected=f"kill of a child {what} returns E_OK.",
        cause="The caller has ended in place of the child: user_exit ends the thread "
        "that calls it, whoever is meant."
        if note is None
        else "The child runs: a process that was started, and has not ended.",
        hint="Mark the child as killed; it ends itself, at its next kill_point.",
    )


def status_of(evidence: Evidence, child: int) -> int | None:
    """What wait stored for the nth child."""
    pids = children(evidence)
    told = [n.result for n in said(evidence, "t") if n.value == pids[child - 1]]
    return told[0] if told else None


def expect_killed(case: Case, evidence: Evidence, child: int, what: str) -> None:
    status = status_of(evidence, child)
    case.expect(
        status == KILLED,
        expected=f"The status of a child {what} is STATUS_KILLED, {KILLED}.",
        seen=f"It is {status}." if status is not None else "wait never came back.",
        cause="It was marked, and nobody looked at the mark."
        if status is None
        else "kill of the caller came back, and the program went on."
        if -256 - 32 < status <= -256
        else "It ended in another way.",
        hint="If it is the caller's own process, sys_kill does not return: "
        "thread_point(), or user_exit(STATUS_KILLED)."
        if status is not None and -256 - 32 < status <= -256
        else "kill_point is called in each tick and in each call, by the thread that "
        "was interrupted or that calls; it is the one that may end there.",
        read=HEADER,
    )


@check("kill-reading", boots=(kill_waiting,), needs=("kill-running",))
def test_kill_reading(case: Case) -> None:
    """So is one that waits for a key, and one that sleeps, when that is over."""
    evidence = case.run(kill_waiting)
    kinds = {1: "that waits for a key", 2: "that sleeps"}
    for child, what in kinds.items():
        expect_kill(case, evidence, child, what)
    for child, what in kinds.items():
        expect_killed(case, evidence, child, what)
    expect_nothing_left(case, evidence)
    case.fact("killed", len(kinds))


@check("kill-refuse", boots=(kill,), needs=("kill-running",))
def test_kill_refuse(case: Case) -> None:
    """kill of a pid that nobody has, or of a process that has ended, is E_NOENT."""
    evidence = case.run(kill)
    kills = said(evidence, "k")
    refused = {f"the pid {n.value}, which nobody has": n for n in said(evidence, "K")}
    refused["a child that has ended"] = next(n for n in kills if n.value == 3)
    refused["a child that was killed and waited for"] = [
        n for n in kills if n.value == 1
    ][1]
    for what, note in refused.items():
        case.expect(
            note.result == E_NOENT,
            expected=f"kill of {what} returns E_NOENT.",
            seen=came(note),
            cause="A process that has ended is known until its parent has asked, but "
            "it has no thread any more.",
            read=HEADER,
        )
    status = status_of(evidence, 3)
    case.expect(
        status == support.note(evidence, "status"),
        expected="The status of a child that ended before it was killed is its own, "
        f"{support.note(evidence, 'status')}.",
        seen=f"It is {status}.",
        cause="kill wrote a status, though the process had one.",
        read=HEADER,
    )
    case.fact("refused", len(refused))


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
    evidence = case.run(listing, ends=ENDS)  # kill comes behind what is judged here
    pids = children(evidence)
    me = notes(evidence)[0].pid if notes(evidence) else 1
    want = [(me, 0, 0, "first")]
    states = {"ever": 0, "z120": 1, "3": 2}
    kinds, called = (support.note(evidence, k) for k in ("kinds", "names"))
    want += [(p, me, states[k], name) for p, k, name in zip(pids, kinds, called)]
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
        cause="States are 0 ready, 1 blocked, 2 ended; the name is filled up with "
        "NULs.",
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
