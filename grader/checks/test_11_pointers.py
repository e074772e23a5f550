# SPDX-License-Identifier: MIT
"""11-shell: what the calls make of pointers that ring 3 gave them."""

from __future__ import annotations

from grader.checks.api import Case, Plan, boot, check
from grader.checks.family import (
    E_FAULT,
    E_INVAL,
    HEADER,
    came,
    children,
    expect_result,
    family_boot,
    nth,
    said,
    wrong,
)
from grader.machine import Boot


@boot("pointers")
def pointers(plan: Plan) -> Boot:
    strings = ["b1", "b2", "b3", "b4", "b9", "b12", "b13"]
    statuses = ["b5", "b11"]
    for kinds in (strings, statuses):
        plan.rng("kinds" + kinds[0]).shuffle(kinds)
    words = [*strings, "squiet,5", *statuses, "w1", "squiet,6", "z30", "b6"]
    return family_boot(plan, words)


@boot("lists")
def lists(plan: Plan) -> Boot:
    return family_boot(plan, plan.rng().sample(("b7", "b8", "b10"), 3))


STRINGS = {
    1: (E_FAULT, "E_FAULT", "the name lies in the kernel"),
    2: (E_FAULT, "E_FAULT", "the words lie in the kernel"),
    3: (E_INVAL, "E_INVAL", "the name has its NUL one byte too late"),
    4: (E_INVAL, "E_INVAL", "the words have their NUL one byte too late"),
    9: (E_FAULT, "E_FAULT", "nothing is where the name should be"),
    12: (None, "a pid", "the words have SPAWN_BYTES bytes, with their NUL"),
    13: (
        E_FAULT,
        "E_FAULT",
        "the name begins on the last byte of a page, and goes on where nothing is",
    ),
}


@check("spawn-pointers", boots=(pointers,))
def test_spawn_pointers(case: Case) -> None:
    """A name or words that are not ring 3's to read are E_FAULT, a string that does not
    end in time E_INVAL."""
    found = wrong(case.run(pointers))
    for number, (code, called, what) in STRINGS.items():
        note = found.get(number)
        case.expect(
            note is not None and (note.result == code if code else note.result > 0),
            expected=f"spawn returns {called}: {what}.",
            seen=came(note),
            cause="The kernel follows a pointer of ring 3 without user_check, or asks "
            "for other bytes than it reads."
            if code == E_FAULT
            else "The strings lie in memory that ring 3 may only read, and they are "
            "only read."
            if note is not None and note.result == E_FAULT
            else "A string may have SPAWN_BYTES bytes, the NUL included, and not one "
            "more.",
            hint="Byte by byte, each checked for reading, into SPAWN_BYTES bytes.",
            read=HEADER,
        )
    case.fact("pointers", len(STRINGS))


@check("wait-pointers", boots=(pointers,), needs=("wait-status",))
def test_wait_pointers(case: Case) -> None:
    """A status that cannot be stored is E_FAULT, and the child is still there; no
    address at all is fine."""
    evidence = case.run(pointers)
    found = wrong(evidence)
    pids = children(evidence)
    for number, where in ((5, "in the kernel"), (11, "in the program's code")):
        expect_result(
            case,
            found.get(number),
            E_FAULT,
            expected=f"wait with a status {where} returns E_FAULT.",
            cause="Whether ring 3 may write there was not asked, or only whether it "
            "may read.",
        )
    expect_result(
        case,
        nth(said(evidence, "w"), 0),
        pids[0],
        expected="After that, the child is still there: a proper wait returns its pid, "
        f"{pids[0]}.",
        cause="The child was forgotten before the address was looked at.",
    )
    others = {pids[1]} | {found[12].result} if 12 in found else {pids[1]}
    note = found.get(6)
    case.expect(
        note is not None and note.result in others,
        expected="wait without an address returns the pid of a child that has ended.",
        seen=came(note),
        cause="0 means that nobody wants the status.",
        read=HEADER,
    )
    case.fact("wait", True)


@check("processes-pointers", boots=(lists,))
def test_processes_pointers(case: Case) -> None:
    """A list that is not ring 3's to write is E_FAULT, also when its size wraps
    around."""
    found = wrong(case.run(lists))
    for number, what in (
        (7, "in the kernel"),
        (8, "whose size wraps around"),
        (10, "in the program's code"),
    ):
        expect_result(
            case,
            found.get(number),
            E_FAULT,
            expected=f"processes with a list {what} returns E_FAULT.",
            cause="count times the size of an element is computed before anybody looks "
            "whether that fits in a word."
            if number == 8
            else "Whether ring 3 may write there was not asked, or only whether it may "
            "read.",
        )
    case.fact("lists", 3)
