# SPDX-License-Identifier: MIT
"""What must hold for the user segments and the GDTR, and which mistake breaks it."""

from __future__ import annotations

import struct

from grader.checks import support
from grader.checks.api import Case
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence import descriptors, signatures
from grader.evidence.descriptors import SegmentDescriptor

READ_DESCRIPTOR = descriptors.READ_SEGMENT
READ_LONG = signatures.READ_CS_L
READ_TYPE = 'SDM 3A "Code- and Data-Segment Descriptor Types" (3.4.5.1)'
READ_GDTR = 'SDM 3A "Global Descriptor Table Register (GDTR)" (2.4.1)'
READ_LGDT = 'SDM 2A "LGDT/LIDT—Load Global/Interrupt Descriptor Table Register"'

ARGUMENT = {"i386": "at [esp + 4]", "x86_64": "in edi"}
BITS = {
    "p": "present (P)",
    "s": "code or data, not system (S)",
    "dpl": "privilege level (DPL)",
    "base": "base",
    "limit": "limit",
    "g": "granularity (G)",
    "db": "default size (D/B)",
    "long": "64-bit code (L)",
}
CAUSES = {
    "p": "P is 0: the segment counts as not present, and loading its selector faults.",
    "s": "S is 0, which makes it a system descriptor, as a TSS has; code and data "
    "segments have S=1.",
    "dpl": "The DPL is that of another ring: a segment for ring 3 has DPL 3.",
    "base": "The segment does not start at 0, so its offsets are no linear addresses.",
    "limit": "The segment ends too early: user memory lies beyond its limit.",
    "g": "G is 0, so the limit counts bytes and not pages: the segment ends at 1 MiB.",
    "db": "D/B has the wrong value: with 0 the CPU takes a 32-bit segment for one of "
    "16 bits; beside L it must be 0, as L and D both set are reserved.",
    "long": "L has the wrong value: it is 1 for 64-bit code alone. Without it the CPU "
    "runs the segment in compatibility mode, as 32-bit code (D=1) or 16-bit code.",
}


def table(evidence: Evidence, count: int) -> list[int]:
    """The first slots of the array gdt as numbers."""
    return [number for (number,) in support.array(evidence, "gdt", "Q", count)]


def flags_of(case: Case, code: bool) -> dict[str, int]:
    """The fields that decide behind P, S and DPL, for this architecture."""
    if case.arch == "i386":
        return {"base": 0, "limit": 0xFFFFF, "g": 1, "db": 1, "long": 0}
    return {"long": 1, "db": 0} if code else {}


def expect_written(case: Case, slots: list[int], *indexes: int) -> None:
    """At least one of these slots is not empty any more."""
    shown = " or ".join(str(index) for index in indexes)
    case.expect(
        any(slots[index] for index in indexes),
        expected=f"Slot {shown} of the GDT holds a segment of ring 3.",
        seen="All its eight bytes are 0.",
        cause="Nobody wrote a descriptor to this slot.",
        hint="gdt_init_user calls gdt_set for both slots; see the check gdt-set too.",
        read=READ_DESCRIPTOR,
    )


def expect_segment(case: Case, evidence: Evidence, *, code: bool) -> None:
    """The slot of the array gdt holds the user's code or data segment."""
    values = support.of(case)
    indexes = {kind: values[f"GDT_INDEX_U{kind.upper()}"] for kind in ("code", "data")}
    kind = "code" if code else "data"
    index = indexes[kind]
    slots = table(evidence, max(indexes.values()) + 1)
    seen = SegmentDescriptor.decode(slots[index])
    where = f"Slot {index} of the GDT"
    decoded = f"It reads {slots[index].to_bytes(8, 'little').hex(' ')}: {seen}."
    expect_written(case, slots, index)
    _expect_fields(case, seen, {"p": 1, "s": 1, "dpl": 3}, where, decoded)
    other = SegmentDescriptor.decode(slots[indexes["data" if code else "code"]])
    swapped = (seen.code, seen.data, other.code) == (not code, code, code)
    case.expect(
        not swapped,
        expected=f"{where} holds the user {kind} segment.",
        seen=decoded,
        cause="Code and data are swapped: the selectors say which slot is whose.",
        hint="GDT_INDEX_UCODE and GDT_INDEX_UDATA say which slot is whose.",
        read=READ_DESCRIPTOR,
    )
    _expect_type(case, seen, where, decoded, code=code)
    _expect_fields(case, seen, flags_of(case, code), where, decoded)
    case.fact(kind, slots[index] & ~(1 << 40))


def _expect_fields(
    case: Case,
    seen: SegmentDescriptor,
    wanted: dict[str, int],
    where: str,
    decoded: str,
) -> None:
    for name, want in wanted.items():
        got = int(getattr(seen, name))
        case.expect(
            got == want,
            expected=f"{where} has {BITS[name]} = {want:#x}.",
            seen=f"{BITS[name]} is {got:#x}. {decoded}",
            cause=CAUSES[name],
            hint="Compare with the picture in arch/segment.h, field by field.",
            read=READ_LONG if name == "long" else READ_DESCRIPTOR,
        )


def _expect_type(
    case: Case, seen: SegmentDescriptor, where: str, decoded: str, *, code: bool
) -> None:
    kind = "code" if code else "data"
    case.expect(
        seen.code is code,
        expected=f"{where} is a {kind} segment.",
        seen=decoded,
        cause="Bit 3 of the type (executable) tells code from data, and is wrong.",
        hint="Executable: code. Not executable: data.",
        read=READ_TYPE,
    )
    able = "readable" if code else "writable"
    case.expect(
        seen.readable if code else seen.writable,
        expected=f"{where} is {able} {kind}.",
        seen=decoded,
        cause=f"Bit 1 of the type is 0: the {kind} segment is not {able}.",
        hint="Constants lie between the instructions, so code must be readable."
        if code
        else "A stack that cannot be written is none: SS refuses such a segment.",
        read=READ_TYPE,
    )
    case.expect(
        not (seen.conforming if code else seen.expand_down),
        expected=f"{where} has bit 2 of the type clear.",
        seen=decoded,
        cause="Bit 2 makes the code segment conforming: whoever jumps there keeps the "
        "ring that he came from."
        if code
        else "Bit 2 makes the data segment expand down: only offsets above its limit "
        "are valid.",
        hint="Leave bit 2 of the type at 0.",
        read=READ_TYPE,
    )


def limit_cause(case: Case, limit: int, image_limit: int, need: int) -> tuple[str, str]:
    """Why this is not the limit of a table of `need` slots; cause and hint.

    image_limit: what stands in gdt_ptr by now.
    """
    before = 8 * (support.of(case)["GDT_INDEX_KDATA"] + 1) - 1
    rule = "limit = 8 * slots - 1, into gdt_ptr, then lgdt."
    if limit == before and image_limit != before:
        return (
            "gdt_ptr holds a new limit, but the CPU never saw it: lgdt was not "
            "executed, or before the change.",
            "First write the limit, then lgdt.",
        )
    if limit == before:
        return "The limit is still the old one: the user segments lie beyond it.", rule
    if limit == 8 * need:
        return (
            "This is the size of the table. The limit is the offset of its last byte: "
            "size minus one.",
            rule,
        )
    if limit in (need, need - 1):
        return "This is a number of slots. The limit counts bytes, 8 a slot.", rule
    if limit % 8 == 7 and before < limit < 8 * need - 1:
        return (
            f"The table ends with slot {limit // 8}: a user segment lies behind it, in "
            f"slot {need - 1}.",
            rule,
        )
    if limit >= 8 * support.of(case)["GDT_SLOTS"]:
        return (
            "The limit reaches beyond the array: what lies behind is no table. The "
            f"number of slots is {ARGUMENT[case.arch]}, where the convention puts it.",
            rule,
        )
    return "The limit is no 8·n-1 that covers the user segments.", rule


def expect_gdtr(case: Case, evidence: Evidence) -> None:
    """GDTR names the core's array, and whole slots of it up to the user segments."""
    values = support.of(case)
    word = support.word_bytes(case.arch)
    seen = evidence.registers.gdt
    assert seen is not None
    base = support.address_of(evidence, "gdt")
    layout = f"<H{arch_of(case).word}"
    raw = evidence.ram.read(support.address_of(evidence, "gdt_ptr"), 2 + word)
    image_limit, image_base = struct.unpack(layout, raw)
    need = max(values["GDT_INDEX_UCODE"], values["GDT_INDEX_UDATA"]) + 1
    text = f"GDTR has base {seen.base:#x} and limit {seen.limit:#x}."
    if image_base != base:
        cause = "The base in gdt_ptr was overwritten."
    elif seen.base & 0xFFFFFFFF == base:
        cause = (
            "The lower half of the base is right, the upper one is not: in long mode "
            "the operand of lgdt has ten bytes, eight of them for the base."
        )
    else:
        cause = (
            "lgdt took its operand from another place than was filled in: a label in "
            "front of an align, for one, names the padding and not the data."
        )
    case.expect(
        seen.base == base,
        expected=f"GDTR has the base {base:#x}, the address of the array gdt.",
        seen=text,
        cause=cause,
        hint="The operand of lgdt is the memory of gdt_ptr; only its limit changes.",
        read=READ_LGDT,
    )
    cause, hint = limit_cause(case, seen.limit, image_limit, need)
    case.expect(
        seen.limit % 8 == 7 and need * 8 - 1 <= seen.limit < 8 * values["GDT_SLOTS"],
        expected=f"The limit is {need * 8 - 1:#x}: {need} slots of 8 bytes, minus one.",
        seen=text,
        cause=cause,
        hint=hint,
        read=READ_GDTR,
    )
    case.expect(
        (image_limit, image_base) == (seen.limit, seen.base),
        expected="gdt_ptr holds what GDTR holds, for whoever loads it next.",
        seen=f"{text} gdt_ptr has base {image_base:#x} and limit {image_limit:#x}.",
        cause="lgdt read another operand, and gdt_ptr was not kept up to date.",
        hint="Write the limit to gdt_ptr, then lgdt [gdt_ptr].",
        read="kernel/include/course/01-gdt.h",
    )
    case.fact("gdtr", [seen.base - base, seen.limit])


def wrong_bits(name: str, mask: int) -> tuple[str, str]:
    """Which part of base or limit is lost, by the bits that came out wrong."""
    parts = {
        "base": ((31, 24, "byte 7"), (23, 16, "byte 4"), (15, 0, "bytes 2 and 3")),
        "limit": ((19, 16, "the low half of byte 6"), (15, 0, "bytes 0 and 1")),
    }[name]
    wrong = [
        (f"{high}..{low}", place)
        for high, low, place in parts
        if mask >> low & (1 << high - low + 1) - 1
    ]
    names = " and ".join(part for part, _ in wrong)
    places = "; ".join(f"bits {part} belong in {place}" for part, place in wrong)
    return f"Bits {names} of the {name} are lost or at the wrong place.", f"{places}."
