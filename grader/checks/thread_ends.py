# SPDX-License-Identifier: MIT
"""What is told of a boot of 05-threads that did not come to its end."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import BootSpec, Case
from grader.checks.marks import HEADER
from grader.checks.record import Evidence
from grader.machine import End

BAD_FRAME = (
    "Nearly always the first stack of a thread has a word too many or too few for what "
    "thread_switch pops, or sp was noted before the pushes."
)
# What a cause of the catalogue means in this stage.
MEANS = {
    "null-return": BAD_FRAME,
    "stack-top": BAD_FRAME,
    "null-call": "If that is the thread's function: thread_current() was not yet the "
    "new thread. Set it before dispatch().",
}
# Ways for the code itself to use a wrong address.
STRAY = ("null-pointer", "page-absent", "page-rights", "not-canonical")
NO_THREAD = "thread_switch took something for prev or next that is none."
MOVED = {
    "i386": "Each push moves the arguments by 4: read them before the pushes, or at "
    "[esp+20] and [esp+24] behind four of them.",
    "x86_64": "rdi and rsi are prev and next only until a call: it may change them.",
}


def finished(case: Case, spec: BootSpec, cause: str, mend: str = "") -> Evidence:
    """The boot's evidence; if it did not come to its end, `cause` says why, unless the
    end itself says more. mend: for an endless loop or a panic of the kernel's own.
    """
    evidence = case.run(spec, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(spec)
    if evidence.run.end is not End.DONE:
        why = evidence.diagnosis
        case.lay_open(lambda: why.exhibits)
        told, hint = f"{cause} {why.cause}", why.hint
        if why.key == "panic":
            told, hint = why.cause, mend or hint
        elif no_thread(evidence):
            told, hint = f"{why.cause} {NO_THREAD}", MOVED[case.arch]
            if why.key == "null-pointer":
                hint += " If they are right, dispatch was called with a null pointer."
        elif why.key in MEANS:
            told = f"{why.cause} {MEANS[why.key]}"
        elif why.key == "null-pointer":
            told = f"{why.cause} {cause}"
        elif why.key == "busy":
            hint = mend or hint
        case.fail(
            expected=f"The threads of the boot “{spec.name}” live, and the kernel "
            "comes to its end.",
            seen=why.seen,
            cause=told,
            hint=hint,
            read=HEADER,
            source=why.source,
        )
    return evidence


def no_thread(evidence: Evidence) -> bool:
    """Whether thread_switch itself ended the boot, at an address that is not its
    stack's."""
    faults = [event for event in support.interrupts(evidence) if event.fault]
    if evidence.diagnosis.key not in STRAY or not faults:
        return False
    last = faults[-1]
    place = evidence.symbols.at(last.pc)
    near = abs(last.cr2 - last.sp) < support.PAGE
    return place is not None and place.function == "thread_switch" and not near
