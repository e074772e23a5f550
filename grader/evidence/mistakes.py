# SPDX-License-Identifier: MIT
"""The mistake behind an end, where functions that the student writes give it away."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Sequence

from grader.evidence import faults
from grader.evidence.instruction import PF
from grader.evidence.scene import Diagnosis, Scene
from grader.evidence.trace import Interrupt

_PAGE = 4096  # below, it is a null pointer
_NO_FRAME = re.compile(r"frame_free: (0x[0-9a-f]+)")
_SERVED = re.compile(r"\b(sys_\w+)\+")
_LOOKS = ("sys_wait", "thread_yield", "process_find", "process_after")
_TWICE = re.compile(r"kfree: .* already free")


def of_panic(
    scene: Scene, found: Diagnosis, reason: str, calls: Sequence[str]
) -> Diagnosis:
    """The diagnosis with the mistake behind it, if it is a known one.

    reason: the panic's first line; calls: its backtrace.
    """
    frame = _NO_FRAME.match(reason)
    end = scene.symbols.find("image_end") if scene.symbols else None
    if frame and end and int(frame[1], 16) < end and _through(calls, "space_destroy"):
        cause = f"{found.cause} {frame[1]} is the kernel's: space_destroy went into the"
        return replace(
            found,
            cause=f"{cause} entries below USER_BASE.",
            hint="What those entries name is shared: free the tables that this space"
            " has made for itself, and what ring 3 has.",
            read="kernel/include/course/08-address-spaces.h",
        )
    if _TWICE.match(reason) and _through(calls, "forget"):
        return replace(
            found,
            hint="process_forget frees the struct; process_exit must not: somebody may"
            " still ask for the status.",
            read="kernel/include/course/09-programs.h",
        )
    return found


def of_fault(found: Diagnosis, event: Interrupt, calls: Sequence[str]) -> Diagnosis:
    """The diagnosis of a panic by a fault, with more if a call touched the address."""
    served = next(filter(None, map(_SERVED.search, calls[:2])), None)
    if served is None or event.v != PF or event.cpl != 0 or event.cr2 < _PAGE:
        return found
    return replace(
        found,
        cause=f"{found.cause} If it is ring 3 that gave {served[1]} this address:"
        " other bytes were asked for than those that are touched, or none.",
        hint="user_check for each byte before it is touched; of a string, one after the"
        " other up to its NUL, not the first alone.",
        read="kernel/include/course/06-syscalls.h",
    )


def of_wait(scene: Scene, found: Diagnosis) -> Diagnosis:
    """A run that waits with interrupts off, or for a program which had no tree of its
    own, if it is one."""
    own, symbols, regs = scene.kernel_root, scene.symbols, scene.registers
    place = scene.place(regs.ip) if regs else None
    if regs and place and place.function in _LOOKS and not regs.interrupts_on:
        if scene.end != "LOG_LIMIT" and symbols and symbols.find("sys_wait"):
            return replace(
                found,
                cause=f"{found.cause} If it waits for somebody here, as sys_wait does:"
                " with interrupts off the timer can wake nobody who sleeps.",
                hint="Between two looks let interrupts in: cpu_sti, thread_yield,"
                " cpu_cli.",
                read="kernel/include/course/11-shell.h",
            )
    if own is None or symbols is None or symbols.find("process_start") is None:
        return found
    for event in scene.interrupts:
        absent = event.v == PF and event.fault and event.cpl == 3
        if absent and event.regs.get("CR3") == own:
            return replace(
                found,
                seen=f"{faults.describe(event)}, under CR3 {own:#x}. {found.seen}",
                cause=f"{own:#x} is the kernel's tree: the thread of the process has"
                " `process` NULL, so space_switch gave it that one.",
                hint="process_start sets thread->process before the thread can run.",
                read="kernel/include/course/09-programs.h",
            )
    return found


def _through(calls: Sequence[str], name: str) -> bool:
    return any(name in call for call in calls)
