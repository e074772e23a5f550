# SPDX-License-Identifier: MIT
"""What a check lays open when it fails: an entry beside what its stage asks for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from grader.checks import support
from grader.checks.api import Case
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence import decoded
from grader.evidence.decoded import Want, Wanted
from grader.evidence.descriptors import (
    GateDescriptor,
    SegmentDescriptor,
    TssDescriptor,
)
from grader.evidence.exhibit import Exhibit
from grader.evidence.paging import Walk
from grader.evidence.tss import TSS_BYTES, Tss, open_ports


def segment(case: Case, index: int, seen: SegmentDescriptor, *, code: bool) -> None:
    """From here on a failure shows this slot as a segment of ring 3."""
    want = decoded.segment_wanted(code=code, dpl=3, wide=case.arch == "x86_64")
    case.lay_open(lambda: [decoded.segment(f"Slot {index} of the GDT", seen, want)])


def gate(
    case: Case,
    vector: int,
    seen: GateDescriptor,
    *,
    dpl: int = 0,
    kinds: tuple[int, ...] = (decoded.INTERRUPT_GATE,),
    ist: Wanted = 0,
) -> None:
    """From here on a failure shows this entry of the IDT."""
    code = support.of(case)["SEL_KCODE"]
    want = {**decoded.gate_wanted(dpl=dpl, code=code, kind=kinds), "IST": ist}
    title = f"Entry {vector:#04x} of the IDT"
    wide = case.arch == "x86_64"
    case.lay_open(lambda: [decoded.gate(title, seen, want, wide=wide)])


def walk(case: Case, seen: Walk, *, write: bool) -> None:
    """From here on a failure shows this page's walk, as ring 3 needs it."""
    title = f"The page walk of {seen.va:#x}, for ring 3"
    case.lay_open(
        lambda: [decoded.walk(title, seen, user=True, write=write, fetch=False)]
    )


def open_page(case: Case, seen: Walk | None) -> None:
    """From here on a failure shows the walk of a page that must be closed to ring 3."""
    if seen is None:
        return
    shown = seen
    title = f"The page walk of {seen.va:#x}, which must be closed to ring 3"
    case.lay_open(lambda: [decoded.open_walk(title, shown)])


def task_state(
    case: Case,
    evidence: Evidence,
    seen: TssDescriptor,
    *,
    loaded: bool,
    stack0: int | None = None,
) -> None:
    """From here on a failure shows the TSS that this descriptor leads to.

    loaded: `ltr` has been there; stack0: what its kernel stack must be.
    """
    case.lay_open(partial(_task_state, case, evidence, seen, loaded, stack0))


def _task_state(
    case: Case,
    evidence: Evidence,
    seen: TssDescriptor,
    loaded: bool,
    stack0: int | None,
) -> Sequence[Exhibit]:
    values, wide = support.of(case), case.arch == "x86_64"
    title = f"Slot {values['GDT_INDEX_TSS']} of the GDT"
    want = decoded.tss_wanted(loaded=loaded)
    shown = [decoded.tss_descriptor(title, seen, want, wide=wide)]
    raw = support.space(evidence).read(seen.base, TSS_BYTES)
    if len(raw) == TSS_BYTES:
        top: Wanted = "the top of a kernel stack" if stack0 is None else stack0
        state = Tss.decode(raw, wide=wide)
        whole = support.space(evidence).read(seen.base, seen.last_offset + 1)
        opened = open_ports(seen.last_offset, state.iomap_base, whole)
        misplaced = opened.count and not seen.g
        closed = "the limit or more: then no port is open"
        fields: Want = {
            arch_of(case).stack0: top,
            "ss0": values["SEL_KDATA"],
            "I/O map base": decoded.Wrong(closed) if misplaced else closed,
        }
        place = f"The TSS at {seen.base:#x}"
        shown.append(decoded.tss(place, state, fields))
    return shown
