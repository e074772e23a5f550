# SPDX-License-Identifier: MIT
"""02-tss: the descriptor, the TSS behind TR, the ports, and a trap from ring 3."""

from __future__ import annotations

import struct

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.tss import (
    READ_PORTS,
    READ_TR,
    expect_closed,
    expect_descriptor,
    expect_stack,
    expect_task_register,
    field_cause,
    read_tss,
    terms,
    wide,
)
from grader.checks.tss_place import UNTOUCHED
from grader.evidence import trace
from grader.evidence.descriptors import TssDescriptor, selector
from grader.evidence.events import Interrupt
from grader.machine import Boot, End, Limits, Module, Via

FIELDS = 32  # RESULTS in grader/scenarios/02-tss.c
SWEEP = Limits(cpu_s=6.0, log_bytes=32 << 20)
PORT_STEP = 8  # of the ports, those of a byte of an I/O bitmap, one is read


@boot("encode")
def encode_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    bits = 8 * support.word_bytes(plan.arch)
    fields = [(rng.getrandbits(bits), rng.getrandbits(20)) for _ in range(FIELDS)]
    plan.note("fields", fields)
    data = b"".join(struct.pack("<QII", base, limit, 0) for base, limit in fields)
    return plan.boot("tss-encode", modules=(Module("fields", data),))


@boot("init")
def init_boot(plan: Plan) -> Boot:
    return plan.boot("tss-init")


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


def probed(
    plan: Plan, name: str, **defines: int
) -> tuple[tuple[str, ...], tuple[Module, ...]]:
    """Words and modules for a probe on a seeded page."""
    rng = plan.rng()
    code, stack = support.user_pages(rng, plan, 2)
    probe = plan.probe(name, PAD=rng.randrange(1, 3000), **defines)
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
    ports = support.ports(plan, PORT_STEP)
    words, modules = probed(plan, "ports", FIRST=ports.start, STEP=ports.step)
    code = plan.notes["code"]
    return plan.boot(
        "tss-ports",
        *words,
        modules=modules,
        limits=SWEEP,
        trace=("int", "cpu_reset", "in_asm"),
        trace_ranges=((code - support.PAGE, code + support.PAGE - 1),),
    )


@boot("grub", disc=True)
def grub_boot(plan: Plan) -> Boot:
    return plan.boot("tss-load", via=Via.GRUB)


@check("tss-encode", boots=(encode_boot,))
def test_encode(case: Case) -> None:
    """tss_encode makes the descriptor of an available TSS for every base and limit."""
    evidence = case.run(encode_boot)
    count = support.of(case)["TSS_DESC_SLOTS"]
    layout = f"{count + 1}Q"
    results = support.array(evidence, "scenario_tss_encoded", layout, FIELDS)
    for (base, limit), words in zip(evidence.notes["fields"], results):
        raw = struct.pack(f"<{count}Q", *words[:count])
        _expect_written(case, words[:count])
        seen = TssDescriptor.decode(raw, wide=wide(case.arch))
        want = TssDescriptor(base=base, limit=limit)
        field, cause, hint = field_cause(seen, want, case.arch)
        case.expect(
            not field,
            expected=f"tss_encode({base:#x}, {limit:#x}, slot) gives {want}.",
            seen=f"{field}. The slot holds {raw.hex(' ')}.",
            cause=cause,
            hint=hint,
            read=terms(case.arch).read_descriptor,
        )
        case.expect(
            seen.encode(wide=wide(case.arch)) == raw,
            expected="The bits L and D/B of a TSS descriptor are 0.",
            seen=f"The slot holds {raw.hex(' ')}.",
            cause="Flags of a code or data segment were set.",
            hint="A TSS needs none of the four flags.",
            read=terms(case.arch).read_descriptor,
        )
        case.expect(
            words[count] == UNTOUCHED,
            expected=f"tss_encode writes the {8 * count} bytes of a descriptor.",
            seen=f"It changed the eight bytes behind them too, to {words[count]:#x}.",
            cause="slot has TSS_DESC_SLOTS words: what lies behind is the caller's.",
            hint="i386: one word. x86_64: two, and the second is base 63..32.",
            read=terms(case.arch).read_descriptor,
        )
    case.fact("encoded", FIELDS)


def _expect_written(case: Case, words: tuple[int, ...]) -> None:
    """Nothing is left of what stood in the slot before."""
    for number, word in enumerate(words):
        if word != UNTOUCHED:
            cause = "The new bits were added with |= to the old ones."
        elif number == 0:
            cause = "tss_encode writes nothing, or not to the slot that it is given."
        else:
            cause = (
                "The second word was not written: in long mode a descriptor has 16 "
                "bytes, and base 63..32 stands there."
            )
        case.expect(
            word & UNTOUCHED != UNTOUCHED,
            expected=f"tss_encode writes all of slot[{number}], whatever is in there.",
            seen=f"All bits that stood there before are still set: {word:#018x}.",
            cause=cause,
            hint="slot[1] = base >> 32."
            if number and word == UNTOUCHED
            else "Put each word together first, then assign it with =.",
            read="kernel/include/course/02-tss.h",
        )


@check("tss-descriptor", boots=(init_boot,))
def test_descriptor(case: Case) -> None:
    """The TSS slot of the GDT holds a present TSS descriptor with DPL 0 whose limit is
    at least 0x67 and does not reach beyond the TSS."""
    found = expect_descriptor(case, case.run(init_boot))
    case.fact("descriptor", [found.type & ~2, found.dpl, found.last_offset])


@check("tss-stack-segment", boots=(init_boot,))
def test_stack_segment(case: Case) -> None:
    """ss0 in the TSS is the kernel's data segment."""
    tss = read_tss(case, case.run(init_boot))
    want = support.of(case)["SEL_KDATA"]
    if tss.ss0 == 0:
        cause = "ss0 was never set."
    elif tss.ss0 & 3:
        cause = "The selector has an RPL for another ring than 0."
    else:
        cause = "This is not the kernel's data segment."
    case.expect(
        tss.ss0 == want,
        expected=f"ss0 is {selector(want)}.",
        seen=f"It is {selector(tss.ss0)}.",
        cause=f"{cause} On the way from ring 3 to ring 0 the CPU loads SS from ss0; a "
        "segment that it refuses there makes a #TS, and the machine resets.",
        hint="Set ss0 once, in tss_init.",
        read=terms(case.arch).read,
    )
    case.fact("ss0", tss.ss0)


@check("tss-ports-closed", boots=(init_boot,))
def test_ports_closed(case: Case) -> None:
    """By limit, I/O map base and bitmap of the TSS, no port is open to ring 3."""
    expect_closed(case, case.run(init_boot))


def _loaded(case: Case, spec: BootSpec) -> Evidence:
    """The boot that calls tss_load, which must come back from it."""
    evidence = case.run(spec, ends=support.ANY_END)
    faults = [e for e in support.interrupts(evidence) if e.cpl == 0 and e.fault]
    chain = trace.triple_fault_chain(evidence.events) or faults[-1:]
    if evidence.run.end is not End.DONE and evidence.run.registers and chain:
        _expect_no_fault_of(case, evidence, chain[0])
    return case.run(spec)


def _expect_no_fault_of(case: Case, evidence: Evidence, event: Interrupt) -> None:
    """The fault is not that of ltr with the number of a slot for a selector."""
    instruction = evidence.scene.instruction(event.regs, event.pc)
    want = support.of(case)["SEL_TSS"]
    index = support.of(case)["GDT_INDEX_TSS"]
    if instruction is not None and instruction.mnemonic == "ltr":
        case.expect(
            event.e != index & ~3,
            expected=f"ltr takes the selector {want:#x}.",
            seen=f"At {support.place(evidence, event.pc)} it refused {event.e:#x}, all "
            "but the RPL of its operand.",
            cause=f"{index} is the number of the slot. The selector is 8 times that.",
            hint=f"The argument of tss_load is the selector, and it is "
            f"{arch_of(case).argument}.",
            read=READ_TR,
        )


@check("tss-task-register", boots=(load_boot,))
def test_task_register(case: Case) -> None:
    """TR holds the TSS selector, and the descriptor behind it is busy."""
    evidence = _loaded(case, load_boot)
    support.expect_kept(case, evidence, "tss_load")
    expect_task_register(case, evidence)
    case.fact("tr", evidence.registers.segments["TR"].selector)


@check("tss-stack-set", boots=(stack_boot,), needs=("tss-task-register",))
def test_stack_set(case: Case) -> None:
    """What tss_set_kernel_stack was given stands in the TSS that TR names."""
    evidence = case.run(stack_boot)
    expect_task_register(case, evidence)
    expect_stack(case, evidence, evidence.notes["top"])
    case.fact("stack", True)


@check("tss-trap", boots=(trap_boot,), needs=("tss-stack-set",))
def test_trap(case: Case) -> None:
    """A fault in ring 3 brings the CPU to exactly the kernel stack that was set."""
    evidence = case.run(trap_boot, ends=(End.HALTED,))
    want = evidence.notes["code"] + evidence.notes["probe"].labels["entry"]
    values = support.of(case)
    taken = support.interrupts(evidence)
    case.expect(
        taken
        and trace.is_genuine_fault(
            taken[-1], vector=values["VEC_UD"], error=None, pc=want
        ),
        expected=f"The last trap is the #UD of the probe at {want:#x}, in ring 3.",
        seen=f"The CPU recorded {support.show(taken[-1] if taken else None)}.",
        cause="The kernel stopped without that trap.",
        hint="tss_set_kernel_stack notes the address and returns.",
        read=terms(case.arch).read,
    )
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
        seen=f"It is {registers.sp or 0:#x} at CPL {registers.cpl}.",
        cause="The CPU took its stack from another place.",
        hint=f"It reads {arch_of(case).stack0} from the TSS behind TR at each trap "
        "from ring 3.",
        read=terms(case.arch).read,
    )
    frame = support.space(evidence).read(top, 5 * word)
    ip, cs, _, _, ss = struct.unpack(f"<{arch_of(case).words(5)}", frame)
    case.expect(
        (ip, cs & 0xFFFF, ss & 0xFFFF)
        == (want, values["SEL_UCODE"], values["SEL_UDATA"]),
        expected=f"The frame there names the probe at {want:#x} in ring 3.",
        seen=f"It names address {ip:#x}, CS {cs:#x}, SS {ss:#x}.",
        cause="Something else wrote to that stack.",
        hint="tss_set_kernel_stack only notes the address; the stack is not its own.",
        read=terms(case.arch).read,
    )
    expect_task_register(case, evidence)
    expect_stack(case, evidence, evidence.notes["top"])
    case.fact("trap", [registers.sp == top, ip == want])


def _expect_probe(case: Case, evidence: Evidence, at: int) -> None:
    """Around the address `at` the CPU was given the probe's own code, and no other."""
    probe, code = evidence.notes["probe"].data, evidence.notes["code"]
    for piece in trace.given(evidence.run.trace):
        offset = piece.pc - code
        case.expect(
            offset >= 0 and probe[offset:].startswith(piece.code),
            expected=f"The instruction that faults at {at:#x} is the probe's `in`.",
            seen=f"At {piece.pc:#x} the CPU was given {piece.code.hex(' ')}.",
            cause="Something put other code in the place of the probe's.",
            hint="Nothing but the TSS closes the ports; leave the probe as it is.",
            read=READ_PORTS,
        )


@check("tss-ports-sweep", boots=(ports_boot,), needs=("tss-trap",))
def test_ports_sweep(case: Case) -> None:
    """Ring-3 code that reads 8,192 ports, of any eight one, gets 8,192 faults."""
    evidence = case.run(ports_boot)
    asked = evidence.notes["ports"]
    at = evidence.notes["code"] + evidence.notes["probe"].labels["port"]
    sweep = trace.sweep(evidence.run.trace, at)
    opened = sorted(set(asked) - sweep.ports)
    case.expect(
        not opened and sweep.faults == len(asked),
        expected=f"Each read faults with #GP(0) at CPL 3, {len(asked):,} times.",
        seen=f"{len(opened)} reads went through, the first at port {opened[0]:#x}."
        if opened
        else f"{sweep.faults} faults were recorded.",
        cause="The TSS that TR names opens these ports: within its limit, at its I/O "
        "map base, their bits are 0.",
        hint="See the check tss-ports-closed for limit and I/O map base.",
        read=READ_PORTS,
    )
    _expect_probe(case, evidence, at)
    expect_task_register(case, evidence)
    expect_closed(case, evidence)
    case.fact("faults", sweep.faults)


@check("tss-grub", boots=(grub_boot,), needs=("tss-task-register",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, TR names the TSS as well, and no port is open."""
    evidence = _loaded(case, grub_boot)
    with support.by_grub_too("tss-task-register", "tss-ports-closed"):
        expect_task_register(case, evidence)
        expect_closed(case, evidence)
