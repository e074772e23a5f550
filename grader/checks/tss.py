# SPDX-License-Identifier: MIT
"""What must hold for the TSS, its descriptor and TR, and which mistake breaks it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.checks import exhibits, support
from grader.checks.api import Case
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.tss_place import READ_GDTR, UNTOUCHED, expect_place, expect_table
from grader.evidence import descriptors, signatures, tss as layout
from grader.evidence.descriptors import TssDescriptor, selector
from grader.evidence.tss import TSS_BYTES, Tss, open_ports

READ_TR = signatures.READ_TR
READ_PORTS = layout.READ_BITMAP

TSS_AVAILABLE, TSS_BUSY = 0x9, 0xB


@dataclass(frozen=True)
class Terms:
    """What sheets and manuals say of the TSS of one architecture.

    base_bytes: of the descriptor's base. dpl: what a DPL other than 0 would mean.
    reserved: offset and size of what must be 0 in a TSS.
    """

    base_bytes: str
    dpl: str
    read: str
    read_descriptor: str
    reserved: tuple[tuple[int, int], ...]


_SELECTORS = (0, 8, 16, 24, 72, 76, 80, 84, 88, 92, 96)  # of 16 bits, each in 32
_TERMS = {
    "i386": Terms(
        base_bytes="four",
        dpl="The DPL is not 0: then ring 3 could use this segment in a task switch.",
        read=layout.READ_TSS,
        read_descriptor=descriptors.READ_TSS_DESCRIPTOR,
        reserved=tuple((at + 2, 2) for at in _SELECTORS),
    ),
    "x86_64": Terms(
        base_bytes="eight",
        dpl="The DPL is not 0: the TSS is the kernel's, and no ring 3 may name it.",
        read=layout.READ_TSS_64,
        read_descriptor=descriptors.READ_TSS_DESCRIPTOR_64,
        reserved=((0, 4), (28, 8), (92, 10)),
    ),
}


def terms(arch: str) -> Terms:
    """The terms for an architecture."""
    return _TERMS[arch]


def wide(arch: str) -> bool:
    """Whether descriptors of a TSS take 16 bytes."""
    return arch == "x86_64"


def descriptor(case: Case, evidence: Evidence) -> TssDescriptor:
    """The descriptor in the TSS slot of the table that GDTR names."""
    index = support.of(case)["GDT_INDEX_TSS"]
    count = support.of(case)["TSS_DESC_SLOTS"]
    raw = b"".join(support.gdt_slot(evidence, index + n) for n in range(count))
    return TssDescriptor.decode(raw.ljust(8 * count, b"\0"), wide=wide(case.arch))


def tss_bytes(evidence: Evidence, found: TssDescriptor) -> bytes:
    """The TSS in memory, from its base to its limit; less where nothing is mapped."""
    size = min(found.last_offset, 0xFFFF) + 1
    return support.space(evidence).read(found.base, size)


def read_tss(case: Case, evidence: Evidence) -> Tss:
    """The TSS that the descriptor leads to."""
    found = descriptor(case, evidence)
    _expect_covered(case, evidence, found)
    expect_place(case, evidence, found.base, terms(case.arch).read_descriptor)
    _expect_whole(case, found)
    return Tss.decode(tss_bytes(evidence, found), wide=wide(case.arch))


def field_cause(
    seen: TssDescriptor, want: TssDescriptor, arch: str
) -> tuple[str, str, str]:
    """The first field that differs: its name with both values, the cause, the hint."""
    for name, say in (
        ("p", "P is bit 47: without it the slot counts as empty."),
        ("s", "S=1 would be code or data: a TSS has a system descriptor, S=0."),
        ("dpl", terms(arch).dpl),
        ("type", _type_cause(seen.type)),
        ("g", "G is 1: the limit would count pages of 4 KiB. Here it counts bytes."),
        ("limit", _limit_cause(seen.limit, want.limit)),
        ("base", _base_cause(seen.base, want.base)),
        (
            "reserved",
            "The last four bytes of the descriptor must be 0. In long mode it has 16 "
            "bytes, two slots of the GDT, and both must be written.",
        ),
        ("avl", "AVL is 1; nothing here uses it, so leave it at 0."),
    ):
        got, must = getattr(seen, name), getattr(want, name)
        if got != must:
            shown = name if name in ("base", "limit", "type") else name.upper()
            hint = "access byte and flags of a TSS: present, DPL 0, system type 9."
            if name == "base":
                count = terms(arch).base_bytes
                hint = f"All {count} bytes of the base matter, wherever the TSS lies."
                if (got ^ must) & 0xFFFFFFFF == 0:
                    hint = "slot[1] = base >> 32."
            elif name == "reserved":
                hint = "The second word of the descriptor is base 63..32, and no more."
            elif name == "g":
                hint = "Pass flags 0 to gdt_encode: see the check tss-encode."
            elif name == "limit":
                hint = "Pass the limit on as it is, with all flags 0."
            return f"{shown} is {got:#x}, must be {must:#x}", say, hint
    return "", "", ""


def _type_cause(seen: int) -> str:
    if seen == TSS_BUSY:
        return (
            "Type 0xb is a busy TSS. The CPU sets that bit itself, and ltr refuses one."
        )
    if seen in (0x1, 0x3):
        return "This is the type of a 16-bit TSS, whose fields lie elsewhere."
    return "This is not the type of an available TSS."


def _limit_cause(got: int, want: int) -> str:
    if got == want - 1:
        return "The limit was made smaller by one here; whoever calls did that already."
    if got == want + 1:
        return "The limit was made larger by one: it is an offset, no size."
    if got == want & 0xFFFF:
        return "The upper four bits of the limit, 19..16, are lost."
    return "The limit is not the one that was passed."


def _base_cause(got: int, want: int) -> str:
    if got == want & 0xFFFFFFFF:
        return "The upper four bytes of the base are lost: they are the second word."
    if got & 0xFFFFFFFF == want & 0xFFFFFFFF:
        return "The upper four bytes of the base are wrong: the second word holds them."
    if got == want & ~0xFF000000:
        return "Byte 31..24 of the base is lost."
    if got == want & 0xFFFF:
        return "Only the lower 16 bits of the base are there."
    return "The base is not the one that was passed, or is put together wrongly."


def expect_descriptor(case: Case, evidence: Evidence) -> TssDescriptor:
    """The slot holds a descriptor of a TSS that ends where its object ends."""
    found = descriptor(case, evidence)
    _expect_covered(case, evidence, found)
    index = support.of(case)["GDT_INDEX_TSS"]
    want = TssDescriptor(found.base, found.limit, TSS_BUSY, g=found.g, avl=found.avl)
    kinds = (TSS_AVAILABLE, TSS_BUSY)  # busy or not: TR may be loaded already
    like = replace(found, type=TSS_BUSY) if found.type in kinds else found
    field, cause, hint = field_cause(like, want, case.arch)
    exhibits.task_state(case, evidence, found, loaded=found.busy)
    case.expect(
        not field,
        expected=f"Slot {index} of the GDT holds a present TSS descriptor with DPL 0.",
        seen=f"The slot reads: {found}. {field}.",
        cause=cause,
        hint=hint,
        read=terms(case.arch).read_descriptor,
    )
    expect_place(case, evidence, found.base, terms(case.arch).read_descriptor)
    _expect_whole(case, found)
    _expect_inside(case, evidence, found)
    expect_table(case, evidence)
    _expect_reserved(case, evidence, found)
    return found


def _expect_reserved(case: Case, evidence: Evidence, found: TssDescriptor) -> None:
    """The bytes of the TSS that mean nothing yet are 0."""
    tss = tss_bytes(evidence, found)
    for at, size in terms(case.arch).reserved:
        case.expect(
            not any(tss[at : at + size]),
            expected=f"Bytes {at} to {at + size - 1} of the TSS are reserved, and 0.",
            seen=f"They are {tss[at : at + size].hex(' ')}.",
            cause="The TSS was not cleared before use, or something else was written "
            "over it.",
            hint="Clear all of the TSS first, then set what is not 0.",
            read=terms(case.arch).read,
        )


def _expect_covered(case: Case, evidence: Evidence, found: TssDescriptor) -> None:
    values = support.of(case)
    index, count = values["GDT_INDEX_TSS"], values["TSS_DESC_SLOTS"]
    case.expect(
        any(support.gdt_slot(evidence, index)),
        expected=f"Slot {index} of the GDT holds the descriptor of the TSS.",
        seen="The slot is empty: all its bytes are 0.",
        cause="The descriptor was not written, or to another slot.",
        hint="tss_encode, then gdt_set for each of its slots from GDT_INDEX_TSS on.",
        read=terms(case.arch).read_descriptor,
    )
    table = evidence.registers.gdt
    limit = table.limit if table else 0
    last = 8 * (index + count) - 1
    case.expect(
        limit >= last,
        expected=f"The limit of GDTR is at least {last:#x}, so that it covers the "
        f"{8 * count} bytes of slot {index}.",
        seen=f"It is {limit:#x}.",
        cause="The CPU's table ends in the middle of the descriptor, which has "
        f"{8 * count} bytes."
        if limit >= 8 * index
        else "The descriptor is in the array, but the CPU's table ends before it.",
        hint="Call gdt_reload with the number of slots up to and with that of the TSS.",
        read=READ_GDTR,
    )


def _expect_whole(case: Case, found: TssDescriptor) -> None:
    """The limit holds the fixed part of a TSS."""
    least = TSS_BYTES - 1
    case.expect(
        found.last_offset >= least,
        expected=f"The limit is at least {least:#x}: the TSS has {TSS_BYTES} bytes.",
        seen=f"It is {found.last_offset:#x}.",
        cause="The TSS ends before its fixed part does. The size of a pointer, by the "
        "way, is not the size of what it points to.",
        hint="The limit is the last valid offset: size of the TSS minus one.",
        read=terms(case.arch).read_descriptor,
    )


def _expect_inside(case: Case, evidence: Evidence, found: TssDescriptor) -> None:
    """The limit stays within the object that lies at the base."""
    symbol = evidence.symbols.nearest(found.base)
    if symbol is None or not symbol.size:
        return
    size = symbol.address + symbol.size - found.base
    cause = "What lies behind the TSS counts as its I/O bitmap then."
    hint = "The limit is the size of the TSS minus one."
    if size < TSS_BYTES:
        cause = (
            f"A variable of {symbol.size} bytes is no TSS. If it is a pointer, its own "
            "address is not the one that it holds."
        )
        hint = "Pass the address of the TSS itself."
    elif found.g:
        cause = f"G is 1, so the limit counts pages of 4 KiB. {cause}"
    elif found.last_offset == size:
        cause = f"The limit is the last valid offset, not the size. {cause}"
    elif found.limit == (found.base + size) & 0xFFFFF:
        cause = f"Base plus size is an address; the limit counts from the base. {cause}"
    case.expect(
        found.last_offset < size,
        expected=f"The limit stays within {symbol.name}, of {symbol.size} bytes.",
        seen=f"The limit is {found.last_offset:#x}.",
        cause=cause,
        hint=hint,
        read=terms(case.arch).read_descriptor,
    )


def expect_closed(case: Case, evidence: Evidence) -> None:
    """By limit, I/O map base and bitmap, ring 3 may use no port."""
    found, tss = descriptor(case, evidence), read_tss(case, evidence)
    exhibits.task_state(case, evidence, found, loaded=True)
    opened = open_ports(found.last_offset, tss.iomap_base, tss_bytes(evidence, found))
    hint = "No bitmap within the limit, no open port: choose the I/O map base so."
    if found.g:
        cause = (
            "G is 1 in the descriptor: the limit counts pages, and so lies far behind "
            "the I/O map base. All in between is taken for a bitmap."
        )
        hint = "Pass flags 0 to gdt_encode: see the check tss-encode."
    elif tss.iomap_base == 0:
        cause = (
            "The I/O map base is 0, as memory is at first: the bitmap begins with the "
            "TSS itself, and each 0 bit in there opens a port."
        )
    elif tss.iomap_base < TSS_BYTES:
        cause = (
            "The I/O map base lies inside the TSS: its fields are taken for a bitmap."
        )
    else:
        cause = (
            "The limit lies behind the I/O map base, so there is a bitmap, and each "
            "0 bit in it opens a port."
        )
    case.expect(
        opened.count == 0,
        expected="Ring 3 may use none of the 65,536 ports.",
        seen=f"It may use {opened}. I/O map base {tss.iomap_base:#x}, limit "
        f"{found.last_offset:#x}.",
        cause=cause,
        hint=hint,
        read=READ_PORTS,
    )
    case.fact("open_ports", opened.count)


def expect_task_register(case: Case, evidence: Evidence) -> None:
    """TR holds the TSS selector and what the descriptor says."""
    want = support.of(case)["SEL_TSS"]
    tr = evidence.registers.segments["TR"]
    found = descriptor(case, evidence)
    exhibits.task_state(case, evidence, found, loaded=True)
    case.expect(
        tr.selector == want,
        expected=f"TR holds the selector {want:#x}.",
        seen=f"TR holds {selector(tr.selector)}.",
        cause="ltr was never executed, or with 0: TR is as it was at power-on."
        if tr.selector == 0
        else "ltr was executed with another selector than the one passed.",
        hint="One ltr with the argument of tss_load.",
        read=READ_TR,
    )
    case.expect(
        found.busy and (tr.base, tr.limit) == (found.base, found.last_offset),
        expected="The descriptor is marked busy, and TR has taken its base and limit.",
        seen=f"The slot reads: {found}; TR has the base {tr.base:#x} and the limit "
        f"{tr.limit:#x}.",
        cause="The descriptor was changed after ltr had read it: the CPU keeps a copy, "
        "and does not look again.",
        hint="Write base and limit first, load TR last.",
        read=READ_TR,
    )


def expect_stack(case: Case, evidence: Evidence, top: int) -> None:
    """esp0 or rsp0 of the TSS that TR names is the top that was passed."""
    values = support.of(case)
    tss = read_tss(case, evidence)
    name = arch_of(case).stack0
    word = support.word_bytes(case.arch)
    found = descriptor(case, evidence)
    exhibits.task_state(case, evidence, found, loaded=found.busy, stack0=top)
    raw = tss_bytes(evidence, found)[:TSS_BYTES]
    at = raw.find(top.to_bytes(word, "little"))
    stack_bytes = values["KSTACK_PAGES"] * support.PAGE
    untouched = UNTOUCHED & (1 << 8 * word) - 1
    seen = f"It is {tss.stack0:#x}."
    if at >= 0:
        cause = f"The value stands at offset {at} of the TSS; {name} is at offset 4."
    elif tss.stack0 & 0xFFFFFFFF == top:
        cause = (
            f"The lower half of {name} is right, the upper one is not: in long mode it "
            "has eight bytes, and no ss0 stands behind its first four."
        )
    elif tss.stack0 in (0, untouched):
        seen = f"It is {tss.stack0:#x}, as before the call."
        cause = (
            f"{name} was never set in this TSS: the setter writes nothing, or to "
            "another TSS than the one whose address is in the descriptor."
        )
    elif tss.stack0 == top - stack_bytes:
        cause = (
            f"{name} is the bottom of the stack. A push goes down: start at the top."
        )
    elif abs(tss.stack0 - top) <= stack_bytes:
        cause = "The value was changed on the way: aligned, rounded, or made smaller."
    else:
        cause = "The setter wrote another address than the one that it was given."
    case.expect(
        tss.stack0 == top,
        expected=f"{name} is {top:#x}, as passed.",
        seen=seen,
        cause=cause,
        hint="One assignment, of the top as it is, in the TSS that TR names.",
        read=terms(case.arch).read,
    )
