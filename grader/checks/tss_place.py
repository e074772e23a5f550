# SPDX-License-Identifier: MIT
"""Where a TSS and its descriptor may lie: in memory of their author's, in the GDT."""

from __future__ import annotations

import functools
from pathlib import Path

from grader.checks import support
from grader.checks.api import Case
from grader.checks.record import Evidence

READ_GDTR = 'SDM 3A "Global Descriptor Table Register (GDTR)" (2.4.1)'
UNTOUCHED = 0x5A5A5A5A5A5A5A5A  # in grader/scenarios/02-tss.c: a word nobody wrote

OWN = (".gap.data", ".gap.bss")  # where the linker puts a submission's variables
READ_ONLY = (".text", ".rodata", ".gap.text", ".gap.rodata")


@functools.lru_cache(maxsize=None)
def _sections(elf: Path) -> list[tuple[int, int, str]]:
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        return [
            (part["sh_addr"], part["sh_addr"] + part["sh_size"], part.name)
            for part in ELFFile(file).iter_sections()
            if part["sh_addr"]
        ]


def _section(evidence: Evidence, address: int) -> str:
    """The section of the image that an address lies in, "" outside of the image."""
    for start, end, name in _sections(evidence.image.symbols):
        if start <= address < end:
            return name
    return ""


def expect_place(case: Case, evidence: Evidence, base: int, read: str) -> None:
    """The base lies in the kernel's memory, and where a student's TSS can be."""
    values = support.of(case)
    low, high = values["KERNEL_BASE"], values["IDENTITY_END"]
    if base == 0:
        cause = (
            "The base of the descriptor was never filled in: where the TSS is, only "
            "the running kernel knows."
        )
    elif low <= base & 0xFFFFFFFF < high:
        cause = (
            "The lower half of the base is right, the upper one is not: it stands in "
            "the second of the descriptor's two slots."
        )
    else:
        cause = "Part of the address is lost, or it is that of something else."
    case.expect(
        low <= base < high,
        expected="The base is the address of the TSS in the kernel's memory.",
        seen=f"It is {base:#x}.",
        cause=cause,
        hint="Pass the address of your TSS to tss_encode at run time.",
        read=read,
    )
    section = _section(evidence, base)
    stack = [
        support.address_of(evidence, f"boot_stack{end}") for end in ("_guard", "_top")
    ]
    hint = "A static variable of your own stays where it is, and so does the heap's."
    if stack[0] <= base < stack[1]:
        cause = (
            "It lies on the stack: a local variable is gone when its function returns, "
            "and the next call overwrites it."
        )
    elif section in READ_ONLY:
        cause = "Memory there is read-only: nobody could set a kernel stack in it."
        hint = "The TSS is a variable, no constant and no code."
    else:
        cause = "That is another variable of the kernel, no TSS of yours."
    case.expect(
        section in ("", *OWN),
        expected="The base is the address of a TSS that you own, in writable memory.",
        seen=f"It is {support.place(evidence, base)}.",
        cause=cause,
        hint=hint,
        read=read,
    )


def expect_table(case: Case, evidence: Evidence) -> None:
    """GDTR ends within the array gdt, and slots behind the TSS are untouched."""
    table, slots = evidence.registers.gdt, support.of(case)["GDT_SLOTS"]
    limit = table.limit if table else 0
    case.expect(
        limit < 8 * slots,
        expected=f"The limit of GDTR is at most {8 * slots - 1:#x}: the array gdt has "
        f"{slots} slots.",
        seen=f"It is {limit:#x}.",
        cause="What lies behind the array counts as descriptors then. gdt_reload takes "
        "a number of slots, neither bytes nor a limit.",
        hint="Call gdt_reload with the number of slots up to and with that of the TSS.",
        read=READ_GDTR,
    )
    array = support.array(evidence, "gdt", "Q", slots)
    behind = support.of(case)["GDT_INDEX_TSS"] + support.of(case)["TSS_DESC_SLOTS"]
    for index, (word,) in enumerate(array[behind:], behind):
        case.expect(
            word in (0, UNTOUCHED),
            expected=f"The descriptor takes slot {behind - 1} of the GDT as its last.",
            seen=f"Slot {index} was written too, with {word:#018x}.",
            cause="One word too many was copied: what lies behind the descriptor in "
            "memory is none of it.",
            hint="TSS_DESC_SLOTS words, counted from 0.",
            read=READ_GDTR,
        )
