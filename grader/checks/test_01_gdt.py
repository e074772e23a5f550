# SPDX-License-Identifier: MIT
"""01-gdt: the encoder, the table that the CPU sees, and ring-3 code behind it."""

from __future__ import annotations

import struct

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.gdt import (
    HEADER,
    READ_DESCRIPTOR,
    changed,
    expect_gdtr,
    expect_kernel_entries,
    expect_loaded,
    expect_segment,
    expect_slot,
    expect_written,
    original,
    table,
    user_slots,
    wrong_bits,
)
from grader.checks.record import unexpected_end
from grader.evidence import trace
from grader.evidence.descriptors import SegmentDescriptor
from grader.machine import At, Boot, End, Module, Until, Via

FIELDS = 64  # RESULTS in grader/scenarios/01-gdt.c
E_INVAL = -1
# From here on the first calls come again, with bits set that no field has room for.
EXCESS_LIMIT, EXCESS_FLAGS = 48, 56
Fields = tuple[int, int, int, int]
"""What the encoder gets: base, limit, access, flags."""


@boot("encode")
def encode_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    fields: list[Fields] = [(0, 0, 0, 0), (0xFFFFFFFF, 0xFFFFF, 0xFF, 0xF)]
    for _ in range(EXCESS_LIMIT - len(fields)):
        base, limit = rng.getrandbits(32), rng.getrandbits(20)
        fields.append((base, limit, rng.getrandbits(8), rng.getrandbits(4)))
    # All of them with the first two, where any bit that strays is seen.
    excess = [(0xFFF, 0xF)] * 2
    excess += [(rng.randrange(1, 1 << 12), rng.randrange(1, 1 << 4)) for _ in range(6)]
    for (base, limit, access, flags), (more, _) in zip(fields[:8], excess):
        fields.append((base, limit | more << 20, access, flags))
    for (base, limit, access, flags), (_, more) in zip(fields[:8], excess):
        fields.append((base, limit, access, flags | more << 4))
    plan.note("fields", fields)
    data = b"".join(struct.pack("<IIBBH", *field, 0) for field in fields)
    return plan.boot("gdt-encode", modules=(Module("fields", data),))


@boot("set")
def set_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    slots = support.of(plan)["GDT_SLOTS"]
    first = support.of(plan)["GDT_INDEX_KDATA"] + 1
    indexes = list(range(first, slots))
    again = rng.sample(indexes, 2)  # a slot that is taken is written all the same
    good = [
        (rng.getrandbits(64), index)
        for index in rng.sample(indexes, len(indexes)) + again
    ]
    # The last one is negative as an int, and times 8 names slot 4 again.
    bad = [
        (rng.getrandbits(64), index)
        for index in (0, slots, slots + rng.randrange(1, 8), 2**31 + 4)
    ]
    plan.note("good", good)
    plan.note("bad", bad)
    data = b"".join(struct.pack("<QII", *slot, 0) for slot in good + bad)
    return plan.boot("gdt-set", modules=(Module("slots", data),))


@boot("user")
def user_boot(plan: Plan) -> Boot:
    return plan.boot("gdt-user")


@boot("reload")
def reload_boot(plan: Plan) -> Boot:
    slots = plan.note("slots", support.of(plan)["GDT_SLOTS"])
    return plan.boot("gdt-reload", *support.hexadecimal(slots=slots))


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


@boot("grub", disc=True)
def grub_boot(plan: Plan) -> Boot:
    return plan.boot("gdt-install", via=Via.GRUB)


def encoded(case: Case) -> list[tuple[Fields, SegmentDescriptor]]:
    """What went into the encoder, and what came out."""
    evidence = case.run(encode_boot)
    results = support.array(evidence, "scenario_encoded", "Q", FIELDS)
    pairs = zip(evidence.notes["fields"], results)
    return [(fields, SegmentDescriptor.decode(raw)) for fields, (raw,) in pairs]


def call(fields: Fields) -> str:
    """The call as the student would write it."""
    base, limit, access, flags = fields
    return f"gdt_encode({base:#x}, {limit:#x}, {access:#x}, {flags:#x})"


def expect_part(case: Case, name: str, pairs: list[tuple[Fields, int, int]]) -> None:
    """Base or limit comes out as it went in. pairs: fields, got, want."""
    wrong = [(fields, got, want) for fields, got, want in pairs if got != want]
    if not wrong:
        return
    bits = 0
    for _, got, want in wrong:
        bits |= got ^ want
    cause, hint = wrong_bits(name, bits)
    fields, got, want = wrong[0]
    case.fail(
        expected=f"{call(fields)} gives a descriptor with the {name} {want:#x}.",
        seen=f"Its eight bytes decode to the {name} {got:#x}.",
        cause=f"{cause} A flat segment would not show it.",
        hint=f"In the descriptor {hint}",
        read=READ_DESCRIPTOR,
    )


def expect_no_excess(
    case: Case, name: str, pairs: list[tuple[Fields, SegmentDescriptor]], first: int
) -> None:
    """Bits of an argument that have no place stay out of the neighbours.

    pairs: all of them; those from `first` on differ from the first ones only in `name`.
    """
    count = EXCESS_FLAGS - EXCESS_LIMIT
    width = {"limit": 20, "flags": 4}[name]
    for (_, clean), (fields, seen) in zip(pairs, pairs[first : first + count]):
        case.expect(
            seen == clean,
            expected=f"{call(fields)} ignores bits of {name} above bit {width - 1}.",
            seen=f"It gives {seen.encode().hex(' ')}; without these bits it gives "
            f"{clean.encode().hex(' ')}.",
            cause=f"Upper bits of {name} got into the field next to it: it was shifted "
            "without a mask.",
            hint=f"Take {width} bits of {name}, no more, before you shift.",
            read=HEADER,
        )


@check("gdt-encode-base", boots=(encode_boot,))
def test_encode_base(case: Case) -> None:
    """gdt_encode splits every 32-bit base into its three places."""
    pairs = encoded(case)[:EXCESS_LIMIT]
    expect_part(case, "base", [(f, seen.base, f[0]) for f, seen in pairs])
    case.fact("encoded", len(pairs))


@check("gdt-encode-limit", boots=(encode_boot,))
def test_encode_limit(case: Case) -> None:
    """gdt_encode splits every 20-bit limit into its two places."""
    pairs = encoded(case)
    clean = pairs[:EXCESS_LIMIT]
    expect_part(case, "limit", [(f, seen.limit, f[1]) for f, seen in clean])
    expect_no_excess(case, "limit", pairs, EXCESS_LIMIT)
    case.fact("encoded", len(clean))


@check("gdt-encode-bits", boots=(encode_boot,))
def test_encode_bits(case: Case) -> None:
    """gdt_encode puts the access byte and the four flags where the CPU reads them."""
    pairs = encoded(case)
    clean = pairs[:EXCESS_LIMIT]
    for fields, seen in clean:
        raw = seen.encode()
        case.expect(
            raw[5] == fields[2],
            expected=f"{call(fields)} has the access byte {fields[2]:#x} in byte 5.",
            seen=f"Byte 5 is {raw[5]:#x}.",
            cause="The access byte is not byte 5, or bits of it are lost: 32-bit "
            "numbers have no bit 40, so it must be made 64 bits wide before the shift.",
            hint="P DPL S type are bits 47 to 40 of the descriptor.",
            read=READ_DESCRIPTOR,
        )
        case.expect(
            raw[6] >> 4 == fields[3],
            expected=f"{call(fields)} has the flags {fields[3]:#x} high in byte 6.",
            seen=f"The high half of byte 6 is {raw[6] >> 4:#x}.",
            cause="The flags G, D/B, L and AVL are not in the high half of byte 6, "
            "above limit 19..16.",
            hint="The flags are bits 55 to 52 of the descriptor.",
            read=READ_DESCRIPTOR,
        )
    expect_no_excess(case, "flags", pairs, EXCESS_FLAGS)
    case.fact("encoded", len(clean))


@check("gdt-set", boots=(set_boot,))
def test_set(case: Case) -> None:
    """gdt_set writes the slot it is given and no other, and refuses slot 0 and slots
    behind the array."""
    evidence = case.run(set_boot, ends=(End.DONE, End.PANIC))
    good, bad = evidence.notes["good"], evidence.notes["bad"]
    calls = good + bad
    slots = support.of(case)["GDT_SLOTS"]
    codes = support.array(evidence, "scenario_set_results", "i", len(calls))
    after = support.array(evidence, "scenario_tables", f"{slots}Q", len(calls))
    held = table(evidence, 3 * slots)
    want = original(evidence, slots)
    stopped = evidence.run.end is End.PANIC
    for number, ((value, index), (code,)) in enumerate(zip(good, codes)):
        if stopped and not any(after[number]):
            raise unexpected_end(evidence)
        want[index] = value
        expect_slot(case, index, code, after[number], want)
    causes = {
        0: "Slot 0 stays empty for ever: the selector 0 names no segment.",
        slots: f"The array has GDT_SLOTS = {slots} elements, the last is {slots - 1}.",
        2**31
        + 4: "The index was compared as a signed number: 2³¹ or more is negative "
        "then, and below every limit.",
    }
    for number, (value, index) in enumerate(bad, len(good)):
        returned = not stopped or any(after[number])
        (code,) = codes[number]
        written = value in held or returned and changed(after[number], want)
        case.expect(
            code == E_INVAL and not written,
            expected=f"gdt_set({index}, …) returns E_INVAL and writes nothing.",
            seen=f"It returned {code}" + (", and wrote." if written else ".")
            if returned
            else f"It never returned. {evidence.diagnosis.seen}",
            cause=causes.get(index, "The index is not tested against GDT_SLOTS."),
            hint="Test the unsigned index before you write.",
            read=HEADER,
        )
    if stopped:
        raise unexpected_end(evidence)
    case.expect(
        not changed(held, want),
        expected="The table is at the end as the last call of gdt_set left it.",
        seen="It was changed afterwards.",
        read=HEADER,
    )
    case.fact("slots", [index for _, index in good])


@check("gdt-user-code", boots=(user_boot,))
def test_user_code(case: Case) -> None:
    """The user code segment stands in its slot: present, DPL 3, readable code."""
    expect_segment(case, case.run(user_boot), code=True)


@check("gdt-user-data", boots=(user_boot,))
def test_user_data(case: Case) -> None:
    """The user data segment stands in its slot: present, DPL 3, writable data."""
    expect_segment(case, case.run(user_boot), code=False)


@check("gdt-kernel-entries", boots=(user_boot,))
def test_kernel_entries(case: Case) -> None:
    """Slot 0 and the kernel's two entries are as the core made them."""
    cause = "gdt_init_user wrote over the kernel's own entry, or over slot 0."
    evidence = case.run(user_boot)
    users = user_slots(case)
    expect_kernel_entries(case, evidence, cause)
    expect_written(case, table(evidence, max(users) + 1), *users)
    case.fact("kernel_entries", True)


@check("gdt-limit", boots=(reload_boot,))
def test_limit(case: Case) -> None:
    """After gdt_reload(n) GDTR has the array as its base, and the limit 8·n-1."""
    evidence = case.run(reload_boot)
    support.expect_kept(case, evidence, "gdt_reload")
    expect_gdtr(case, evidence, evidence.notes["slots"])


@check("gdt-ring3", boots=(spin_boot,), needs=("gdt-limit",))
def test_ring3(case: Case) -> None:
    """The CPU accepts both segments: code entered by a far return is seen spinning at
    CPL 3 with these selectors."""
    evidence = case.run(spin_boot, ends=set(End) - {End.TASK_OPEN})
    values = support.of(case)
    if evidence.run.end is not End.DONE:
        expect_segment(case, evidence, code=True)
        expect_segment(case, evidence, code=False)
        raise unexpected_end(evidence)
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
    expect_loaded(case, evidence)
    mode, bits = evidence.scene.bits(registers), 8 * support.word_bytes(case.arch)
    case.expect(
        mode == bits,
        expected=f"The CPU takes the instructions for {bits}-bit code.",
        seen=f"It takes them for {mode}-bit code.",
        cause="L and D/B of the code segment decide about that.",
        hint="See the check gdt-user-code.",
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
    with support.by_grub_too("gdt-limit", "gdt-user-code", "gdt-user-data"):
        expect_gdtr(case, evidence, max(user_slots(case)) + 1)
        expect_segment(case, evidence, code=True)
        expect_segment(case, evidence, code=False)
