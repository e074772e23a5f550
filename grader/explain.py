# SPDX-License-Identifier: MIT
"""`grader explain`: runs a stage's demo once, and explains its last fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.course import Stage
from grader.deliver import chosen, demo, print_messages
from grader.evidence.signatures import READ_DOUBLE
from grader.settings import ROOT, Settings, near
from grader.verdict.model import plain, plain_exhibit

if TYPE_CHECKING:
    from grader.checks.record import Evidence
    from grader.evidence.account import Account
    from grader.evidence.scene import Scene

OUT = ROOT / "build/explain"
CPU_S = 4.0
LOG_BYTES = 8 << 20
# 2**5 ns of virtual time an instruction: half a minute of a demo takes a second or two.
ICOUNT_SHIFT = 5


class Growth:
    """Looks at the log's size now and then: a register predicate that never holds."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.sizes: list[int] = []

    def __call__(self, registers: str) -> bool:
        self.sizes.append(self.log.stat().st_size)
        return False

    def lasted(self) -> bool:
        """Whether the log grew until the end, and not in the first half alone."""
        middle = self.sizes[len(self.sizes) // 2 :][:1]
        return middle != [self.log.stat().st_size]


def explain(options: Mapping[str, Any]) -> int:
    """Print what became of the demo; 1 if the gap files do not build."""
    from grader.build import SubmissionError
    from grader.reports import terminal
    from grader.tools import require

    settings, arch, stage = chosen(options)
    require((arch,))
    folder = OUT / arch / stage.id
    try:
        evidence, alive = _run(settings, arch, stage, folder)
    except SubmissionError as error:
        print_messages(settings, stage, error.messages)
        print(f"{stage.id} ({arch}) does not build, so there is no demo to explain.")
        return 1
    found = _account(settings, evidence, alive)
    out = terminal.console()

    def located(text: str) -> str:
        return settings.located(text, stage.id)

    out.print(f"{stage.id}  {arch}  {stage.title}", style="bold")
    told = [(name, plain(located(text))) for name, text in found.told]
    shown = [plain_exhibit(exhibit.map(located)) for exhibit in found.exhibits]
    terminal.explanation(told, shown, out, 2)
    log = near(evidence.run.trace)
    out.print(f"  the CPU's log: {log}", style="dim", soft_wrap=True)
    return 0


def _run(
    settings: Settings, arch: str, stage: Stage, folder: Path
) -> tuple[Evidence, bool]:
    """Boot the demo as `make run` does, without GRUB, in virtual time, and bounded."""
    from grader import machine
    from grader.checks.record import Evidence
    from grader.machine.command import TRACE
    from grader.sandbox import detect

    folder.mkdir(parents=True, exist_ok=True)
    image, modules = demo(settings, arch, stage, folder / "image")
    growth = Growth(folder / TRACE)
    boot = machine.Boot(
        name="demo",
        elf=image.elf,
        arch=arch,
        modules=modules,
        screen=True,  # demos write there, and 05's looks at it
        icount_shift=ICOUNT_SHIFT,
        until=machine.Until(registers=growth),
        limits=machine.Limits(cpu_s=CPU_S, log_bytes=LOG_BYTES),
    )
    run = machine.run(boot, folder, detect())
    return Evidence(run, boot, image, {}), growth.lasted()


def _account(settings: Settings, evidence: Evidence, alive: bool) -> Account:
    """The explanation; guest memory is given back once it is made."""
    from grader.evidence.account import account

    try:
        if evidence.run.end.name == "TASK_OPEN":
            return _open(settings, evidence)
        found = account(evidence.scene, alive=alive)
        return _undelivered(evidence, found) or found
    finally:
        evidence.run.ram.unlink(missing_ok=True)


def _undelivered(evidence: Evidence, found: Account) -> Account | None:
    """The account of an overflow whose #DF did not get to its handler; else None."""
    from grader.checks import double_fault

    why, every = evidence.diagnosis, evidence.scene.interrupts
    over = why.key in ("stack-overflow", "qemu-abort")
    handled = evidence.run.end.name == "PANIC"
    taken = evidence.symbols.find("double_fault_init") is not None
    if handled or not (over and taken and every and every[-1].v == 8):
        return None
    cause, mend = double_fault.wrong_way(evidence, every[-1])
    texts = {"cause": cause, "mend": mend, "read": READ_DOUBLE}
    told = tuple((name, texts.get(name, text)) for name, text in found.told)
    return replace(found, told=told)


def _open(settings: Settings, evidence: Evidence) -> Account:
    """The stub that the demo ran into, and the place of it."""
    from grader.evidence import account
    from grader.judge import open_task

    scene, task = evidence.scene, evidence.run.detail
    texts = open_task(settings.course, task)
    told = [("the demo", texts["seen"]), ("at", _stub(scene)), ("mend", texts["hint"])]
    told += account.records(scene) + account.said(scene)
    return account.Account(tuple(row for row in told if row[1]))


def _stub(scene: Scene) -> str:
    """Who called task_open, whose frame is the last one: "function (file:line)"."""
    regs = scene.registers
    if regs is None:
        return ""
    word = 8 if scene.wide(regs) else 4
    frame = regs.get("RBP" if word == 8 else "EBP") or 0
    back = scene.words(regs, frame + word, 1, word)
    return scene.source(back[0] - 1) if back else ""
