# SPDX-License-Identifier: MIT
"""03-faults: the gates, and what the CPU recorded in the handlers behind them."""

from __future__ import annotations

from collections.abc import Iterator

from grader.checks import support
from grader.checks.api import Case
from grader.checks.faults import HEADER, entry_file
from grader.checks.record import Evidence
from grader.evidence.descriptors import GateDescriptor
from grader.evidence.trace import Interrupt

INTERRUPT_GATE, TRAP_GATE = 0xE, 0xF
INTERRUPT_FLAG = 0x200


def gate_of(case: Case, evidence: Evidence, vector: int) -> GateDescriptor:
    """The entry of the IDT, read from guest memory; what cannot be read is zero."""
    wide = case.arch == "x86_64"
    size = 16 if wide else 8
    table = evidence.registers.idt
    raw = b"" if table is None else support.space(evidence).read(table.base, 32 * size)
    raw = raw[vector * size :][:size]
    return GateDescriptor.decode(raw.ljust(size, b"\0"), wide=wide)


def gap_code(evidence: Evidence) -> range:
    """The addresses of the submission's code in the image."""
    from elftools.elf.elffile import ELFFile

    with evidence.image.symbols.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".gap.text")
        start, size = section["sh_addr"], section["sh_size"]
    return range(start, start + size)


def handler_record(evidence: Evidence, event: Interrupt) -> Interrupt | None:
    """The CPU in the first hook of this fault, as it was left by the entry; None if
    fault_dispatch was not called next."""
    at = support.address_of(evidence, "scenario_record_at")
    after = next(after_event(evidence, event), None)
    return after if after and (after.v, after.pc, after.cpl) == (3, at, 0) else None


def after_event(evidence: Evidence, event: Interrupt) -> Iterator[Interrupt]:
    """The deliveries behind this one, in order."""
    return (e for e in support.interrupts(evidence) if e.number > event.number)


def handled(case: Case, evidence: Evidence, event: Interrupt) -> Interrupt:
    """The CPU in the handler of this fault; fails if fault_dispatch was not called."""
    record = handler_record(evidence, event)
    if record is None:
        after = next(after_event(evidence, event), None)
        case.fail(
            expected=f"After {support.show(event)} the entry calls fault_dispatch.",
            seen="The CPU recorded "
            + (support.show(after) if after else "nothing more")
            + " before any hook ran.",
            cause="The entry led somewhere else than to fault_dispatch.",
            hint="Complete the frame, and call fault_dispatch with its address.",
            read=HEADER,
            source=entry_file(case),
        )
    return record
