# SPDX-License-Identifier: MIT
"""What calls, switches and spawns cost in instructions, and what they did cost.

With `-icount shift=0` QEMU's clock moves by a nanosecond an instruction, and the TSC
shows that clock: two reads differ by the number of instructions between. So figures
are the same on each host and in each run. `int`, `iret`, `syscall` count as one each, a
string instruction once a repetition. What stands around a round is counted by rounds of
nothing, and taken off.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.build.tools import toolchain
from grader.checks import support
from grader.checks.api import BootSpec, Plan, boot
from grader.checks.family import notes
from grader.checks.record import Evidence
from grader.course import Course, Stage
from grader.engine import Engine
from grader.errors import OperatorError
from grader.machine import Boot, End, Module
from grader.settings import resolve
from grader.tools import versions

RECORDED = Path(__file__).with_name("recorded.json")
TOLERANCE = 0.05  # of what is recorded; a different compiler needs more, and is no case
STAGE = "11-shell"
ROUNDS = 16  # in user/probes/cost.c and grader/scenarios/11-shell-cost.c
SEED = "1"
KNOWN = 1000  # instructions of a round that is there to prove the count
GATE, FAST = "system call, int 0x80", "system call, fast"
SWITCH, HAND_OVER = "thread switch, in the kernel", "hand-over, ring 3 to ring 3"
MAIN, REAPED = "spawn, to main", "spawn, to its status"
Costs = Mapping[str, int]


@boot("cost-switch")
def switch_boot(plan: Plan) -> Boot:
    return _counted(plan.boot("switch-cost"))


@boot("cost-calls")
def calls_boot(plan: Plan) -> Boot:
    return _program(plan, "")


@boot("cost-fast")
def fast_boot(plan: Plan) -> Boot:
    page = support.of(plan)["FAST_CALL_VA"]
    return _program(plan, f"fast {page:x}", *support.hexadecimal(fast=1))


def _program(plan: Plan, args: str, *words: str) -> Boot:
    program = plan.program("probes/cost.c", elf=True)
    modules = Module("first", program, args), Module("cost", program)
    return _counted(plan.boot("family-run", *words, modules=modules))


def _counted(planned: Boot) -> Boot:
    return dataclasses.replace(planned, icount_shift=0, trace=())


def measure(engine: Engine, arch: str, stage: Stage) -> Costs:
    """Instructions by what was done."""
    engine.prefetch(arch, stage, (switch_boot, calls_boot, fast_boot))
    evidence = _ended(engine, arch, stage, switch_boot)
    rows = support.array(evidence, "scenario_switch_costs", "3I", 2)
    nothing, switches = map(_each, rows)
    calls = _said(_ended(engine, arch, stage, calls_boot))
    fast = _said(_ended(engine, arch, stage, fast_boot))
    loop = _each(calls["0"])
    if (counted := _each(calls["k"]) - loop) != KNOWN:
        raise ArithmeticError(f"{counted} were counted of {KNOWN} instructions")
    return {
        GATE: _each(calls["g"]) - loop,
        FAST: _each(fast["f"]) - _each(fast["0"]),
        SWITCH: switches // 2 - nothing,  # there and back, a loop on either side
        HAND_OVER: _each(calls["y"]) // 2 - loop,
        MAIN: calls["m"][0],
        REAPED: calls["e"][0],
    }


def _said(evidence: Evidence) -> Mapping[str, Sequence[int]]:
    """Totals by their letter, in order."""
    said: dict[str, list[int]] = {}
    for note in notes(evidence):
        said.setdefault(note.what, []).append(note.result)
    return said


def _ended(engine: Engine, arch: str, stage: Stage, spec: BootSpec) -> Evidence:
    evidence = engine.evidence(arch, stage, spec)
    if evidence.run.end is not End.DONE:
        seen = f"the boot {spec.name} on {arch} ended otherwise"
        raise OperatorError(seen, f"run `make grade A={stage.id}` first")
    return evidence


def _each(totals: Sequence[int]) -> int:
    """Instructions of a round, from totals of ROUNDS, twice and three times as many."""
    once, twice, thrice = totals
    if thrice - twice != twice - once or (twice - once) % ROUNDS:
        raise ArithmeticError(f"twice the rounds are not twice the cost: {totals}")
    return (twice - once) // ROUNDS


def reference(course: Course, arch: str, out: Path, src: Path | None = None) -> Costs:
    """What the reference costs; src: gap files to take instead."""
    folder = str(src or course.root / "solutions")
    settings = resolve(course, arches=arch, src=folder, out=str(out), seed=SEED)
    engine = Engine(settings)
    try:
        return measure(engine, arch, course.stage(STAGE))
    finally:
        engine.close()


def compilers(root: Path) -> dict[str, str]:
    """What the figures depend on, besides the sources, by architecture."""
    found, have = toolchain(root), versions(root)
    names = {key: words[0] for key, words in found.items() if key.startswith("CC_")}
    return {
        key[3:]: f"{name} {have.get(name, '')}".strip()
        for key, name in sorted(names.items())
    }


def recorded() -> tuple[dict[str, str], dict[str, Costs]]:
    """The compilers by architecture, and the figures, of the last record."""
    data = json.loads(RECORDED.read_text(encoding="utf-8"))
    return data["compilers"], data["instructions"]


def slower(now: Costs, before: Costs) -> list[str]:
    """What costs more than was recorded, and more than is tolerated; in words."""
    return [
        f"{name}: {cost} instructions, {before[name]} were recorded"
        for name, cost in now.items()
        if cost > before[name] * (1 + TOLERANCE)
    ]
