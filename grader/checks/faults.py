# SPDX-License-Identifier: MIT
"""What the checks of 03-faults share: boots, the faults that must come, the lines."""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Mapping

from grader.checks import support
from grader.checks.api import Case, Plan, boot
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence import explain
from grader.evidence.trace import Interrupt
from grader.machine import Boot, End, Module, Via

READ_FRAME = 'SDM 3A "Exception- or Interrupt-Handler Procedures" (6.12.1)'
READ_ERROR = 'SDM 3A "Error Code" (6.13)'
HEADER = "kernel/include/course/03-faults.h"

NAMES = {0: "#DE", 6: "#UD", 8: "#DF", 13: "#GP", 14: "#PF"}
WITH_ERROR_CODE = (8, 13, 14)
RING0 = ("de", "ud", "gp", "pf_read", "pf_write", "pf_text")  # enum provoke
RING3 = (
    "de",
    "ud",
    "gp",
    "gate",
    "gdt",
    "ldt",
    "pf_read",
    "pf_write",
    "kernel_read",
    "kernel_write",
    "kernel_jump",
)
SELECTORS = 1 << 13  # as many as a table can have
# What a hook repairs: bytes at the instruction to turn into nop, pages to map.
REPAIRED = {"de": (2, 0), "ud": (2, 0), "gp": (1, 0), "pf_read": (0, 1)}


def planned(
    plan: Plan, runs: list[tuple[str, int, int, int]], via: Via, quiet: int = 0
) -> Boot:
    """A boot that provokes these faults: label, ring, bytes to repair, page to map.

    quiet: the first so many end before fault_report is called.
    """
    rng = plan.rng()
    values = support.of(plan)
    code, stack, absent, inner = support.user_pages(rng, plan, 4)
    absent += rng.randrange(0, support.PAGE, 4)
    kernel = rng.randrange(values["FRAME_POOL_BASE"], values["IDENTITY_END"], 4)
    defines = {
        "PAD": rng.randrange(1, 2000),
        "ABSENT": absent,
        "KERNEL": kernel,
        "GDT": rng.randrange(values["GDT_SLOTS"], SELECTORS) << 3 | 3,
        "LDT": rng.randrange(SELECTORS) << 3 | 7,
    }
    probe = plan.probe("faults", **defines)
    top = stack + 16 * rng.randrange(64, 256)
    data = b"".join(
        struct.pack(
            "<QQII",
            code + probe.labels[name] if ring else RING0.index(name),
            top if ring else 0,
            repair,
            page,
        )
        for name, ring, repair, page in runs
    )
    for key, value in {
        "runs": runs,
        "quiet": quiet,
        "code": code,
        "probe": probe,
        "absent": absent,
        "kernel": kernel,
    }.items():
        plan.note(key, value)
    return plan.boot(
        "faults-run",
        *support.hexadecimal(code=code, stack=stack, absent=absent, inner=inner),
        *support.hexadecimal(quiet=quiet),
        modules=(Module("probe", probe.data), Module("runs", data)),
        via=via,
    )


@boot("faults")
def faults_boot(plan: Plan) -> Boot:
    """Every fault once for its frame alone, and once more with a report."""
    runs = [(name, 0, 0, 0) for name in RING0] + [(name, 3, 0, 0) for name in RING3]
    rng = plan.rng("order")
    quiet = rng.sample(runs, len(runs))
    reported = rng.sample(runs, len(runs))
    return planned(plan, quiet + reported, Via.DIRECT, len(quiet))


@boot("resume")
def resume_boot(plan: Plan) -> Boot:
    runs = [(name, 3, *how) for name, how in REPAIRED.items()]
    plan.rng("order").shuffle(runs)
    untraced = planned(plan, runs, Via.DIRECT, len(runs))
    code = plan.notes["code"]
    return dataclasses.replace(
        untraced,
        trace=(*untraced.trace, "exec"),
        trace_ranges=((code, code + support.PAGE - 1),),
    )


@boot("overflow")
def overflow_boot(plan: Plan) -> Boot:
    skip = plan.rng().randrange(1 << 16)
    return plan.boot("faults-overflow", *support.hexadecimal(skip=skip))


@boot("grub", disc=True)
def grub_boot(plan: Plan) -> Boot:
    runs = [("gp", 3, 0, 0), ("pf_read", 0, 0, 0)]
    return planned(plan, runs, Via.GRUB)


def entry_file(case: Case) -> str:
    """The gap file with the entries."""
    return f"{case.arch}/fault_entry.asm"


def faults(evidence: Evidence) -> list[Interrupt]:
    """Every fault that the CPU delivered; an int 0x80 that is refused counts once."""
    return [event for event in support.interrupts(evidence) if event.fault]


def expected_place(evidence: Evidence, name: str, ring: int) -> int:
    """The address of the instruction that must fault."""
    if name == "kernel_jump":
        return int(evidence.notes["kernel"])
    if ring:
        return probe_label(evidence, f"{name}_at")
    return support.address_of(evidence, f"scenario_provoke_{name}_at")


def probe_label(evidence: Evidence, name: str) -> int:
    """The address of a label of the probe."""
    return int(evidence.notes["code"] + evidence.notes["probe"].labels[name])


def framed(case: Case) -> tuple[Evidence, list[Interrupt]]:
    """The boot as far as it needs no report, and the faults that came until then."""
    evidence = case.run(faults_boot, ends=(End.DONE, End.TASK_OPEN))
    if "task 3.3 is open" not in evidence.console:
        case.run(faults_boot)
    return evidence, recorded(case, evidence, evidence.notes["quiet"])


def reported(case: Case) -> tuple[Evidence, list[Interrupt]]:
    """The boot, and the faults that were reported."""
    evidence = case.run(faults_boot)
    return evidence, recorded(case, evidence)[evidence.notes["quiet"] :]


def recorded(
    case: Case, evidence: Evidence, count: int | None = None
) -> list[Interrupt]:
    """The CPU's record of the provoked faults, one a run, each at its place.

    count: of so many runs, from the first; None: of all.
    """
    events = faults(evidence)
    runs = evidence.notes["runs"][:count]
    for number, (name, ring, _, _) in enumerate(runs):
        at = expected_place(evidence, name, ring)
        event = events[number] if number < len(events) else None
        if event is None or (event.pc, event.cpl) != (at, ring):
            expected = f"The fault “{name}” of ring {ring} at {at:#x} comes next."
            unexpected(case, evidence, event, expected)
    return events[: len(runs)]


def unexpected(
    case: Case, evidence: Evidence, event: Interrupt | None, expected: str
) -> None:
    """Fail, with the reason for a fault that should not have come."""
    if event is None:
        case.fail(
            expected=expected,
            seen="The CPU recorded no more faults.",
            cause="The way out of the fault before it led somewhere else.",
            hint="Draw the stack of your entry, word by word.",
            read=READ_FRAME,
        )
    why = explain.fault(evidence.scene, event)
    case.lay_open(lambda: why.exhibits)
    cause, hint = why.cause, why.hint
    instruction = evidence.scene.instruction(event.regs, event.pc)
    if event.cpl == 0 and instruction and instruction.mnemonic.startswith("pop"):
        cause = (
            "The word on top of the stack is not what was pushed for this pop: pushes "
            f"and pops do not match, or an argument was left. {cause}"
        )
        hint = "Every push has its pop, in reverse order; draw the stack, word by word."
    above = event.cr2 - event.sp if (event.v, event.cpl) == (14, 0) else 0
    if 0 < above < support.PAGE and not event.e & 1:
        cause = (
            "The kernel read behind the top of its stack, looking for the end of the "
            "struct trap_frame: your entry pushed fewer words than that has, so it "
            f"begins with other registers than {arch_of(case).frame[0]}. {cause}"
        )
        hint = "Compare the pushes with struct trap_frame (arch/trap.h), one by one."
    case.fail(
        expected=expected,
        seen=f"The CPU recorded {support.show(event)}. {why.seen}",
        cause=f"The fault before it led to this one. {cause}",
        hint=hint,
        read=why.read,
        source=why.source,
    )


LINE = re.compile(
    r"fault (?P<name>\S+) vector=(?P<vector>\d+) error=(?P<error>0x[0-9a-f]{8}) "
    r"cs=(?P<cs>0x[0-9a-f]{4}) rpl=(?P<rpl>[0-3]) ip=(?P<ip>0x[0-9a-f]+)(?P<rest>.*)"
)


def reports(evidence: Evidence) -> list[Mapping[str, str]]:
    """The lines of fault_report on the console, in order."""
    lines = evidence.console.splitlines()
    return [found.groupdict() for line in lines if (found := LINE.fullmatch(line))]


def page_words(event: Interrupt) -> tuple[str, str, str]:
    """What the report says of the error code of a #PF."""
    return (
        "user" if event.e & 4 else "kernel",
        "fetch" if event.e & 16 else "write" if event.e & 2 else "read",
        "present" if event.e & 1 else "absent",
    )


def rest_of(event: Interrupt, digits: int) -> str:
    """What the report adds behind ip for this fault."""
    if event.v == 14:
        return f" cr2=0x{event.cr2:0{digits}x} {' '.join(page_words(event))}"
    if event.v == 13 and event.e:
        table = "idt" if event.e & 2 else "ldt" if event.e & 4 else "gdt"
        return f" {table} index={event.e >> 3}"
    return ""


def silicon_code(event: Interrupt) -> int:
    """The error code that a real CPU gives: QEMU before 8.0 doubles the index of the
    IDT entry that refused an int in long mode, as its gates are twice as long."""
    if event.v == 13 and event.e & 2 and event.regs.long_mode:
        return {0x802: 0x402}.get(event.e, event.e)
    return event.e


def fields_of(event: Interrupt, digits: int) -> dict[str, str]:
    """The fields of the line, as the CPU's record has them; a #DF counts with 0."""
    error = 0 if event.v == 8 else event.e
    return {
        "name": NAMES[event.v],
        "vector": str(event.v),
        "error": f"{error:#010x}",
        "cs": f"{event.cs:#06x}",
        "rpl": str(event.cs & 3),
        "ip": f"0x{event.ip:0{digits}x}",
    }


def line_of(event: Interrupt, digits: int) -> str:
    """The whole line that the contract asks for."""
    name, *others = fields_of(event, digits).items()
    words = " ".join(f"{key}={value}" for key, value in others)
    return f"fault {name[1]} {words}{rest_of(event, digits)}"


def digits_of(case: Case) -> int:
    """Hexadecimal digits of an address."""
    return 2 * support.word_bytes(case.arch)


def paired(
    case: Case, evidence: Evidence, events: list[Interrupt]
) -> list[tuple[Interrupt, Mapping[str, str]]]:
    """Each fault of the CPU's record with the line that was printed for it."""
    lines = reports(evidence)
    words = evidence.console.splitlines()
    near = [w for w in words if re.match(r"\s*fault\b|.*vector=", w)]
    merged = any(w.count("vector=") > 1 for w in near)
    near = [w[:120] for w in near if merged or not LINE.fullmatch(w)]
    said = f" The nearest other line is “{near[0]}”." if near else ""
    first = line_of(events[0], digits_of(case)) if events else ""
    count = "1 line has" if len(lines) == 1 else f"{len(lines)} lines have"
    case.expect(
        len(lines) == len(events),
        expected=f"{len(events)} lines in the form of the contract, one a fault; the "
        f"first is “{first}”.",
        seen=f"{count} that form.{said}",
        cause=form_cause(near, merged, too_many=len(lines) > len(events)),
        hint="Compare with the examples in the contract, blank by blank: 0x%08x prints "
        "eight digits, 0x%04x four; one \\n, at the end.",
        read=HEADER,
    )
    return list(zip(events, lines))


def form_cause(near: list[str], merged: bool, too_many: bool) -> str:
    """Why the lines are not those that the contract asks for."""
    if merged:
        return "Several reports stand on one line: it has no end."
    if too_many:
        return (
            "There are more lines than faults: something else prints such lines, or "
            "calls fault_report besides fault_dispatch."
        )
    if near:
        return "The line has another form: a word, a blank, or the number of digits."
    return "fault_report was not called, or prints no line."


CAUSES = {
    "name": "The name does not go with the vector.",
    "vector": "The vector is not the one that the entry pushed.",
    "error": "The error code is not the one in the frame.",
    "cs": "CS must be that of the code that faulted, from the frame.",
    "rpl": "The RPL is the low two bits of the CS in the frame. The CS of the handler "
    "itself always says 0.",
    "ip": "The address is not the instruction's. It stands in the frame.",
}


def cut(have: int, want: int) -> bool:
    """Only the low 32 bits are left of an address that has more."""
    return have != want and have == want & 0xFFFFFFFF


def expect_fields(case: Case, event: Interrupt, line: Mapping[str, str]) -> None:
    """The line up to ip agrees with the CPU's record."""
    digits = digits_of(case)
    for field, want in fields_of(event, digits).items():
        have = line[field]
        cause = CAUSES[field]
        if field == "ip" and cut(int(have, 16), event.ip):
            cause = (
                f"The report shows only the low 32 bits: {arch_of(case).ip} has "
                f"{4 * digits} bits, an unsigned int has not."
            )
        elif field == "ip" and len(have) != len(want) and int(have, 16) == event.ip:
            cause = (
                f"The number of digits is wrong: {arch_of(case).ip} has {4 * digits} "
                f"bits, so {digits} digits. An address behind 32 bits would be cut."
            )
        elif field == "error" and event.v == 8:
            cause = (
                "The error code of #DF is always 0; a frame that nobody cleared holds "
                "whatever lay there."
            )
        elif field == "ip" and event.v == 14 and int(have, 16) == event.cr2:
            cause = (
                "The report shows CR2, which is the address that was accessed, and not "
                "the address of the instruction."
            )
        case.expect(
            have == want,
            expected=f"For {support.show(event)} the report says {field} {want}.",
            seen=f"It says {have}.",
            cause=cause,
            hint="Take each field from the struct trap_frame that you are given.",
            read=HEADER,
            source="faults.c",
        )
