# SPDX-License-Identifier: MIT
"""01-gdt: the encoder, the table that the CPU sees, and ring-3 code behind it."""

from __future__ import annotations

import struct
from typing import Any

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.evidence import trace
from grader.evidence.descriptors import SegmentDescriptor
from grader.machine import At, Boot, Module, Until, Via

READ_DESCRIPTOR = 'SDM 3A "Segment Descriptors" (3.4.5)'
READ_GDTR = 'SDM 3A "Global Descriptor Table Register (GDTR)" (2.4.1)'
HEADER = "kernel/include/course/01-gdt.h"

FIELDS = 64  # RESULTS in grader/scenarios/01-gdt.c
E_INVAL = -1


@boot("encode")
def encode_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    corners = [(0, 0), (0xFFFFFFFF, 0xFFFFF), (0x00FF0000, 0xF0000), (0xFF000000, 1)]
    numbers = [(rng.getrandbits(32), rng.getrandbits(20)) for _ in range(FIELDS)]
    fields = [
        (base, limit, rng.getrandbits(8), rng.getrandbits(4))
        for base, limit in (corners + numbers)[:FIELDS]
    ]
    plan.note("fields", fields)
    data = b"".join(struct.pack("<IIBBH", *field, 0) for field in fields)
    return plan.boot("gdt-encode", modules=(Module("fields", data),))


@boot("set")
def set_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    slots = support.of(plan)["GDT_SLOTS"]
    good = [(rng.getrandbits(64), index) for index in range(3, slots)]
    rng.shuffle(good)
    bad = [
        (rng.getrandbits(64), index)
        for index in (0, slots, slots + rng.randrange(1, 8), 2**31 + 4)
    ]
    plan.note("good", good)
    plan.note("bad", bad)
    data = b"".join(struct.pack("<QII", *slot, 0) for slot in good + bad)
    return plan.boot("gdt-set", modules=(Module("slots", data),))


@boot("install")
def install_boot(plan: Plan) -> Boot:
    return plan.boot("gdt-install")


@boot("spin")
def spin_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    code, stack = support.user_pages(rng, plan, 2)
    probe = plan.probe("spin", PAD=rng.randrange(1, 3000), MARK=rng.getrandbits(32))
    plan.note("code", code)
    plan.note("probe", probe)
    low = code + probe.labels["spin"]
    return plan.boot(
        "gdt-spin",
        *support.hexadecimal(code=code, stack=stack, entry=probe.labels["entry"]),
        modules=(Module("probe", probe.data),),
        until=Until(line=None, registers=At(3, low, code + len(probe.data))),
        trace=("int", "cpu_reset", "exec", "in_asm"),
        trace_ranges=((code, code + support.PAGE - 1),),
    )


@boot("grub")
def grub_boot(plan: Plan) -> Boot:
    return plan.boot("gdt-install", via=Via.GRUB)


def encoded(case: Case) -> list[tuple[tuple[int, int, int, int], SegmentDescriptor]]:
    """What went into the encoder, and what came out."""
    evidence = case.run(encode_boot)
    results = support.array(evidence, "scenario_encoded", "Q", FIELDS)
    pairs = zip(evidence.notes["fields"], results)
    return [(fields, SegmentDescriptor.decode(raw)) for fields, (raw,) in pairs]


def expect_field(case: Case, name: str, got: int, want: int, **texts: str) -> None:
    case.expect(
        got == want,
        expected=f"The descriptor's {name} is {want:#x}.",
        seen=f"The eight bytes decode to {name} {got:#x}.",
        read=READ_DESCRIPTOR,
        **texts,
    )


@check("gdt-encode-base", boots=(encode_boot,))
def test_encode_base(case: Case) -> None:
    """gdt_encode splits every 32-bit base into its three places."""
    for (base, _, _, _), seen in encoded(case):
        expect_field(
            case,
            "base",
            seen.base,
            base,
            cause="The base is split wrongly: flat segments with base 0 would hide it.",
            hint="Base 15..0 is in bytes 2-3, 23..16 in byte 4, 31..24 in byte 7.",
        )
    case.fact("encoded", FIELDS)


@check("gdt-encode-limit", boots=(encode_boot,))
def test_encode_limit(case: Case) -> None:
    """gdt_encode splits every 20-bit limit into its two places."""
    for (_, limit, _, _), seen in encoded(case):
        expect_field(
            case,
            "limit",
            seen.limit,
            limit,
            cause="The limit is split wrongly.",
            hint="Limit 15..0 is in bytes 0-1, 19..16 in the low half of byte 6.",
        )
    case.fact("encoded", FIELDS)


@check("gdt-encode-bits", boots=(encode_boot,))
def test_encode_bits(case: Case) -> None:
    """gdt_encode puts the access byte and the four flags where the CPU reads them."""
    for (_, _, access, flags), seen in encoded(case):
        raw = seen.encode()
        expect_field(
            case,
            "access byte",
            raw[5],
            access,
            cause="The access byte is not byte 5, or bits of it are lost.",
        )
        expect_field(
            case,
            "flags (G, D/B, L, AVL)",
            raw[6] >> 4,
            flags,
            cause="The flags are not the high half of byte 6.",
        )
    case.fact("encoded", FIELDS)


@check("gdt-set", boots=(set_boot,))
def test_set(case: Case) -> None:
    """gdt_set writes the slot it is given and no other, and refuses slot 0 and slots
    behind the array."""
    evidence = case.run(set_boot)
    good, bad = evidence.notes["good"], evidence.notes["bad"]
    codes = support.array(evidence, "scenario_set_results", "i", len(good) + len(bad))
    slots = support.of(case)["GDT_SLOTS"]
    table = support.array(evidence, "gdt", "Q", 3 * slots)
    for (value, index), (code,) in zip(good, codes):
        case.expect(
            code == 0 and table[index][0] == value,
            expected=f"gdt_set({index}, {value:#018x}) returns E_OK and writes the slot.",
            seen=f"It returned {code}; slot {index} holds {table[index][0]:#018x}.",
            cause="The slot was not written, or written at another place.",
            hint="The array gdt has one element of 8 bytes for each slot.",
            read=HEADER,
        )
    for (value, index), (code,) in zip(bad, codes[len(good) :]):
        written = index < len(table) and table[index][0] == value
        case.expect(
            code == E_INVAL and not written,
            expected=f"gdt_set({index}, …) returns E_INVAL and writes nothing.",
            seen=f"It returned {code}" + (", and wrote there." if written else "."),
            cause="Slot 0 stays empty for ever, and the array has GDT_SLOTS elements.",
            hint="Test the index before you write.",
            read=HEADER,
        )
    case.fact("slots", [index for _, index in good])


def flags_of(case: Case, code: bool) -> dict[str, int]:
    """The bits that decide, by name, for this architecture."""
    wanted = {"p": 1, "s": 1, "dpl": 3}
    if case.arch == "i386":
        return wanted | {"base": 0, "limit": 0xFFFFF, "g": 1, "db": 1, "long": 0}
    return wanted | ({"long": 1, "db": 0} if code else {})


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


def expect_segment(case: Case, evidence: Evidence, index: int, code: bool) -> None:
    """The slot that GDTR leads to holds the user's code or data segment."""
    kind = "code" if code else "data"
    seen = support.gdt_entry(evidence, index)
    where = f"Slot {index} of the table at GDTR"
    decoded = f"It reads {support.gdt_slot(evidence, index).hex(' ')}: {seen}."
    for name, want in flags_of(case, code).items():
        got = int(getattr(seen, name))
        case.expect(
            got == want,
            expected=f"{where} is the user {kind} segment: {BITS[name]} = {want:#x}.",
            seen=f"{BITS[name]} is {got:#x}. {decoded}",
            cause=f"The {BITS[name]} of the user {kind} segment is wrong.",
            hint="Compare with the picture in arch/segment.h, bit by bit.",
            read=READ_DESCRIPTOR,
        )
    right = seen.code and seen.readable if code else seen.data and seen.writable
    case.expect(
        right,
        expected=f"{where} is {'readable code' if code else 'writable data'}.",
        seen=decoded,
        cause=f"The type bits do not say {'readable code' if code else 'writable data'}.",
        hint="Executable is bit 3 of the type; bit 1 is readable or writable.",
        read=READ_DESCRIPTOR,
    )
    case.expect(
        not (seen.conforming if code else seen.expand_down),
        expected=f"{where} has bit 2 of the type clear.",
        seen=decoded,
        cause="The segment is conforming (code) or expands down (data).",
        read=READ_DESCRIPTOR,
    )
    case.fact(kind, {name: int(getattr(seen, name)) for name in flags_of(case, code)})


@check("gdt-user-code", boots=(install_boot,))
def test_user_code(case: Case) -> None:
    """The user code segment stands in its slot: present, DPL 3, readable code."""
    index = support.of(case)["GDT_INDEX_UCODE"]
    expect_segment(case, case.run(install_boot), index, code=True)


@check("gdt-user-data", boots=(install_boot,))
def test_user_data(case: Case) -> None:
    """The user data segment stands in its slot: present, DPL 3, writable data."""
    index = support.of(case)["GDT_INDEX_UDATA"]
    expect_segment(case, case.run(install_boot), index, code=False)


def expect_limit(case: Case, evidence: Evidence) -> None:
    """GDTR names the core's array, and whole slots of it up to the user segments."""
    values = support.of(case)
    table = evidence.registers.gdt
    base = support.address_of(evidence, "gdt")
    need = max(values["GDT_INDEX_UCODE"], values["GDT_INDEX_UDATA"]) + 1
    seen = f"GDTR has base {table.base:#x} and limit {table.limit:#x}." if table else ""
    case.expect(
        table is not None and table.base == base,
        expected=f"GDTR has the base {base:#x}, the address of the array gdt.",
        seen=seen,
        cause="lgdt read its six bytes from another place than gdt_ptr, or its base "
        "was overwritten: a label before an align names the padding.",
        hint="The operand of lgdt is [gdt_ptr]; only its limit changes.",
        read=READ_GDTR,
    )
    assert table is not None
    case.expect(
        table.limit % 8 == 7 and need * 8 - 1 <= table.limit < 8 * values["GDT_SLOTS"],
        expected=f"The limit is {need * 8 - 1:#x}: {need} slots of 8 bytes, minus one.",
        seen=seen,
        cause="The limit is the offset of the table's last byte: not the old one, not "
        "the size, not the number of slots.",
        hint="limit = 8 * slots - 1, then lgdt.",
        read=READ_GDTR,
    )
    case.fact("gdtr", [table.base - base, table.limit])


@check("gdt-limit", boots=(install_boot,))
def test_limit(case: Case) -> None:
    """GDTR covers the user segments: its base is the array, its limit 8·n-1."""
    expect_limit(case, case.run(install_boot))


@check("gdt-kernel-entries", boots=(install_boot,))
def test_kernel_entries(case: Case) -> None:
    """Slot 0 and the kernel's two entries are as the core made them."""
    evidence = case.run(install_boot)
    values = support.of(case)
    kcode, kdata = values["GDT_INDEX_KCODE"], values["GDT_INDEX_KDATA"]
    start = support.address_of(evidence, "gdt")
    original = support.image_bytes(evidence, start, 8 * (max(kcode, kdata) + 1))
    for index in (0, kcode, kdata):
        want = int.from_bytes(original[8 * index : 8 * index + 8], "little")
        (have,) = support.array(evidence, "gdt", "Q", index + 1)[index]
        case.expect(
            (have ^ want) & ~(1 << 40) == 0,  # the CPU itself sets the accessed bit
            expected=f"Slot {index} still holds {want:#018x}.",
            seen=f"It holds {have:#018x}.",
            cause="The kernel's own entry was overwritten.",
            hint="Use GDT_INDEX_UCODE and GDT_INDEX_UDATA as indexes.",
            read="kernel/arch/i386/include/arch/segment.h",
        )
    case.fact("kernel_entries", [kcode, kdata])


@check("gdt-ring3", boots=(spin_boot,), needs=("gdt-limit",))
def test_ring3(case: Case) -> None:
    """The CPU accepts both segments: code entered by a far return is seen spinning at
    CPL 3 with these selectors."""
    evidence = case.run(spin_boot)
    values = support.of(case)
    probe, code = evidence.notes["probe"], evidence.notes["code"]
    registers = evidence.registers
    selectors = {n: registers.segments[n].selector for n in ("CS", "SS")}
    want = {"CS": values["SEL_UCODE"], "SS": values["SEL_UDATA"]}
    case.expect(
        selectors == want and registers.cpl == 3,
        expected=f"CPL 3 with CS {want['CS']:#x} and SS {want['SS']:#x}.",
        seen=f"CPL {registers.cpl}, CS {selectors['CS']:#x}, SS {selectors['SS']:#x}.",
        cause="The CPU loaded other segments than those of the table.",
        read=READ_DESCRIPTOR,
    )
    ran = trace.blocks(evidence.events, code, code + support.PAGE)
    given = trace.translated(evidence.events, code, code + support.PAGE)
    same = all(probe.data[at - code] == byte for at, byte in given.items())
    case.expect(
        ran and same and all(block.cpl == 3 for block in ran),
        expected="The grader's probe runs, all of it at CPL 3.",
        seen=f"{len(ran)} blocks ran at CPL {sorted({b.cpl for b in ran})}; "
        f"their bytes are {'' if same else 'not '}the probe's.",
        cause="What ran on the probe's page is not the probe in ring 3.",
        read=READ_DESCRIPTOR,
    )
    case.fact("selectors", [selectors["CS"], selectors["SS"], registers.cpl])


@check("gdt-grub", boots=(grub_boot,), needs=("gdt-limit",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, which leaves a GDT of its own, the table is the same."""
    evidence = case.run(grub_boot)
    values: dict[str, Any] = dict(support.of(case))
    expect_limit(case, evidence)
    expect_segment(case, evidence, values["GDT_INDEX_UCODE"], code=True)
    expect_segment(case, evidence, values["GDT_INDEX_UDATA"], code=False)
