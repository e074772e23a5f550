# SPDX-License-Identifier: MIT
"""The struct trap_frame that fault_dispatch got, and the mistake behind a wrong one."""

from __future__ import annotations

from grader.checks import support
from grader.checks.arch import Arch, arch_of
from grader.checks.faults import NAMES, WITH_ERROR_CODE
from grader.checks.record import Evidence
from grader.evidence.trace import Interrupt

RESUME_FLAG = 0x10000  # the CPU sets it in the flags that a fault saves


def frames(evidence: Evidence, count: int, first: int = 0) -> list[dict[str, int]]:
    """The struct trap_frame that fault_dispatch got in `count` runs from number `first`
    on; selectors have 16 bits."""
    arch = arch_of(evidence)
    layout = arch.words(len(arch.frame))
    rows = support.array(evidence, "scenario_fault_frames", layout, first + count)
    found = [dict(zip(arch.frame, row)) for row in rows[first:]]
    for frame in found:
        selectors = ("cs", "ss", *arch.segments)
        frame.update({name: frame[name] & 0xFFFF for name in selectors})
        frame["flags"] &= ~RESUME_FLAG
    return found


def should_be(arch: Arch, event: Interrupt) -> dict[str, int]:
    """The frame that the CPU's record asks for: what the CPU pushed comes first."""
    want = {"vector": event.v, "error": event.e, "ip": event.ip, "cs": event.cs}
    want["flags"] = (event.regs.flags or 0) & ~RESUME_FLAG
    if event.cpl == 3:
        want |= {"sp": event.sp, "ss": event.ss}
    want |= {name: event.regs[name.upper()] for name in arch.general}
    segments = event.regs.segments
    return want | {name: segments[name.upper()].selector for name in arch.segments}


def too_low(arch: Arch, frame: dict[str, int], want: dict[str, int]) -> int:
    """By how many fields the vector and what the CPU pushed are shifted; 0 if not."""
    at = arch.frame.index("vector")
    known = ("vector", "error", "ip", "cs")
    for fields in range(1, at + 1):
        moved = (arch.frame[at + n - fields] for n in range(len(known)))
        if [frame[name] for name in moved] == [want[name] for name in known]:
            return fields
    return 0


def frame_cause(
    arch: Arch, field: str, frame: dict[str, int], want: dict[str, int]
) -> str:
    """The mistake behind the first field that is wrong."""
    low = too_low(arch, frame, want)
    if low:
        stand = "one field" if low == 1 else f"{low} fields"
        fewer = "one register" if low == 1 else f"{low} registers"
        pushed = arch.frame[: arch.frame.index("vector")]
        return (
            f"All words from the vector up stand {stand} too low: your entry pushes "
            f"{fewer} fewer than struct trap_frame has, from {pushed[-1].upper()} to "
            f"{pushed[0].upper()}."
        )
    name = NAMES[want["vector"]]
    coded = want["vector"] in WITH_ERROR_CODE
    if not coded and frame["error"] == want["ip"] and frame["ip"] == want["cs"]:
        return (
            f"The CPU pushes no error code for {name}, and the entry put nothing in "
            f"its place: everything above is taken one word too low, {arch.ip} as the "
            "error code."
        )
    if coded and frame["ip"] == want["error"] and frame["cs"] == want["ip"] & 0xFFFF:
        return (
            f"The CPU has already pushed an error code for {name}, and the entry "
            "pushed another one: everything above is taken one word too high, the "
            f"error code as {arch.ip}."
        )
    if field == "vector" and frame["vector"] in NAMES:
        return (
            f"This is the vector of {NAMES[frame['vector']]}: the entry of {name} "
            f"pushes it, or the gate of {name} leads to the wrong entry, or a jmp is "
            "missing, and the entry runs on into the next one."
        )
    if field in ("vector", "error", "ip", "cs", "flags", "sp", "ss"):
        return (
            "There is a word too many or too few between what the CPU pushed and the "
            "registers, or fault_dispatch did not get the stack pointer as it was "
            "behind the last push."
        )
    others = arch.segments if field in arch.segments else arch.general
    same = [n for n in others if n != field and want[n] == frame[field]]
    kernel = frame["cs"] & 3 and frame[field] == frame.get("kernel_data")
    if field in arch.segments and kernel:
        return (
            f"{field.upper()} was saved after it had been loaded with the kernel's "
            "selector: what ring 3 had in it is lost."
        )
    if same:
        return (
            f"The frame has {same[0]} in the place of {field}: the registers are "
            "pushed in another order than struct trap_frame has them."
        )
    return f"{field} was changed before it was saved."
