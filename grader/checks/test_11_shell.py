# SPDX-License-Identifier: MIT
"""11-shell: a conversation with the shell over the console."""

from __future__ import annotations

import random
import re

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.family import HEADER
from grader.checks.record import Evidence
from grader.machine import Boot, End, Limits, Module, Step, Via

PROGRAMS = ("shell", "args", "crash", "spin", "primes")
NEEDS = ("spawn-start", "wait-status", "kill-running", "processes-list")
PROMPT = r"\$ "
FAULTS = {"kernel": ("#PF", 14), "divide": ("#DE", 0), "opcode": ("#UD", 6)}
KILLED = r"\[4\] spin: killed"  # told before one of the next prompts
Line = tuple[str, str]  # what is typed, and what must come


def conversation(rng: random.Random) -> list[Line]:
    """Lines for the shell, with what each must bring; the words are of this run."""
    word = "".join(rng.choices("abcdefghijkmnpqrstuvwxyz", k=9))
    fault = rng.choice(sorted(FAULTS))
    name, vector = FAULTS[fault]
    return [
        (f"echo {word}", word),
        (f"args {word} two", f'argv\\[1\\] is "{word}"'),
        ("nobody", "nobody: there is no such program"),
        (f"crash {fault}", f"crash: stopped by {name} \\(exception {vector}\\)"),
        ("spin &", r"\[4\] spin"),
        ("ps", r"\d+ +\d+ +ready +spin"),
        (f"args {word[::-1]}", f'argv\\[1\\] is "{word[::-1]}"'),
        ("kill 4", ""),  # its pid: the fourth process
        (f"echo {word}{word}", f"{word}{word}"),
    ]


def shell_boot(plan: Plan, via: Via) -> Boot:
    lines = plan.note("lines", conversation(plan.rng()))
    steps = [Step(PROMPT)]
    for typed, wanted in lines:
        # A child that was killed ends some time later: that is told before the next
        # prompt, or the one after it.
        at_once = "" if typed.startswith("kill") else wanted
        steps += [Step("", f"{typed}\r"), Step(at_once), Step(PROMPT)]
    modules = tuple(
        Module(name, plan.program(f"programs/{name}.c", elf=True)) for name in PROGRAMS
    )
    status = plan.note("status", plan.rng("status").randrange(1, 1 << 20))
    end = f"the shell ended with status {status}"
    steps += [Step("", f"kill {support.PAGE}\r"), Step("no such process"), Step(PROMPT)]
    steps += [Step("", f"exit {status}\r"), Step(end)]
    return plan.boot(
        modules=modules,
        script=tuple(steps),
        via=via,
        icount_shift=None,
        limits=Limits(cpu_s=6.0, log_bytes=64 << 20),
        trace=("cpu_reset",),
    )


@boot("shell")
def direct(plan: Plan) -> Boot:
    return shell_boot(plan, Via.DIRECT)


@boot("shell-grub", disc=True)
def grub(plan: Plan) -> Boot:
    return shell_boot(plan, Via.GRUB)


def expect_talk(case: Case, spec: BootSpec) -> None:
    evidence: Evidence = case.run(spec, ends=(End.DONE, End.CPU_LIMIT, End.WALL_LIMIT))
    lines = support.note(evidence, "lines")
    lines = [*lines, ("kill 4", KILLED)]
    at = next(
        (n for n, (_, want) in enumerate(lines) if not told(evidence, want)), None
    )
    case.expect(
        at is None and evidence.run.end is End.DONE,
        expected=f"After “{lines[at][0]}” the console shows “{plain(lines[at][1])}”."
        if at is not None
        else f"The shell ends with status {support.note(evidence, 'status')}.",
        seen=f"The conversation stopped after {evidence.run.steps} steps; the last "
        "lines were: " + " | ".join(evidence.console.splitlines()[-4:]),
        cause="A child was not waited for, or never came back; or the prompt did not "
        "return.",
        hint="make run A=11-shell, and type the same.",
        read=HEADER,
    )
    case.fact("lines", len(lines)) if spec is direct else None


def plain(pattern: str) -> str:
    """What is to come, for people."""
    return pattern.replace(" +", " ").replace(r"\d+", "…").replace("\\", "")


def told(evidence: Evidence, want: str) -> bool:
    return re.search(want, evidence.console) is not None


@check("shell-talk", boots=(direct,), needs=NEEDS)
def test_talk(case: Case) -> None:
    """A conversation with the shell: programs with words, one that is not there, one
    that crashes, one in the background, and the end."""
    expect_talk(case, direct)


@check("shell-grub", boots=(grub,), needs=("shell-talk",))
def test_grub(case: Case) -> None:
    """The same, booted by GRUB."""
    with support.only_by_grub():
        expect_talk(case, grub)
