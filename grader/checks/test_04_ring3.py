# SPDX-License-Identifier: MIT
"""04-ring3: user pages, the way into ring 3, and the way back."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

from grader.checks import support
from grader.checks.api import Case, CheckFailed, Plan, boot, check
from grader.checks.record import Evidence, unexpected_end
from grader.evidence import paging, trace
from grader.evidence.trace import Interrupt
from grader.machine import Boot, End, Limits, Module, Via

READ_PAGES = 'SDM 3A "Protection of Pages" (4.6)'
READ_IRET = 'SDM 2A "IRET/IRETD/IRETQ"'
READ_FRAME = 'SDM 3A "Exception- and Interrupt-Handler Procedures" (6.12.1)'

NO_PROBE = 0xFFFFFFFF
E_INVAL = -1
WRITE = 1
SWEEP = Limits(cpu_s=12.0, log_bytes=128 << 20)

PRIVILEGED = {
    "try_in": ("in_at", "in al, dx"),
    "try_out": ("out_at", "out dx, al"),
    "try_cli": ("cli_at", "cli"),
    "try_hlt": ("hlt_at", "hlt"),
    "try_mov_cr3": ("mov_cr3_at", "mov cr3"),
    "try_lgdt": ("lgdt_at", "lgdt"),
}
KERNEL_PAGE = {"try_kernel_read": 0x0005, "try_kernel_write": 0x0007}
TICKS = 5


def pages_module(pages: list[tuple[int, int, int]]) -> Module:
    return Module("pages", b"".join(struct.pack("<QII", *page) for page in pages))


def runs_module(runs: list[tuple[int, int]]) -> Module:
    return Module("runs", b"".join(struct.pack("<QQ", *run) for run in runs))


def planned(plan: Plan, scenario: str, starts: list[str], **fields: Any) -> Boot:
    """Code and stack at seeded pages, and runs that start at these labels."""
    rng = plan.rng()
    values = support.of(plan)
    code, stack = support.user_pages(rng, plan, 2)
    kernel = rng.randrange(values["KERNEL_BASE"], values["IDENTITY_END"], 4)
    probe = plan.probe(
        "ports" if "entry" in starts else "privileged",
        PAD=rng.randrange(1, 1200),
        KERNEL=plan.note("kernel", kernel),
        PORT=rng.choice((0x21, 0x60, 0x3F8, 0x80, 0xF4)),
        TURNS=100_000,
    )
    tops = [stack + rng.randrange(1, support.PAGE // 16) * 16 for _ in starts]
    plan.note("code", code)
    plan.note("probe", probe)
    plan.note("pages", {code, stack})
    plan.note("starts", starts)
    plan.note("stacks", dict(zip(starts, tops)))
    modules = (
        Module("probe", probe.data),
        pages_module([(code, 0, 0), (stack, WRITE, NO_PROBE)]),
        runs_module([(code + probe.labels[s], t) for s, t in zip(starts, tops)]),
    )
    return plan.boot(scenario, modules=modules, **fields)


@boot("map")
def map_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    values = support.of(plan)
    good = support.user_pages(rng, plan, 6)
    good.append(good[0] + support.PAGE)  # a neighbour shares every table
    good += [values["USER_BASE"], min(values["USER_END"], 1 << 47) - support.PAGE]
    rng.shuffle(good)
    pages = [(va, rng.randrange(2), NO_PROBE) for va in good]
    bad = [
        (rng.choice(good), WRITE, NO_PROBE),
        (good[0] + 2 * support.PAGE + rng.randrange(1, 4095), WRITE, NO_PROBE),
        (rng.randrange(0x200, 0x4000) * support.PAGE, WRITE, NO_PROBE),
        (values["USER_END"], WRITE, NO_PROBE),
    ]
    plan.note("good", pages)
    plan.note("bad", bad)
    probe = Module("probe", b"\0")
    return plan.boot("ring3-map", modules=(pages_module(pages + bad), probe))


@boot("run")
def run_boot(plan: Plan) -> Boot:
    starts = [*PRIVILEGED, *KERNEL_PAGE]
    plan.rng("order").shuffle(starts)
    boot_plan = planned(plan, "ring3-run", ["first", *starts])
    return traced(plan, boot_plan)


def traced(plan: Plan, planned_boot: Boot) -> Boot:
    """The same boot with every block that runs on the code page recorded."""
    code = plan.notes["code"]
    return dataclasses.replace(
        planned_boot,
        trace=("int", "cpu_reset", "exec", "in_asm"),
        trace_ranges=((code, code + support.PAGE - 1),),
    )


@boot("timer")
def timer_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-timer", ["spin"], icount_shift=6)


@boot("ports")
def ports_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-ports", ["entry"], limits=SWEEP)


@boot("grub")
def grub_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-run", ["first", "try_cli"], via=Via.GRUB)


def label(evidence: Evidence, name: str) -> int:
    """The address of a label of the probe."""
    return int(evidence.notes["code"] + evidence.notes["probe"].labels[name])


@check("ring3-map", boots=(map_boot,))
def test_map(case: Case) -> None:
    """user_map makes exactly the asked page visible to ring 3, on every paging level,
    writable only on request, and refuses addresses that are not ring 3's."""
    evidence = case.run(map_boot)
    good, bad = evidence.notes["good"], evidence.notes["bad"]
    results = [r[0] for r in support.array(evidence, "scenario_map_results", "i", 32)]
    word = "I" if support.word_bytes(case.arch) == 4 else "Q"
    frames = [f[0] for f in support.array(evidence, "scenario_frames", word, 32)]
    space = support.space(evidence)
    for number, (va, flags, _) in enumerate(good):
        walk = paging.translate(space.ram, space.cr3, va, case.arch)
        levels = "; ".join(paging.explain(walk))
        where = f"the page {va:#x}"
        case.expect(
            results[number] == 0,
            expected=f"user_map({va:#x}, …) returns E_OK.",
            seen=f"It returned {results[number]}.",
            cause="The address is a free page of ring 3, yet it was refused.",
            read="kernel/include/course/04-ring3.h",
        )
        case.expect(
            walk.present and walk.pa == frames[number],
            expected=f"After user_map {where} leads to the frame {frames[number]:#x}.",
            seen=f"The page tables say: {levels}.",
            cause="An entry is absent, or names another frame.",
            hint="Walk from PAGING_LEVELS down with pte_slot; level 1 gets the frame.",
            read=READ_PAGES,
        )
        missing = [entry.name for entry in walk.entries if not entry.user]
        case.expect(
            walk.user,
            expected=f"PTE_USER is set for {where} on every level.",
            seen=f"It is missing in {', '.join(missing)}. The page tables say: {levels}.",
            cause="The CPU grants ring 3 access only if every level has the user bit.",
            hint="Set PTE_USER in each directory entry on the way, also in present ones.",
            read=READ_PAGES,
        )
        case.expect(
            walk.writable == bool(flags & WRITE),
            expected=f"{where} is {'writable' if flags else 'read-only'}, as asked.",
            seen=f"The page tables say: {levels}.",
            cause="The write bit of the page does not follow USER_MAP_WRITE.",
            hint="Directory entries stay writable; level 1 decides.",
            read=READ_PAGES,
        )
    for number, (va, _, _) in enumerate(bad, len(good)):
        case.expect(
            results[number] == E_INVAL,
            expected=f"user_map({va:#x}, …) returns E_INVAL.",
            seen=f"It returned {results[number]}.",
            cause="The address is unaligned, no address of ring 3, or mapped already.",
            read="kernel/include/course/04-ring3.h",
        )
    case.fact("mapped", [[va, flags] for va, flags, _ in good])


@check("ring3-isolation", boots=(map_boot,), needs=("ring3-map",))
def test_isolation(case: Case) -> None:
    """No page but those that user_map was asked for is accessible to ring 3."""
    evidence = case.run(map_boot)
    want = {va for va, _, _ in evidence.notes["good"]}
    found = set()
    space = support.space(evidence)
    for area in paging.user_ranges(space.ram, space.cr3, case.arch):
        found |= set(
            range(area.start, min(area.end, area.start + 2**24), support.PAGE)
        )
    extra = sorted(found - want)
    case.expect(
        not extra,
        expected=f"Ring 3 sees {len(want)} pages, those that were mapped for it.",
        seen=f"It sees {len(extra)} more, the first at {extra[0]:#x}." if extra else "",
        cause="The user bit was set where the kernel's own pages are.",
        hint="Set PTE_USER at level 1 only in the entry of the page asked for.",
        read=READ_PAGES,
    )
    case.fact("user_pages", sorted(found))


def start_state(case: Case, evidence: Evidence) -> Interrupt:
    """The CPU's record of the fault at the probe's very first instruction."""
    code = evidence.notes["code"]
    first = label(evidence, "first")
    wrong = [b for b in trace.blocks(evidence.events, code, code + 4096) if b.cpl != 3]
    case.expect(
        not wrong,
        expected="Every instruction of the probe runs at CPL 3.",
        seen=f"The block at {wrong[0].pc:#x} ran at CPL {wrong[0].cpl}."
        if wrong
        else "",
        cause=(
            "The code was reached without a change of privilege: by jmp, call or ret, or "
            "through an iret whose CS has RPL 0. The console looks the same, the CPU does not."
        ),
        hint="Push SS, ESP, EFLAGS, CS, EIP with the user selectors (RPL 3), then iretd.",
        read=READ_IRET,
    )
    event = support.user_fault(evidence.events, first, 6)
    if event is None:
        raise instead_of_start(evidence, first)
    return event


def instead_of_start(evidence: Evidence, first: int) -> Exception:
    """Why the first instruction was not seen in ring 3."""
    from_user = [e for e in support.interrupts(evidence) if e.cpl == 3]
    if evidence.run.end is not End.DONE and not from_user:
        return unexpected_end(evidence)
    wrong = from_user[0] if from_user else None
    return CheckFailed(
        expected=f"Ring 3 starts with the probe's ud2 at {first:#x} (#UD at CPL 3).",
        seen=f"The CPU recorded {support.show(wrong)}.",
        cause="EIP in the frame is not the entry that was passed, or the code page "
        "is not user-accessible on every level.",
        hint="CS and EIP are easily swapped: EIP is pushed last, CS before it.",
        read=READ_FRAME,
    )


@check("ring3-enter", boots=(run_boot,))
def test_enter(case: Case) -> None:
    """The probe's first instruction runs at CPL 3, with the user's CS and SS and the
    stack that was asked for."""
    evidence = case.run(run_boot, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(run_boot)
    event = start_state(case, evidence)
    values = support.of(case)
    stack = evidence.notes["stacks"]["first"]
    case.expect(
        (event.cs, event.ss) == (values["SEL_UCODE"], values["SEL_UDATA"]),
        expected=f"CS {values['SEL_UCODE']:#x} and SS {values['SEL_UDATA']:#x} in ring 3.",
        seen=f"CS is {event.cs:#x}, SS is {event.ss:#x}.",
        cause="The frame of iret holds other selectors.",
        hint="SEL_UCODE and SEL_UDATA already contain RPL 3.",
        read=READ_FRAME,
    )
    case.expect(
        event.sp == stack,
        expected=f"The stack pointer of ring 3 is {stack:#x}, as passed.",
        seen=f"It is {event.sp:#x}.",
        cause="The slot of the stack pointer in the frame holds something else.",
        hint="The CPU pops EIP, CS, EFLAGS, ESP, SS in this order.",
        read=READ_FRAME,
    )
    case.fact("start", [event.cs, event.ss, event.sp, event.pc, event.cpl])


@check("ring3-segments", boots=(run_boot,), needs=("ring3-enter",))
def test_segments(case: Case) -> None:
    """DS, ES, FS and GS hold the user data segment when ring 3 starts."""
    event = start_state(case, case.run(run_boot, ends=support.ANY_END))
    want = support.of(case)["SEL_UDATA"]
    have = {n: event.regs.segments[n].selector for n in ("DS", "ES", "FS", "GS")}
    case.expect(
        set(have.values()) == {want},
        expected=f"DS, ES, FS and GS are {want:#x}.",
        seen=", ".join(f"{n}={v:#06x}" for n, v in have.items()) + ".",
        cause=(
            "iret loads only CS and SS. Segments left at the kernel's selectors are "
            "nulled by it: a real CPU then faults at the first access, QEMU does not."
        ),
        hint="Load all four with SEL_UDATA before you push the frame.",
        read=READ_IRET,
    )
    case.fact("segments", have)


@check("ring3-interrupts", boots=(timer_boot,), needs=("ring3-enter",))
def test_interrupts(case: Case) -> None:
    """Ring 3 runs with interrupts on: the timer interrupts it, again and again."""
    evidence = case.run(timer_boot)
    low, high = label(evidence, "spin"), label(evidence, "spin_done")
    ticks = [
        event
        for event in trace.hardware_from_user(evidence.events, 0x20)
        if low <= event.pc <= high
    ]
    event = support.user_fault(evidence.events, high, 6)
    flags = event.regs.flags if event else None
    case.expect(
        len(ticks) >= TICKS,
        expected=f"At least {TICKS} timer interrupts (vector 0x20) arrive at CPL 3.",
        seen=f"{len(ticks)} arrived; EFLAGS in ring 3 is {flags or 0:#x}.",
        cause="IF is clear in ring 3, and ring 3 itself may not set it.",
        hint="Put EFLAGS_FIXED | EFLAGS_IF into the EFLAGS slot of the frame.",
        read='SDM 3A "Masking Maskable Hardware Interrupts" (6.8.1)',
    )
    case.fact("ticks", len(ticks))


@check("ring3-privileged", boots=(run_boot,), needs=("ring3-enter",))
def test_privileged(case: Case) -> None:
    """in, out, cli, hlt, mov cr3 and lgdt each fault with #GP(0) at CPL 3, at exactly
    the probe's instruction."""
    evidence = case.run(run_boot)
    for start, (at, text) in PRIVILEGED.items():
        pc = label(evidence, at)
        case.expect(
            len(trace.faults_at(evidence.events, pc)) == 1,
            expected=f"“{text}” at {pc:#x} faults with #GP, error code 0, at CPL 3.",
            seen=after(evidence, start, pc),
            cause="The instruction was let through, or was not executed by ring 3. "
            "cli, in and out are let through if IOPL in EFLAGS is 3; in and out also if "
            "the I/O bitmap of the TSS opens the port.",
            hint="Build EFLAGS from EFLAGS_FIXED and EFLAGS_IF alone.",
            read='SDM 1 "I/O Privilege Level" (19.5.1)',
        )
    case.fact("refused", sorted(PRIVILEGED))


def after(evidence: Evidence, start: str, pc: int) -> str:
    """What the CPU recorded at or behind an address of the probe."""
    code = evidence.notes["code"]
    for event in support.interrupts(evidence):
        if event.cpl == 3 and pc <= event.pc < code + support.PAGE:
            return f"The CPU recorded {support.show(event)}, IOPL {event.regs.iopl}."
    return f"No fault was recorded at or behind {start}."


@check("ring3-ports", boots=(ports_boot,), needs=("ring3-enter",))
def test_ports(case: Case) -> None:
    """All 65,536 ports are closed to ring 3: each read of a sweep faults."""
    evidence = case.run(ports_boot)
    sweep = trace.sweep(evidence.run.trace, label(evidence, "port"))
    opened = sorted(set(range(65536)) - sweep.ports)
    case.expect(
        not opened and sweep.faults == 65536,
        expected="65,536 reads, 65,536 times #GP(0) at CPL 3.",
        seen=f"{len(opened)} ports are open, the first {opened[0]:#x}."
        if opened
        else f"{sweep.faults} faults were recorded.",
        cause="IOPL is 3, or the I/O bitmap of the TSS lies within its limit.",
        hint="IOPL 0 in the frame; iomap_base of the TSS at or behind its end.",
        read='SDM 1 "I/O Permission Bit Map" (19.5.2)',
    )
    case.fact("faults", sweep.faults)


@check("ring3-kernel-page", boots=(run_boot,), needs=("ring3-enter",))
def test_kernel_page(case: Case) -> None:
    """Reading and writing a kernel page from ring 3 faults, with the user and present
    bits in the error code."""
    evidence = case.run(run_boot)
    for start, error in KERNEL_PAGE.items():
        pc = label(evidence, start.removeprefix("try_") + "_at")
        event = support.user_fault(evidence.events, pc, 14, error)
        kernel = evidence.notes["kernel"]
        case.expect(
            event is not None and event.cr2 == kernel,
            expected=f"#PF with error code {error:#x} and CR2 {kernel:#x} at {pc:#x}.",
            seen=after(evidence, start, pc),
            cause="The kernel's page is accessible to ring 3, or not mapped any more.",
            hint="user_map must leave every entry of the kernel's pages as it is.",
            read=READ_PAGES,
        )
    case.fact("kernel_page", sorted(KERNEL_PAGE.items()))


@check("ring3-return", boots=(run_boot,), needs=("ring3-enter",))
def test_return(case: Case) -> None:
    """ring3_run returns the vector of the fault, keeps the caller's registers and stack,
    and the kernel goes on to the next run."""
    evidence = case.run(run_boot)
    starts = evidence.notes["starts"]
    outcomes = support.array(evidence, "scenario_outcomes", "II", len(starts))
    taken = [e for e in support.interrupts(evidence) if e.cpl == 3 and e.fault]
    for number, (start, (vector, kept)) in enumerate(zip(starts, outcomes)):
        want = taken[number].v if number < len(taken) else None
        case.expect(
            vector == want,
            expected=f"ring3_run returns {want} for the run that starts at {start}.",
            seen=f"It returned {vector}.",
            cause="The result is not the vector with which ring3_return was called.",
            hint="The result belongs in the register that C expects it in.",
            read="kernel/include/course/04-ring3.h",
        )
        case.expect(
            kept,
            expected="The caller finds its registers and its stack as they were.",
            seen="A register that C relies on, or a word of the live stack, changed.",
            cause="Not every callee-saved register is restored, or the kernel stack set "
            "for the trap overwrites the frames of the callers.",
            hint="Save ebp, ebx, esi, edi; set the kernel stack below what is live.",
            read="kernel/include/course/04-ring3.h",
        )
    case.fact("vectors", [vector for vector, _ in outcomes])


@check("ring3-grub", boots=(grub_boot,), needs=("ring3-enter",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, the kernel reaches ring 3 and comes back as well."""
    evidence = case.run(grub_boot)
    event = support.user_fault(evidence.events, label(evidence, "first"), 6)
    refused = trace.faults_at(evidence.events, label(evidence, "cli_at"))
    case.expect(
        event is not None and len(refused) == 1,
        expected="#UD at the first instruction and #GP at cli, both at CPL 3.",
        seen=f"First: {support.show(event)}; {len(refused)} faults at cli.",
        cause="Something that GRUB leaves otherwise than QEMU's loader matters.",
        hint="Do not rely on registers, segments or memory that you did not set.",
    )
