# SPDX-License-Identifier: MIT
"""Mistakes that raise no fault but show in the records that ring 3 left."""

from __future__ import annotations

from collections import Counter

from grader.evidence import descriptors, faults, tss
from grader.evidence.registers import EFLAGS_IF
from grader.evidence.scene import Diagnosis, Scene
from grader.evidence.trace import PIC_VECTORS, Interrupt

_TSS_MOST = tss.PORTS + tss.PORTS // 8 + 1


def observe(scene: Scene) -> list[Diagnosis]:
    """What is wrong though nothing faulted, most telling first: PIC not
    remapped, wrong mode, IOPL, IF, data segments, open ports, EOI.
    """
    found: list[Diagnosis] = []
    every = scene.interrupts
    early = [e for e in every if e.hardware and e.v in PIC_VECTORS]
    if early:
        seen = faults.describe(early[0]) + "."
        found.append(scene.diagnosis("pic-not-remapped", seen, early[0].pc))
    user = next((e for e in every if e.cpl == 3 and e.regs.complete), None)
    if user is not None:
        found += _in_ring3(scene, user)
    ticks = Counter(e.v for e in every if e.hardware and 0x20 <= e.v < 0x30)
    regs = scene.registers
    for vector, times in ticks.items():
        if times == 1 and regs is not None and regs.interrupts_on:
            one = next(e for e in every if e.hardware and e.v == vector)
            seen = f"One record only: {faults.describe(one)}."
            found.append(
                scene.diagnosis("eoi-missing", seen, one.pc, vector=f"{vector:#04x}")
            )
    return found


def _in_ring3(scene: Scene, event: Interrupt) -> list[Diagnosis]:
    regs, pc = event.regs, event.pc
    seen = f"In the record of {faults.describe(event)}"
    flags = regs.flags or 0
    name = "RFLAGS" if "RFL" in regs else "EFLAGS"
    shown = f"{name}={flags:#x}"
    found: list[Diagnosis] = []
    code = regs.segments["CS"]
    if scene.arch == "x86_64" and not code.long:
        text = descriptors.selector(code.selector)
        found.append(
            scene.diagnosis("user-l-bit", f"{seen}: {code.kind}.", pc, selector=text)
        )
    if regs.iopl:
        found.append(
            scene.diagnosis(
                "iopl", f"{seen}: {shown}.", pc, iopl=regs.iopl, flags=shown
            )
        )
    if not flags & EFLAGS_IF:
        found.append(scene.diagnosis("if-clear", f"{seen}: {shown}.", pc, flags=shown))
    bad = [
        f"{n}={regs.segments[n].selector:04x}"
        for n in ("DS", "ES", "FS", "GS")
        if regs.segments[n].selector & 3 != 3 or not regs.segments[n].usable
    ]
    if bad and scene.arch == "i386":
        names = ", ".join(bad)
        found.append(
            scene.diagnosis("data-segments", f"{seen}: {names}.", pc, names=names)
        )
    task, space = regs.segments["TR"], scene.space(regs)
    state = scene.tss(regs)
    if state is not None and space is not None and task.selector >= 4:
        memory = space.read(task.base, min(task.limit + 1, _TSS_MOST))
        ports = tss.open_ports(task.limit, state.iomap_base, memory)
        if ports.count:
            limit, base = f"{task.limit:#x}", f"{state.iomap_base:#x}"
            text = f"TSS: {state}; limit {limit}."
            found.append(
                scene.diagnosis(
                    "ports-open", text, pc, ports=ports, limit=limit, base=base
                )
            )
    return found
