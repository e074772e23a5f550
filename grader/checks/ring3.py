# SPDX-License-Identifier: MIT
"""What the checks of 04-ring3 share: boots, the probe's labels, how runs ended."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence
from typing import Any

from grader.checks import support
from grader.checks.api import BootSpec, Case, CheckFailed, Plan, boot
from grader.checks.arch import arch_of
from grader.checks.record import Evidence, unexpected_end
from grader.machine import Boot, End, Limits, Module, Via

READ_PAGES = 'SDM 3A "Protection of Pages" (4.6)'
READ_IRET = 'SDM 2A "IRET/IRETD/IRETQ—Interrupt Return"'
READ_FRAME = 'SDM 3A "Exception- and Interrupt-Handler Procedures" (6.12.1)'
READ_TSS = 'SDM 3A "Task-State Segment (TSS)" (7.2.1)'
HEADER = "kernel/include/course/04-ring3.h"

NO_PROBE = 0xFFFFFFFF
WRITE = 1
SWEEP = Limits(cpu_s=12.0, log_bytes=128 << 20)

# Where a run of the probe starts: the label of what must fault, and its text.
PRIVILEGED = {
    "try_in": ("in_at", "in al, dx"),
    "try_out": ("out_at", "out dx, al"),
    "try_cli": ("cli_at", "cli"),
    "try_hlt": ("hlt_at", "hlt"),
    "try_mov_cr3": ("mov_cr3_at", "mov to cr3"),
    "try_lgdt": ("lgdt_at", "lgdt"),
}
# The error code of the page fault.
KERNEL_PAGE = {"try_kernel_read": 0x0005, "try_kernel_write": 0x0007}


def pages_module(pages: Sequence[tuple[int, int, int]]) -> Module:
    """What user_map is asked for: address, flags, offset in the probe or NO_PROBE."""
    return Module("pages", b"".join(struct.pack("<QII", *page) for page in pages))


def runs_module(runs: list[tuple[int, int]]) -> Module:
    """Where ring3_run goes: entry and stack, one pair a run."""
    return Module("runs", b"".join(struct.pack("<QQ", *run) for run in runs))


def planned(plan: Plan, scenario: str, starts: list[str], **fields: Any) -> Boot:
    """Code and stack at seeded pages, and runs that start at these labels."""
    rng = plan.rng()
    values = support.of(plan)
    code, stack = support.user_pages(rng, plan, 2)
    kernel = rng.randrange(values["FRAME_POOL_BASE"], values["IDENTITY_END"], 4)
    probe = plan.probe(
        "ports" if "entry" in starts else "privileged",
        PAD=rng.randrange(1, 1200),
        KERNEL=plan.note("kernel", kernel),
        PORT=rng.choice((0x21, 0x60, 0x3F8, 0x80, 0xF4)),
        TURNS=100_000,
    )
    tops = [stack + 16 * rng.randrange(128, 256) for _ in starts]
    plan.note("code", code)
    plan.note("probe", probe)
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
    bad = {
        rng.choice(good): "it is mapped already",
        good[0] + 2 * support.PAGE + rng.randrange(1, 4095): "it is not page-aligned",
        rng.randrange(0x200, 0x4000) * support.PAGE: "it is the kernel's",
        values["KSTACK_BASE"]: "it is the kernel's: a guard page, absent on purpose",
        0: "it is page 0, which stays absent so that null pointers fault",
        values["USER_END"]: "it is the first address behind the user's",
    }
    plan.note("good", pages)
    plan.note("bad", bad)
    asked = pages + [(va, WRITE, NO_PROBE) for va in bad]
    return plan.boot("ring3-map", modules=(pages_module(asked), Module("probe", b"\0")))


@boot("run")
def run_boot(plan: Plan) -> Boot:
    starts = [*PRIVILEGED, *KERNEL_PAGE]
    plan.rng("order").shuffle(starts)
    return traced(plan, planned(plan, "ring3-run", ["first", *starts]))


def traced(plan: Plan, planned_boot: Boot) -> Boot:
    """The same boot with every block that runs on the code page recorded."""
    code = plan.notes["code"]
    return dataclasses.replace(
        planned_boot,
        trace=("int", "cpu_reset", "exec", "in_asm"),
        trace_ranges=((code, code + support.PAGE - 1),),
    )


@boot("idle")
def idle_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-idle", ["first"])


@boot("timer")
def timer_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-timer", ["spin"], icount_shift=6)


@boot("ports")
def ports_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-ports", ["entry"], limits=SWEEP)


@boot("grub")
def grub_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-run", ["first", "try_hlt"], via=Via.GRUB)


def label(evidence: Evidence, name: str) -> int:
    """The address of a label of the probe."""
    return int(evidence.notes["code"] + evidence.notes["probe"].labels[name])


def judged(case: Case, spec: BootSpec) -> Evidence:
    """The boot, whatever end it came to; an open task still is one."""
    evidence = case.run(spec, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(spec)
    return evidence


def finished(case: Case, spec: BootSpec) -> Evidence:
    """The boot, which must have come to its end: every run came back to the kernel."""
    evidence = judged(case, spec)
    if evidence.run.end is End.DONE:
        return evidence
    expect_kernel_stack(case, evidence)
    taken = [e for e in support.interrupts(evidence) if e.fault]
    if evidence.run.end is not End.PANIC or not taken or taken[-1].cpl != 3:
        raise unexpected_end(evidence)
    raise CheckFailed(
        expected="After the fault in ring 3 the caller of ring3_run goes on.",
        seen=f"The CPU recorded {support.show(taken[-1])}, and then the kernel "
        "panicked: nobody had taken the fault.",
        cause="ring3_return came back to its own caller, the end hook. It has to "
        "return to the caller of ring3_run instead, on the stack that was noted there.",
        hint="ring3_run notes the stack pointer; ring3_return loads it, and its ret "
        "then is that of ring3_run.",
        read=HEADER,
    )


def expect_kernel_stack(case: Case, evidence: Evidence) -> None:
    """The stack that the TSS gives the CPU is the kernel's, and overwrites nothing."""
    user = [e for e in support.interrupts(evidence) if e.cpl == 3]
    tss = evidence.scene.tss(user[-1].regs) if user else None
    if tss is None:
        return
    field = arch_of(case).stack0
    top = tss.stack0
    texts = {"seen": f"{field} in the TSS is {top:#x}.", "read": READ_TSS}
    case.expect(
        top != 0,
        expected=f"{field} in the TSS is the top of a kernel stack.",
        cause=f"Nobody set {field}: on a fault in ring 3 the CPU has no stack to push "
        "to.",
        hint="ring3_run calls tss_set_kernel_stack before it enters ring 3.",
        **texts,
    )
    case.expect(
        top <= support.of(case)["USER_BASE"],
        expected=f"{field} in the TSS is the top of a kernel stack, closed to ring 3.",
        cause="The kernel handles the fault on a stack that ring 3 can read and write: "
        "it is shared with the user, who may change the kernel's return addresses.",
        hint="Take the kernel's own stack pointer, or kstack_alloc, never that of ring "
        "3.",
        **texts,
    )
    live = support.array(evidence, "marked_sp", arch_of(case).word, 1)[0][0]
    base = support.address_of(evidence, "boot_stack_guard")
    end = support.address_of(evidence, "boot_stack_top")
    case.expect(
        not (base < live < top <= end),
        expected=f"{field} lies on another stack, or below the frames that are live: "
        f"those of the callers of ring3_run begin at {live:#x}.",
        cause="The CPU pushes the frame of the fault over the frames of the functions "
        "that wait for ring3_run to return.",
        hint="The stack pointer of ring3_run itself, behind its pushes, is low enough.",
        **texts,
    )
