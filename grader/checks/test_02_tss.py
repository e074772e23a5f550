# SPDX-License-Identifier: MIT
"""02-tss: the descriptor, the TSS behind TR, the ports, and a trap from ring 3."""

from __future__ import annotations

import struct

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.evidence import trace
from grader.evidence.descriptors import TssDescriptor
from grader.evidence.tss import Tss, open_ports
from grader.machine import Boot, End, Limits, Module, Via

READ_TSS = 'SDM 3A "Task-State Segment (TSS)" (8.2.1)'
READ_DESCRIPTOR = 'SDM 3A "TSS Descriptor" (8.2.2)'
READ_TR = 'SDM 3A "Task Register" (8.2.4)'
READ_PORTS = 'SDM 1 "I/O Permission Bit Map" (19.5.2)'

FIELDS = 32  # RESULTS in grader/scenarios/02-tss.c
TSS_BYTES = 104
SWEEP = Limits(cpu_s=12.0, log_bytes=128 << 20)


def wide(arch: str) -> bool:
    """Whether descriptors of a TSS take 16 bytes."""
    return arch == "x86_64"


@boot("encode")
def encode_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    bits = 8 * support.word_bytes(plan.arch)
    fields = [(rng.getrandbits(bits), rng.getrandbits(20)) for _ in range(FIELDS)]
    plan.note("fields", fields)
    data = b"".join(struct.pack("<QII", base, limit, 0) for base, limit in fields)
    return plan.boot("tss-encode", modules=(Module("fields", data),))


@boot("load")
def load_boot(plan: Plan) -> Boot:
    return plan.boot("tss-load")


def kernel_stack(plan: Plan) -> int:
    """A seeded place in the area of the kernel stacks, 16-aligned."""
    values = support.of(plan)
    slot = (values["KSTACK_PAGES"] + 1) * support.PAGE
    base = values["KSTACK_BASE"] + slot * plan.rng("slot").randrange(8, 40)
    return int(base + slot - 16 * plan.rng("offset").randrange(1, 500))


@boot("stack")
def stack_boot(plan: Plan) -> Boot:
    top = plan.note("top", kernel_stack(plan))
    return plan.boot("tss-set-stack", *support.hexadecimal(esp0=top))


def probed(plan: Plan, name: str) -> tuple[tuple[str, ...], tuple[Module, ...]]:
    """Words and modules for a probe on a seeded page."""
    rng = plan.rng()
    code, stack = support.user_pages(rng, plan, 2)
    probe = plan.probe(name, PAD=rng.randrange(1, 3000))
    plan.note("code", code)
    plan.note("probe", probe)
    words = support.hexadecimal(code=code, stack=stack, entry=probe.labels["entry"])
    return words, (Module("probe", probe.data),)


@boot("trap")
def trap_boot(plan: Plan) -> Boot:
    top = plan.note("top", kernel_stack(plan))
    words, modules = probed(plan, "fault")
    return plan.boot(
        "tss-trap",
        *words,
        *support.hexadecimal(esp0=top),
        modules=modules,
    )


@boot("ports")
def ports_boot(plan: Plan) -> Boot:
    words, modules = probed(plan, "ports")
    return plan.boot("tss-ports", *words, modules=modules, limits=SWEEP)


@boot("grub")
def grub_boot(plan: Plan) -> Boot:
    return plan.boot("tss-load", via=Via.GRUB)


def descriptor(case: Case, evidence: Evidence) -> TssDescriptor:
    """The descriptor in the TSS slot of the table that GDTR names."""
    index = support.of(case)["GDT_INDEX_TSS"]
    count = support.of(case)["TSS_DESC_SLOTS"]
    raw = b"".join(support.gdt_slot(evidence, index + n) for n in range(count))
    return TssDescriptor.decode(raw.ljust(8 * count, b"\0"), wide=wide(case.arch))


def tss_bytes(case: Case, evidence: Evidence) -> bytes:
    """The TSS in memory, from its base to its limit."""
    found = descriptor(case, evidence)
    return support.space(evidence).read(found.base, min(found.last_offset, 0xFFFF) + 1)


def read_tss(case: Case, evidence: Evidence) -> Tss:
    """The TSS that the descriptor leads to."""
    raw = tss_bytes(case, evidence)
    case.expect(
        len(raw) >= TSS_BYTES,
        expected="The descriptor in the TSS slot leads to a TSS of 104 bytes or more.",
        seen=f"It reads: {descriptor(case, evidence)}.",
        cause="Base or limit of the descriptor is wrong, or nothing is mapped there.",
        hint="The base is the address of your TSS, known only at run time.",
        read=READ_DESCRIPTOR,
    )
    return Tss.decode(raw, wide=wide(case.arch))


@check("tss-encode", boots=(encode_boot,))
def test_encode(case: Case) -> None:
    """tss_encode makes the descriptor of an available TSS for every base and limit."""
    evidence = case.run(encode_boot)
    results = support.array(evidence, "scenario_tss_encoded", "QQ", FIELDS)
    for (base, limit), words in zip(evidence.notes["fields"], results):
        count = support.of(case)["TSS_DESC_SLOTS"]
        raw = struct.pack(f"<{count}Q", *words[:count])
        seen = TssDescriptor.decode(raw, wide=wide(case.arch))
        want = TssDescriptor(base=base, limit=limit, type=9, dpl=0, p=1)
        case.expect(
            seen == want,
            expected=f"A descriptor with {want}.",
            seen=f"It reads {raw.hex(' ')}: {seen}.",
            cause="A field is missing or at the wrong place: a TSS is a system "
            "descriptor (S=0, type 9), DPL 0, and its limit counts bytes.",
            hint="All four bytes of the base matter (long mode: all eight).",
            read=READ_DESCRIPTOR,
        )
    case.fact("encoded", FIELDS)


@check("tss-descriptor", boots=(load_boot,))
def test_descriptor(case: Case) -> None:
    """The TSS slot of the GDT holds a present TSS descriptor with DPL 0 whose limit is
    at least 0x67 and does not reach beyond the TSS."""
    evidence = case.run(load_boot)
    found = descriptor(case, evidence)
    case.expect(
        found.valid and found.dpl == 0,
        expected="A present TSS descriptor (type 9, or 0xb once TR is loaded), DPL 0.",
        seen=f"The slot reads: {found}.",
        cause="The descriptor is absent, has the wrong type, or ring 3 may use it; or "
        "the limit of GDTR does not cover its slot.",
        hint="tss_encode, gdt_set for each of its slots, then gdt_reload.",
        read=READ_DESCRIPTOR,
    )
    case.expect(
        found.last_offset >= TSS_BYTES - 1,
        expected="The limit is at least 0x67: the TSS has 104 bytes.",
        seen=f"It is {found.last_offset:#x}.",
        cause="The CPU refuses a TSS that is shorter than its fixed part.",
        hint="limit = sizeof(struct tss) - 1, more only for an I/O bitmap.",
        read=READ_DESCRIPTOR,
    )
    expect_inside(case, evidence, found)
    case.fact("descriptor", [found.type & ~2, found.dpl, found.last_offset])


def expect_inside(case: Case, evidence: Evidence, found: TssDescriptor) -> None:
    """The limit stays within the object that lies at the base."""
    symbol = evidence.symbols.nearest(found.base)
    if symbol is None or symbol.address != found.base or not symbol.size:
        return
    case.expect(
        found.last_offset < symbol.size,
        expected=f"The limit stays within {symbol.name}, which has {symbol.size} bytes.",
        seen=f"The limit is {found.last_offset:#x}: the byte behind it counts as well.",
        cause="A limit is the last valid offset, one less than the size; added to the "
        "base it is no limit at all. What lies behind the TSS would become its I/O bitmap.",
        hint="limit = sizeof(struct tss) - 1.",
        read=READ_DESCRIPTOR,
    )


@check("tss-stack-segment", boots=(load_boot,), needs=("tss-descriptor",))
def test_stack_segment(case: Case) -> None:
    """ss0 in the TSS is the kernel's data segment."""
    tss = read_tss(case, case.run(load_boot))
    want = support.of(case)["SEL_KDATA"]
    case.expect(
        tss.ss0 == want,
        expected=f"ss0 is {want:#x}.",
        seen=f"It is {tss.ss0:#x}.",
        cause="On the way from ring 3 to ring 0 the CPU loads SS from ss0: any other "
        "segment makes that a #TS, then a double fault.",
        hint="Set ss0 to SEL_KDATA once, in tss_init.",
        read=READ_TSS,
    )
    case.fact("ss0", tss.ss0)


@check("tss-ports-closed", boots=(load_boot,), needs=("tss-descriptor",))
def test_ports_closed(case: Case) -> None:
    """By limit, I/O map base and bitmap of the TSS, no port is open to ring 3."""
    evidence = case.run(load_boot)
    tss, found = read_tss(case, evidence), descriptor(case, evidence)
    memory = tss_bytes(case, evidence)
    opened = open_ports(found.last_offset, tss.iomap_base, memory)
    case.expect(
        opened.count == 0,
        expected="Ring 3 may use none of the 65,536 ports.",
        seen=f"It may use {opened}: the I/O map starts at offset {tss.iomap_base:#x}, "
        f"the limit is {found.last_offset:#x}.",
        cause="A port is open if its bit lies within the limit and is clear. With the "
        "base inside the TSS, the TSS's own bytes are taken for a bitmap.",
        hint="Set iomap_base to sizeof(struct tss): there is no bitmap then.",
        read=READ_PORTS,
    )
    case.fact("open_ports", opened.count)


@check("tss-ports-sweep", boots=(ports_boot,), needs=("tss-task-register",))
def test_ports_sweep(case: Case) -> None:
    """Ring-3 code that reads all 65,536 ports gets 65,536 faults."""
    evidence = case.run(ports_boot)
    at = evidence.notes["code"] + evidence.notes["probe"].labels["port"]
    sweep = trace.sweep(evidence.run.trace, at)
    opened = sorted(set(range(65536)) - sweep.ports)
    case.expect(
        not opened and sweep.faults == 65536,
        expected="Each read faults with #GP(0) at CPL 3, 65,536 times.",
        seen=f"{len(opened)} reads went through, the first at port {opened[0]:#x}."
        if opened
        else f"{sweep.faults} faults were recorded.",
        cause="The TSS that TR names opens these ports.",
        hint="See the check tss-ports-closed for limit and I/O map base.",
        read=READ_PORTS,
    )
    case.fact("faults", sweep.faults)


def expect_task_register(case: Case, evidence: Evidence) -> None:
    values = support.of(case)
    tr = evidence.registers.segments["TR"]
    found = descriptor(case, evidence)
    case.expect(
        tr.selector == values["SEL_TSS"],
        expected=f"TR holds the selector {values['SEL_TSS']:#x}.",
        seen=f"TR holds {tr.selector:#x}.",
        cause="ltr was not executed, or with another selector.",
        hint="One ltr, after the descriptor is in the table.",
        read=READ_TR,
    )
    case.expect(
        found.busy and tr.base == found.base,
        expected="The descriptor is marked busy, and TR has taken its base.",
        seen=f"The slot reads: {found}; TR has the base {tr.base:#x}.",
        cause="The descriptor was changed after ltr had read it, or never read.",
        hint="Write base and limit first, load TR last.",
        read=READ_TR,
    )


@check("tss-task-register", boots=(load_boot,))
def test_task_register(case: Case) -> None:
    """TR holds the TSS selector, and the descriptor behind it is busy."""
    evidence = case.run(load_boot)
    expect_task_register(case, evidence)
    case.fact("tr", evidence.registers.segments["TR"].selector)


@check("tss-stack-set", boots=(stack_boot,), needs=("tss-task-register",))
def test_stack_set(case: Case) -> None:
    """What tss_set_kernel_stack was given stands in the TSS that TR names."""
    evidence = case.run(stack_boot)
    tss = read_tss(case, evidence)
    top = evidence.notes["top"]
    name = "rsp0" if wide(case.arch) else "esp0"
    case.expect(
        tss.stack0 == top,
        expected=f"{name} is {top:#x}, as passed.",
        seen=f"It is {tss.stack0:#x}.",
        cause="The value was written elsewhere, changed, or to a TSS that TR does not "
        "name: the descriptor's base must be the address of your TSS.",
        hint="One assignment to the TSS whose address is in the descriptor.",
        read=READ_TSS,
    )
    case.fact("stack", tss.stack0 == top)


@check("tss-trap", boots=(trap_boot,), needs=("tss-stack-set",))
def test_trap(case: Case) -> None:
    """A fault in ring 3 brings the CPU to exactly the kernel stack that was set."""
    evidence = case.run(trap_boot, ends=(End.HALTED,))
    landing = support.address_of(evidence, "scenario_entry_landing")
    word = support.word_bytes(case.arch)
    top = evidence.notes["top"] - 5 * word
    registers = evidence.registers
    case.expect(
        registers.sp == top
        and registers.cpl == 0
        and landing <= (registers.ip or 0) <= landing + 4,
        expected=f"After a trap without error code the stack pointer is {top:#x}: the "
        "top that was set, less five words.",
        seen=f"It is {registers.sp:#x} at CPL {registers.cpl}."
        if registers.sp is not None
        else "The CPU is gone.",
        cause="The CPU took its stack from another place.",
        hint="It reads it from the TSS behind TR at each trap from ring 3.",
        read=READ_TSS,
    )
    frame = support.space(evidence).read(top, 5 * word)
    ip, cs, _, _, ss = struct.unpack("<5I" if word == 4 else "<5Q", frame)
    want = evidence.notes["code"] + evidence.notes["probe"].labels["entry"]
    values = support.of(case)
    case.expect(
        (ip, cs & 0xFFFF, ss & 0xFFFF)
        == (want, values["SEL_UCODE"], values["SEL_UDATA"]),
        expected=f"The frame there names the probe at {want:#x} in ring 3.",
        seen=f"It names address {ip:#x}, CS {cs:#x}, SS {ss:#x}.",
        cause="Something else wrote to that stack.",
        read=READ_TSS,
    )
    case.fact("trap", [registers.sp == top, ip == want])


@check("tss-grub", boots=(grub_boot,), needs=("tss-task-register",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, TR names the TSS as well, and no port is open."""
    evidence = case.run(grub_boot)
    expect_task_register(case, evidence)
    tss, found = read_tss(case, evidence), descriptor(case, evidence)
    opened = open_ports(found.last_offset, tss.iomap_base, tss_bytes(case, evidence))
    case.expect(
        opened.count == 0,
        expected="No port is open to ring 3.",
        seen=f"Ring 3 may use {opened}.",
        cause="The TSS relies on memory being zero, which GRUB does not promise.",
        read=READ_PORTS,
    )
