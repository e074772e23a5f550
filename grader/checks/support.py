# SPDX-License-Identifier: MIT
"""What checks of several stages share: constants, arrays of the image, user pages."""

from __future__ import annotations

import contextlib
import functools
import random
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.checks.api import Case, CheckFailed, Plan
from grader.checks.record import Evidence
from grader.evidence import trace
from grader.evidence.descriptors import SegmentDescriptor
from grader.evidence.memory import Space
from grader.evidence.trace import Event, Interrupt
from grader.evidence.tss import PORTS
from grader.machine import End

ANY_END = tuple(End)
PAGE = 4096
ERRORS = {  # abi/error.h, without what is said of a program's file
    -1: "E_INVAL",
    -2: "E_NOMEM",
    -3: "E_NOENT",
    -4: "E_FAULT",
    -5: "E_NOSYS",
    -6: "E_AGAIN",
}
PROGRAMS = 4 << 20  # from USER_BASE on: programs, their arguments, fast calls
_DEFINE = re.compile(r"^%define (\w+) (-?\d+)$", re.MULTILINE)


@functools.lru_cache(maxsize=None)
def constants(root: Path, arch: str) -> Mapping[str, int]:
    """The kernel's own constants by name, as its headers define them (offsets.inc)."""
    text = (root / "build" / arch / "include/offsets.inc").read_text("utf-8")
    word = 1 << 8 * word_bytes(arch)  # the compiler prints the high half as negative
    return {name: int(value) % word for name, value in _DEFINE.findall(text)}


def of(place: Plan | Case) -> Mapping[str, int]:
    """The constants for a plan or a case."""
    root = place.root if isinstance(place, Plan) else place.stage.folder.parents[1]
    return constants(root, place.arch)


def word_bytes(arch: str) -> int:
    """Bytes of a machine word."""
    return 4 if arch == "i386" else 8


def address_of(evidence: Evidence, symbol: str) -> int:
    """The address of a symbol of the grader's or the core's own. Raises LookupError."""
    address = evidence.symbols.find(symbol)
    if address is None:
        raise LookupError(f"the image has no symbol {symbol}")
    return address


def array(
    evidence: Evidence, symbol: str, layout: str, count: int
) -> list[tuple[int, ...]]:
    """The first elements of an array in the image, read from guest memory.

    layout: struct format of one element, little-endian.
    """
    size = struct.calcsize("<" + layout)
    raw = evidence.ram.read(address_of(evidence, symbol), size * count)
    return list(struct.iter_unpack("<" + layout, raw))


def image_bytes(evidence: Evidence, address: int, size: int) -> bytes:
    """What the image's file holds for an address, before the first instruction ran."""
    from elftools.elf.elffile import ELFFile

    with evidence.image.symbols.open("rb") as file:
        for segment in ELFFile(file).iter_segments("PT_LOAD"):
            start = segment["p_vaddr"]
            if start <= address and address + size <= start + segment["p_filesz"]:
                return bytes(segment.data()[address - start :][:size])
    raise LookupError(f"the image's file holds nothing for {address:#x}")


def gdt_slot(evidence: Evidence, index: int) -> bytes:
    """Eight bytes of the table that GDTR names, read through the page tables."""
    table = evidence.registers.gdt
    if table is None:
        return b""
    return space(evidence).read(table.base + 8 * index, 8)


def gdt_entry(evidence: Evidence, index: int) -> SegmentDescriptor:
    """A decoded slot of the table that GDTR names; unreadable counts as zero."""
    return SegmentDescriptor.decode(gdt_slot(evidence, index).ljust(8, b"\0"))


def space(evidence: Evidence) -> Space:
    """The address space that was active at the end of the run."""
    return Space(evidence.ram, evidence.arch, evidence.registers.get("CR3", 0))


KEPT = {
    "i386": ("EBX", "ESI", "EDI", "EBP"),
    "x86_64": ("RBX", "RBP", "R12", "R13", "R14", "R15"),
}


def expect_kept(case: Case, evidence: Evidence, routine: str) -> None:
    """The routine that scenario_call ran left its caller's registers as they were."""
    ((bits,),) = array(evidence, "scenario_clobbered", "I", 1)
    names = KEPT[case.arch]
    changed = [name for n, name in enumerate(names) if bits >> n & 1]
    if bits >> 31:
        changed.append("the stack pointer")
    case.expect(
        not changed,
        expected=f"{routine} leaves {', '.join(names)} and the stack pointer as they "
        "were.",
        seen=f"It changed {', '.join(changed)}.",
        cause="These belong to the caller, which goes on with wrong values: the fault "
        "comes later, and elsewhere.",
        hint="Use the registers that a C function may change, or push and pop these.",
        read="The calling convention (psABI): registers preserved across calls",
    )


def user_pages(
    rng: random.Random, plan: Plan, count: int, *, apart: int = 2
) -> list[int]:
    """Page addresses of ring 3, `apart` pages or more from each other.

    They lie outside the core's user stacks and above the places of programs.
    """
    values = of(plan)
    first = (values["USER_BASE"] + PROGRAMS) // PAGE
    last = min(values["USER_END"], 1 << 47) // PAGE
    stacks = values["USER_STACKS_BASE"] // PAGE
    taken = range(stacks - apart, stacks + values["USER_STACKS_BYTES"] // PAGE + 1)
    pages: list[int] = []
    while len(pages) < count:
        page = rng.randrange(first, last - apart)
        if page not in taken and all(abs(page - other) >= apart for other in pages):
            pages.append(page)
    return [page * PAGE for page in pages]


def ports(plan: Plan, step: int) -> range:
    """Of every `step` ports one; the seed says which. The boot's note "ports"."""
    first = plan.rng("ports").randrange(step)
    made = range(first, PORTS, step)
    plan.note("ports", made)
    return made


def hexadecimal(**values: int) -> tuple[str, ...]:
    """Words for the kernel's command line."""
    return tuple(f"{key}={value:#x}" for key, value in values.items())


def named(result: int, form: str = "") -> str:
    """What a call returned, for people; form: of a result that is no error."""
    return f"{ERRORS[result]} ({result})" if result in ERRORS else format(result, form)


def interrupts(evidence: Evidence) -> list[Interrupt]:
    """All deliveries of the run, in order."""
    return trace.interrupts(evidence.events)


def user_fault(
    events: list[Event], pc: int, vector: int, error: int | None = None
) -> Interrupt | None:
    """The first fault that the instruction at pc raised at CPL 3, whatever its IOPL."""
    for event in trace.interrupts(events):
        if (event.pc, event.v, event.cpl) == (pc, vector, 3) and event.fault:
            if event.new == vector and error in (None, event.e):
                return event
    return None


@contextlib.contextmanager
def only_by_grub() -> Iterator[None]:
    """Around a check of a boot by GRUB that needs the same one without GRUB."""
    try:
        yield
    except CheckFailed as failed:
        raise CheckFailed(
            expected=failed.expected,
            seen=failed.seen,
            cause="Loaded by QEMU itself the same kernel gets through, so something"
            " that GRUB leaves otherwise in memory or registers matters."
            f" {failed.cause}",
            hint="Do not rely on registers, segments or memory that you did not set.",
            read=failed.read,
            source=failed.source,
            exhibits=failed.exhibits,
        ) from failed


@contextlib.contextmanager
def by_grub_too(*others: str) -> Iterator[None]:
    """Around a check of a boot by GRUB that is judged whatever became of `others`."""
    try:
        yield
    except CheckFailed as failed:
        failed.hint += (
            f" If {' and '.join(others)} pass, the cause is memory or registers that"
            " GRUB leaves otherwise, and that you did not set."
        )
        raise


def show(event: Interrupt | None) -> str:
    """One delivery in words."""
    if event is None:
        return "nothing of the kind"
    return (
        f"vector {event.v} with error code {event.e:#06x} at CPL {event.cpl}, "
        f"CS {event.cs:#06x}, address {event.pc:#x}"
    )


def place(evidence: Evidence, address: int) -> str:
    """Function, file and line of a kernel address, or the address alone."""
    found = evidence.symbols.at(address)
    return str(found) if found else f"{address:#x}"


def note(evidence: Evidence, key: str) -> Any:
    """What the plan of this boot chose under that name."""
    return evidence.notes[key]
