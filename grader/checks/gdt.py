# SPDX-License-Identifier: MIT
"""What must hold for the user segments and the GDTR, and which mistake breaks it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from grader.checks import exhibits, support
from grader.checks.api import Case
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence import descriptors, signatures
from grader.evidence.descriptors import SegmentDescriptor

READ_DESCRIPTOR = descriptors.READ_SEGMENT
READ_LONG = signatures.READ_CS_L
READ_TYPE = 'SDM 3A "Code- and Data-Segment Descriptor Types" (3.4.5.1)'
READ_GDTR = 'SDM 3A "Global Descriptor Table Register (GDTR)" (2.4.1)'
HEADER = "kernel/include/course/01-gdt.h"
READ_LGDT = 'SDM 2A "LGDT/LIDT—Load Global/Interrupt Descriptor Table Register"'

# What a segment register keeps of a descriptor's upper half, the accessed bit apart.
HIDDEN = 0x00FFFE00
ACCESSED = 1 << 40  # the CPU itself sets this bit of a slot
ARGUMENT = {"i386": "at [esp + 4]", "x86_64": "in edi"}
WANTED = {
    ("p", 1): "P is 1 (present)",
    ("s", 1): "S is 1 (code or data)",
    ("dpl", 3): "DPL is 3 (ring 3)",
    ("base", 0): "the base is 0",
    ("limit", 0xFFFFF): "the limit is 0xfffff",
    ("g", 1): "G is 1 (the limit counts pages)",
    ("db", 1): "D/B is 1 (32-bit)",
    ("db", 0): "D/B is 0 (L alone is set)",
    ("long", 1): "L is 1 (64-bit code)",
    ("long", 0): "L is 0 (no 64-bit code)",
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
    "16 bits.",
    "db beside long": "D/B has the wrong value: beside L it must be 0, as L and D both "
    "set are reserved. QEMU runs such a segment, a real CPU does not.",
    "long": "L has the wrong value: it is 1 for 64-bit code alone. Without it the CPU "
    "runs the segment in compatibility mode, as 32-bit code (D=1) or 16-bit code.",
}


def table(evidence: Evidence, count: int) -> list[int]:
    """The first slots of the array gdt as numbers."""
    return [number for (number,) in support.array(evidence, "gdt", "Q", count)]


def user_slots(case: Case) -> tuple[int, int]:
    """Where the user's code segment belongs, and the data segment."""
    values = support.of(case)
    return values["GDT_INDEX_UCODE"], values["GDT_INDEX_UDATA"]


def original(evidence: Evidence, count: int) -> list[int]:
    """The first slots as the image's file has them."""
    start = support.address_of(evidence, "gdt")
    return list(
        struct.unpack(f"<{count}Q", support.image_bytes(evidence, start, 8 * count))
    )


def changed(have: Sequence[int], want: Sequence[int]) -> list[int]:
    """The slots that differ, where that is not the CPU's own mark in a segment."""
    pairs = enumerate(zip(have, want))
    return [n for n, (a, b) in pairs if (a ^ b) & ~(ACCESSED if b else 0)]


def flags_of(case: Case, code: bool) -> dict[str, int]:
    """The fields that decide behind P, S and DPL, for this architecture."""
    if case.arch == "i386":
        return {"base": 0, "limit": 0xFFFFF, "g": 1, "db": 1, "long": 0}
    return {"long": 1, "db": 0} if code else {}


def expect_written(case: Case, slots: list[int], *indexes: int) -> None:
    """At least one of these slots has an access byte."""
    shown = " or ".join(str(index) for index in indexes)
    empty = not any(slots[index] for index in indexes)
    case.expect(
        any(slots[index] >> 40 & 0xFF for index in indexes),
        expected=f"Slot {shown} of the GDT holds a segment of ring 3.",
        seen="All its eight bytes are 0." if empty else "Its access byte is 0.",
        cause="Nobody wrote a descriptor to this slot."
        if empty
        else "With P, S and DPL all 0 this is no descriptor of a segment: the access "
        "byte did not get to bits 47..40.",
        hint="gdt_init_user calls gdt_set for both slots; see the check gdt-set too."
        if empty
        else "gdt_encode puts it there: first make the check gdt-encode-bits pass.",
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
    exhibits.segment(case, index, seen, code=code)
    _expect_fields(case, seen, {"p": 1, "s": 1, "dpl": 3}, where, decoded)
    other = SegmentDescriptor.decode(slots[indexes["data" if code else "code"]])
    swapped = (seen.code, seen.data, other.code) == (not code, code, code)
    case.expect(
        not swapped,
        expected=f"{where} holds the user {kind} segment.",
        seen=decoded,
        cause="Code and data are swapped: the selectors say which slot is whose.",
        hint="Exchange the two calls of gdt_set: code goes to GDT_INDEX_UCODE, data to "
        "GDT_INDEX_UDATA.",
        read=READ_DESCRIPTOR,
    )
    _expect_type(case, seen, where, decoded, code=code)
    _expect_fields(case, seen, flags_of(case, code), where, decoded)
    case.lay_open(None)
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
        both = name == "db" and seen.long
        case.expect(
            got == want,
            expected=f"In s{where[1:]}, {WANTED[name, want]}.",
            seen=f"It is {got:#x}. {decoded}",
            cause=CAUSES["db beside long" if both else name],
            hint="Compare with the picture in arch/segment.h, field by field.",
            read=READ_LONG if both or name == "long" else READ_DESCRIPTOR,
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


def expect_loaded(case: Case, evidence: Evidence) -> None:
    """CS and SS hold what the slots say that they name.

    sysexit and sysret fill both from constants, and a table elsewhere would do too.
    """
    for name in ("CS", "SS"):
        segment = evidence.registers.segments[name]
        index = segment.selector // 8
        slot = table(evidence, index + 1)[index]
        case.expect(
            (segment.flags ^ slot >> 32) & HIDDEN == 0,
            expected=f"{name} was loaded from slot {index} of the array gdt.",
            seen=f"{name} does not hold what stands there: it has the attributes "
            f"{segment.flags & HIDDEN:#010x}, the slot {slot >> 32 & HIDDEN:#010x} "
            f"({SegmentDescriptor.decode(slot)}).",
            cause="The CPU got this segment from another place: another table, or an "
            "instruction that reads none.",
            hint="Fill the slots of gdt, and let gdt_reload name that array.",
            read=READ_DESCRIPTOR,
        )


def expect_kernel_entries(case: Case, evidence: Evidence, cause: str) -> None:
    """The slots up to the kernel's data segment are as the image's file has them."""
    values = support.of(case)
    count = max(values["GDT_INDEX_KCODE"], values["GDT_INDEX_KDATA"]) + 1
    want, have = original(evidence, count), table(evidence, count)
    for index in changed(have, want)[:1]:
        case.fail(
            expected=f"Slot {index} still holds {want[index]:#018x}.",
            seen=f"It holds {have[index]:#018x}: "
            f"{SegmentDescriptor.decode(have[index])}.",
            cause=cause,
            hint="Slots 0 to 2 belong to the kernel: write to GDT_INDEX_UCODE and "
            "GDT_INDEX_UDATA.",
            read="arch/segment.h",
        )


def expect_slot(
    case: Case, index: int, code: int, have: Sequence[int], want: Sequence[int]
) -> None:
    """gdt_set wrote slot `index` alone: it returned `code` and left the table `have`,
    where it should be `want`."""
    value = want[index]
    seen = f"It returned {code}; slot {index} holds {have[index]:#018x}."
    if have[index] != value and value in have:
        seen += f" The value is in slot {have.index(value)}."
    case.expect(
        code == 0 and have[index] == value,
        expected=f"gdt_set({index}, {value:#018x}) gives E_OK and writes the slot.",
        seen=seen,
        cause="The slot is right, but the result is not: E_OK says that it worked."
        if have[index] == value
        else "The slot was not written, or at another place, or mixed with what was "
        "there before: the index counts slots of 8 bytes, and the array's elements "
        "are just that.",
        hint="One assignment to an element of gdt, then return E_OK.",
        read=HEADER,
    )
    for other in changed(have, want)[:1]:
        case.fail(
            expected=f"gdt_set({index}, …) writes slot {index} and no other.",
            seen=f"Slot {other} was {want[other]:#018x}, and is {have[other]:#018x}.",
            cause="gdt_set wrote more than the slot it was given.",
            hint="One assignment to an element of gdt.",
            read=HEADER,
        )


def limit_cause(
    case: Case, limit: int, image_limit: int, slots: int
) -> tuple[str, str]:
    """Why this is not the limit of a table of `slots` slots; cause and hint.

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
    if limit == 8 * slots:
        return (
            "This is the size of the table. The limit is the offset of its last byte: "
            "size minus one.",
            rule,
        )
    if limit in (slots, slots - 1):
        return "This is a number of slots. The limit counts bytes, 8 a slot.", rule
    if limit == 8 * (slots - 1) - 1:
        return (
            f"The table ends with slot {slots - 2}: one slot short. `slots` is how "
            "many there are, slot 0 included.",
            rule,
        )
    argument = f"The number of slots is {ARGUMENT[case.arch]}, where the convention"
    if limit % 8 == 7 and limit < 8 * slots:
        return (
            f"This is the limit of {(limit + 1) // 8} slots, not of {slots}: it was "
            f"not computed from the argument. {argument} puts it.",
            rule,
        )
    if limit >= 8 * support.of(case)["GDT_SLOTS"]:
        return (
            "The limit reaches beyond the array: what lies behind is no table. "
            f"{argument} puts it.",
            rule,
        )
    return f"The limit is no 8·n-1 that covers the slots. {argument} puts it.", rule


def expect_gdtr(case: Case, evidence: Evidence, slots: int) -> None:
    """After gdt_reload(slots) GDTR names whole slots of the core's array: these, and
    more of them at will."""
    values = support.of(case)
    word = support.word_bytes(case.arch)
    seen = evidence.registers.gdt
    assert seen is not None
    base = support.address_of(evidence, "gdt")
    layout = f"<H{arch_of(case).word}"
    raw = evidence.ram.read(support.address_of(evidence, "gdt_ptr"), 2 + word)
    image_limit, image_base = struct.unpack(layout, raw)
    text = f"GDTR has base {seen.base:#x} and limit {seen.limit:#x}."
    hint = "The operand of lgdt is the memory of gdt_ptr; only its limit changes."
    if image_base != base:
        hint = "Store the limit from a register of 16 bits: ax, not eax."
        cause = (
            "The base in gdt_ptr was overwritten. It stands right behind the limit, "
            "which has 16 bits: a store of 32 reaches into it."
        )
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
        hint=hint,
        read=READ_LGDT,
    )
    cause, hint = limit_cause(case, seen.limit, image_limit, slots)
    case.expect(
        seen.limit % 8 == 7 and 8 * slots - 1 <= seen.limit < 8 * values["GDT_SLOTS"],
        expected=f"After gdt_reload({slots}) the limit is {8 * slots - 1:#x}: {slots} "
        "slots of 8 bytes, minus one.",
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
        read=HEADER,
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
