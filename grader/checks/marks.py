# SPDX-License-Identifier: MIT
"""Calls of 05's contract with marked registers, as the CPU's record shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.checks import support
from grader.checks.api import Case, Plan
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.script import IDLE, Script, Step
from grader.checks.threads import FLAGS_IF, registers
from grader.evidence.events import Block
from grader.machine import Boot, Limits, Module

NOBODY = -1
THREAD_MARKS, STEP_MARKS = 4096, 8  # as in the scenario: of a thread, of a call
MOST_THREADS = 1024
SHORT = Limits(cpu_s=2.0)
IF_ON = (
    "Interrupts are switched on although they were off. If the function keeps the "
    "flags: a switch does not change IF, so it comes back with the IF of whoever "
    "switched to it. thread_exit and thread_block too call dispatch with interrupts "
    "off."
)
HEADER = "kernel/include/course/05-threads.h"


@dataclass(frozen=True)
class Moment:
    """A thread right before or right behind one of its marked calls.

    have: the preserved registers in order, the stack pointer, the flags.
    """

    step: Step
    have: tuple[int, ...]

    @property
    def sp(self) -> int:
        return self.have[-2]

    @property
    def interrupts(self) -> bool:
        return bool(self.have[-1] & FLAGS_IF)


def marked(
    plan: Plan, scenario: str, *watched: str, modules: tuple[Module, ...] = ()
) -> Boot:
    """A boot that records its marked calls, and each entry of a function watched."""
    names = ("scenario_marked_call", "scenario_marked_back", *watched)
    places = [plan.symbols.find(name) or 0 for name in names]
    bits = 8 * support.word_bytes(plan.arch) - 8
    return plan.boot(
        scenario,
        *support.hexadecimal(mark=plan.note("mark", plan.rng().getrandbits(bits))),
        modules=modules,
        limits=SHORT,
        trace=("int", "cpu_reset", "exec", "cpu"),
        trace_ranges=tuple((place, place) for place in places),
    )


def moments(evidence: Evidence) -> list[Moment]:
    """The marked calls of a boot and the returns from them, as they happened."""
    places = {
        support.address_of(evidence, "scenario_marked_call"): False,
        support.address_of(evidence, "scenario_marked_back"): True,
    }
    mark = support.note(evidence, "mark")
    names = (*map(_short, arch_of(evidence).preserved), "sp", "fl")
    waiting: dict[int, Step] = {}  # by the stack pointer
    found: list[Moment] = []
    for event in evidence.events:
        if not isinstance(event, Block) or event.stopped or event.pc not in places:
            continue
        back = places[event.pc]
        dump = registers(event.dump)
        have = tuple(dump.get(name, 0) for name in names)
        caller = waiting.pop(have[-2], None) if back else None
        thread, number = caller[:2] if caller else _marks(have[:-2], mark)
        moment = Moment((thread, number, back), have)
        if not back:
            waiting[moment.sp] = moment.step
        found.append(moment)
    return found


def _marks(have: Sequence[int], mark: int) -> tuple[int, int]:
    """Whose marks the registers hold, and of which call."""
    thread, offset = divmod(have[0] - mark, THREAD_MARKS)
    if 0 <= thread < MOST_THREADS and offset % STEP_MARKS == 0:
        return thread, offset // STEP_MARKS
    return NOBODY, 0


def _short(name: str) -> str:
    """The name of a register as `registers` gives it."""
    return name[-2:] if name[-1] in "xip" else name


def played(plan: Plan, *watched: str, blocks: bool) -> Boot:
    """Threads that play a script of this run."""
    script = plan.note("script", Script(plan.rng("script"), blocks=blocks))
    module = Module("script", script.data())
    return marked(plan, "threads-play", *watched, modules=(module,))


def lost(case: Case, found: Sequence[Moment]) -> tuple[list[str], Moment | None]:
    """What the first call that lost anything did not keep, and its return."""
    names = (*arch_of(case).preserved, "the stack pointer")
    calls: dict[Step, Moment] = {}
    for moment in found:
        thread, number, back = moment.step
        if not back:
            calls[moment.step] = moment
            continue
        call = calls.pop((thread, number, False), None)
        if call is None:
            continue
        pairs = zip(names, call.have, moment.have)
        gone = [name for name, old, new in pairs if old != new]
        if call.interrupts != moment.interrupts:
            gone.append("IF")
        if gone:
            return gone, moment
    return [], None


def expect_kept(case: Case, found: Sequence[Moment], function: str) -> None:
    """Whoever came back from a marked call has its registers, stack and IF."""
    gone, back = lost(case, found)
    kept = ", ".join((*arch_of(case).preserved, "the stack pointer", "IF"))
    only_if = gone == ["IF"]
    seen = f"Not kept: {', '.join(gone)}"
    cause = "A register is not saved, not restored, or restored in another order than "
    cause += "it was saved."
    if back and only_if:
        old, new = int(not back.interrupts), int(back.interrupts)
        seen += f", which was {old} before and is {new} after"
        cause = IF_ON if new else "Interrupts are switched off and not on again."
    case.expect(
        not gone,
        expected=f"Whoever calls {function} finds {kept} as before.",
        seen=f"{seen}, when {_who(back.step[0])} came back." if back else "",
        cause=cause,
        hint="Keep the flags, switch interrupts off, and on again only if IF was set."
        if only_if
        else "The callee-saved registers of the calling convention, all of them; the "
        "last pushed is the first popped.",
        read=HEADER,
    )


def expect_undisturbed(
    case: Case, evidence: Evidence, functions: Sequence[str]
) -> None:
    """Functions of the core that need interrupts off were called with them off."""
    places = {support.address_of(evidence, name): name for name in functions}
    for event in evidence.events:
        if not isinstance(event, Block) or event.stopped or event.pc not in places:
            continue
        case.expect(
            not registers(event.dump).get("fl", 0) & FLAGS_IF,
            expected=f"{places[event.pc]} is called with interrupts off.",
            seen="IF is set at its first instruction.",
            cause="A tick in the middle of it gives the turn to a thread that may call "
            "it too, or find the queue half changed.",
            hint="Keep the flags and switch interrupts off around all that "
            "thread_create_kernel and thread_create_user do.",
            read="kernel/include/memory.h",
        )


def expect_steps(
    case: Case,
    evidence: Evidence,
    found: Sequence[Moment],
    want: Sequence[Step],
    **texts: str,
) -> None:
    """The threads did this in this order; the first difference is shown."""
    script = evidence.notes.get("script")
    names = script.names() if script else {}
    have = [moment.step for moment in found]
    at = next((n for n, pair in enumerate(zip(have, want)) if pair[0] != pair[1]), None)
    if at is None and len(have) != len(want):
        at = min(len(have), len(want))
    case.expect(
        at is None,
        expected=f"In this order: {_shown(want, at or 0, names)}.",
        seen=f"{_shown(have, at or 0, names)}. The first difference is step "
        f"{(at or 0) + 1} of {len(want)}.",
        read=HEADER,
        **texts,
    )


Names = Mapping[tuple[int, int], str]


def _shown(steps: Sequence[Step], at: int, names: Names) -> str:
    """The steps around a position, in words."""
    low = max(0, at - 2)
    part = [_words(step, names) for step in steps[low : at + 2]]
    after = ["…"] if at + 2 < len(steps) else ["the end"]
    return "; ".join((["…"] if low else []) + part + after)


def _words(step: Step, names: Names) -> str:
    thread, number, back = step
    what = names.get((thread, number), "thread_yield")
    return f"{_who(thread)} {'returns from' if back else 'calls'} {what}"


def _who(thread: int) -> str:
    return {IDLE: "the idle thread", NOBODY: "somebody"}.get(thread, f"thread {thread}")
