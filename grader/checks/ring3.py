# SPDX-License-Identifier: MIT
"""What the checks of 04-ring3 share: boots, the probe's labels, how runs ended."""

from __future__ import annotations

import dataclasses
import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.checks import support
from grader.checks.api import BootSpec, Case, CheckFailed, Plan, boot
from grader.checks.arch import arch_of
from grader.checks.record import Evidence, unexpected_end
from grader.evidence import trace
from grader.evidence.trace import Event, Interrupt
from grader.machine import Boot, End, Module, Via

READ_PAGES = 'SDM 3A "Access Rights" (4.6)'
READ_IRET = 'SDM 2A "IRET/IRETD/IRETQ—Interrupt Return"'
READ_FRAME = 'SDM 3A "Exception- or Interrupt-Handler Procedures" (6.12.1)'
READ_TSS = 'SDM 3A "Task-State Segment (TSS)" (7.2.1)'
HEADER = "kernel/include/course/04-ring3.h"

NO_PROBE = 0xFFFFFFFF
WRITE = 1
MARKS = 8
DEBUG = 1  # the vector of #DB
TABLE_PAGES = 1024  # at least what one page table maps
# Where the caller of ring3_run goes on, and where it shows a word of its stack.
BACK, WORD = "scenario_marked_back", "scenario_marked_word"
PORT_STEP = 32  # of the ports, so many bits of a bitmap, one is read

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


def marks_module(plan: Plan) -> Module:
    """What the caller of ring3_run holds in its registers and on its stack."""
    rng = plan.rng("marks")
    top = 1 << 8 * support.word_bytes(plan.arch)
    marks = plan.note("marks", [rng.randrange(1, top) for _ in range(MARKS)])
    return Module("marks", struct.pack(f"<{MARKS}Q", *marks))


def planned(
    plan: Plan,
    scenario: str,
    starts: list[str],
    ports: range = range(0),
    **fields: Any,
) -> Boot:
    """Code and stack at seeded pages, and runs that start at these labels.

    ports: what the probe reads, if it is the one that reads ports.
    """
    rng = plan.rng()
    values = support.of(plan)
    code, stack = support.user_pages(rng, plan, 2)
    kernel = rng.randrange(values["FRAME_POOL_BASE"], values["IDENTITY_END"], 4)
    probe = plan.probe(
        "ports" if ports else "privileged",
        PAD=rng.randrange(1, 1200),
        KERNEL=plan.note("kernel", kernel),
        PORT=rng.choice((0x21, 0x60, 0x3F8, 0x80, 0xF4)),
        TURNS=100_000,
        FIRST=ports.start,
        STEP=ports.step,
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
        marks_module(plan),
    )
    return plan.boot(scenario, modules=modules, **fields)


@boot("map")
def map_boot(plan: Plan) -> Boot:
    rng = plan.rng()
    values = support.of(plan)
    step, word_end = support.PAGE, 1 << 8 * support.word_bytes(plan.arch)
    last, first, *others = support.user_pages(rng, plan, 7, apart=TABLE_PAGES)
    first &= -8 * step
    trio = [first, first + step, first + 2 * step]  # these share every table
    good = {va: rng.randrange(2) for va in (*others, values["USER_BASE"])}
    good[values["USER_END"] - step] = WRITE
    bad = {
        first + 3 * step + rng.randrange(1, step): "it is not page-aligned",
        rng.randrange(0x200, 0x4000) * step: "it is the kernel's",
        values["KSTACK_BASE"]: "it is the kernel's: a guard page, absent on purpose",
        values["USER_BASE"] - step: "it is the last page below the user's",
        0: "it is page 0, which stays absent so that null pointers fault",
        values["USER_END"]: "it is the first address behind the user's",
        word_end - step * rng.randrange(2, 1 << 17): "it lies behind the user's",
    }
    asked = [(va, flags, "") for va, flags in good.items()]
    asked += [(va, WRITE, why) for va, why in bad.items()]
    rng.shuffle(asked)
    # In this order: the table's own rights must not follow those of one page.
    chain = [(va, int(va == trio[1]), "") for va in trio]
    chain.append((rng.choice(trio), 0, "it is mapped already"))
    places = sorted(rng.randrange(len(asked) + 1) for _ in chain)
    for place, request in zip(reversed(places), reversed(chain)):
        asked.insert(place, request)
    plan.note("asked", asked)
    pages = [(va, flags, NO_PROBE) for va, flags, _ in asked]
    return plan.boot(
        "ring3-map",
        *support.hexadecimal(last=last),
        modules=(pages_module(pages), Module("probe", b"\0")),
    )


@boot("run")
def run_boot(plan: Plan) -> Boot:
    starts = [*PRIVILEGED, *KERNEL_PAGE]
    plan.rng("order").shuffle(starts)
    return traced(plan, planned(plan, "ring3-run", ["first", *starts]))


@boot("idle")
def idle_boot(plan: Plan) -> Boot:
    return traced(plan, planned(plan, "ring3-idle", ["first"]))


def traced(plan: Plan, planned_boot: Boot) -> Boot:
    """The same boot with every block recorded, and the registers before it, that runs
    on the code page or where the caller of ring3_run goes on."""
    code = plan.notes["code"]
    places = [plan.symbols.find(name) or 0 for name in (BACK, WORD)]
    return dataclasses.replace(
        planned_boot,
        trace=("int", "cpu_reset", "exec", "in_asm", "cpu"),
        trace_ranges=(
            (code, code + support.PAGE - 1),
            *((place, place) for place in places),
        ),
    )


@boot("timer")
def timer_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-timer", ["spin"], icount_shift=6)


@boot("ports")
def ports_boot(plan: Plan) -> Boot:
    sweep = planned(plan, "ring3-ports", ["entry"], support.ports(plan, PORT_STEP))
    code = plan.notes["code"]
    return dataclasses.replace(
        sweep,
        trace=("int", "cpu_reset", "in_asm"),
        trace_ranges=((code, code + support.PAGE - 1),),
    )


@boot("grub", disc=True)
def grub_boot(plan: Plan) -> Boot:
    return planned(plan, "ring3-run", ["first", "try_hlt"], via=Via.GRUB)


def code_records(path: Path) -> list[Event]:
    """The in_asm records of a log that is too long to be parsed in whole."""
    found: list[Event] = []
    with path.open("rb") as file, mmap.mmap(
        file.fileno(), 0, prot=mmap.PROT_READ
    ) as log:
        at = log.find(b"\nIN: ")
        while at >= 0:
            end = log.find(b"\n\n", at)
            found += trace.parse(log[at + 1 : end + 1])
            at = log.find(b"\nIN: ", end)
    return found


def expect_own_code(case: Case, evidence: Evidence, records: list[Event]) -> None:
    """What the CPU was given on the code page is the probe, byte for byte.

    records: events with the in_asm records of the boot.
    """
    code = evidence.notes["code"]
    probe = evidence.notes["probe"].data.ljust(support.PAGE, b"\0")
    ran = trace.translated(records, code, code + support.PAGE)
    other = [at for at, byte in sorted(ran.items()) if probe[at - code] != byte]
    case.expect(
        not other,
        expected="The CPU executes the program that the page was filled with.",
        seen=f"At {other[0]:#x} it was given the byte {ran[other[0]]:#04x}, and the "
        f"program has {probe[other[0] - code]:#04x} there."
        if other
        else "",
        cause="The program was changed, or another page stands in its place.",
        hint="The kernel only enters ring 3; what runs there is not its business.",
        read=HEADER,
    )


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
    if not any(e.cpl == 3 for e in taken):
        raise unexpected_end(evidence)
    expected = "After the fault in ring 3 the caller of ring3_run goes on."
    seen = f"The CPU recorded {support.show(taken[-1])}, and then the kernel panicked"
    if taken[-1].cpl == 0:
        raise lost_on_the_way(evidence, taken[-1], expected)
    if evidence.run.end is not End.PANIC:
        raise unexpected_end(evidence)
    if taken[-1].v == DEBUG:
        raise CheckFailed(
            expected=expected,
            seen=f"{seen}: nobody expects that vector.",
            cause=f"TF is set in {arch_of(case).flags}: a trap (#DB) comes behind each "
            "instruction of ring 3.",
            hint="Build the flags from EFLAGS_FIXED and EFLAGS_IF alone.",
            read=READ_FRAME,
        )
    raise CheckFailed(
        expected=expected,
        seen=f"{seen}: nobody had taken the fault.",
        cause="ring3_return came back to its own caller, the end hook. It has to "
        "return to the caller of ring3_run instead, on the stack that was noted there.",
        hint="ring3_run notes the stack pointer; ring3_return loads it, and its ret "
        "then is that of ring3_run.",
        read=HEADER,
    )


def lost_on_the_way(evidence: Evidence, fault: Interrupt, expected: str) -> Exception:
    """Why the kernel crashed after it had been left and entered again."""
    failed = unexpected_end(evidence)
    place = evidence.symbols.at(fault.pc)
    if isinstance(failed, CheckFailed) and (
        place is None or place.function != "ring3_enter"
    ):
        field = arch_of(evidence).stack0
        failed.expected = expected
        failed.cause = (
            "Ring 3 was left, but the way back to the caller of ring3_run took wrong "
            f"words from the stack. Either {field} lies above what ring3_run had "
            "pushed, so that the frames of the fault overwrote it, or the stack "
            "pointer that was noted is not the one behind the pushes, or the pops do "
            "not match them."
        )
        failed.hint = (
            "ring3_run pushes, then notes the stack pointer and gives that same one to "
            "tss_set_kernel_stack. ring3_return loads it, pops in reverse order, ret."
        )
        failed.read = HEADER
    return failed


@dataclass(frozen=True)
class KernelStack:
    """Where the CPU pushes the frame of a fault, and what lives on that stack.

    top: esp0 or rsp0. live: the stack pointer at the call of ring3_run. kept: the bytes
    of the registers that a C function keeps, pushed below the return address.
    """

    top: int
    live: int
    word: int
    kept: int

    @property
    def returns_at(self) -> int:
        """Where the return address of ring3_run lies."""
        return self.live - self.word

    @property
    def over_pushes(self) -> bool:
        """A frame below top covers words right below the return address."""
        return self.returns_at - self.kept < self.top <= self.returns_at


def kernel_stack(evidence: Evidence) -> KernelStack | None:
    """By the TSS at the last interrupt of ring 3; None if there was none."""
    user = [e for e in support.interrupts(evidence) if e.cpl == 3]
    tss = evidence.scene.tss(user[-1].regs) if user else None
    if tss is None:
        return None
    arch = arch_of(evidence)
    ((live,),) = support.array(evidence, "marked_sp", arch.word, 1)
    word = support.word_bytes(evidence.arch)
    return KernelStack(tss.stack0, live, word, word * len(arch.preserved))


def expect_kernel_stack(case: Case, evidence: Evidence) -> None:
    """The stack that the TSS gives the CPU is the kernel's, and overwrites nothing."""
    stack = kernel_stack(evidence)
    if stack is None:
        return
    field, top, live = arch_of(case).stack0, stack.top, stack.live
    ((foreign,),) = support.array(
        evidence, "scenario_foreign_stack", arch_of(case).word, 1
    )
    base = support.address_of(evidence, "boot_stack_guard")
    end = support.address_of(evidence, "boot_stack_top")
    for right, expected, cause, hint in (
        (
            top != 0,
            f"{field} in the TSS is the top of a kernel stack.",
            f"Nobody set {field}: on a fault in ring 3 the CPU has no stack to push "
            "to.",
            "ring3_run calls tss_set_kernel_stack before it enters ring 3.",
        ),
        (
            top <= support.of(case)["USER_BASE"],
            f"{field} in the TSS is the top of a kernel stack, closed to ring 3.",
            "The kernel handles the fault on a stack that ring 3 can read and write: "
            "it is shared with the user, who may change the kernel's return addresses.",
            "Take the kernel's own stack pointer, or kstack_alloc, never that of ring "
            "3.",
        ),
        (
            top != foreign,
            f"ring3_run sets {field}, whatever stood there before.",
            "That is what somebody else had set before ring3_run was called: the CPU "
            "pushes the frame of the fault onto a stack that may be in use.",
            "ring3_run calls tss_set_kernel_stack before it enters ring 3.",
        ),
        (
            not (base < live < top <= end),
            f"{field} lies on another stack, or below the frames that are live: those "
            f"of the callers of ring3_run begin at {live:#x}.",
            "The CPU pushes the frame of the fault over the frames of the functions "
            "that wait for ring3_run to return.",
            "The stack pointer of ring3_run itself, behind its pushes, is low enough.",
        ),
    ):
        case.expect(
            right,
            expected=expected,
            seen=f"{field} in the TSS is {top:#x}.",
            cause=cause,
            hint=hint,
            read=READ_TSS,
        )
