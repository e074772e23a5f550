# SPDX-License-Identifier: MIT
"""The commands `gdt`, `idt` and `tss`: the CPU's tables, read where it reads them."""

from __future__ import annotations

import gdb

from grader.evidence import decoded
from grader.evidence.descriptors import selector as in_words
from grader.evidence.portrait import Portrait
from grader.evidence.scene import MNEMONICS
from kernel.gdb.machine import Command, Now, address, look, show

_TSS_TYPES = (0x1, 0x3, 0x9, 0xB)


def _protected() -> Now:
    now = look()
    if not now.protected:
        raise gdb.GdbError(
            "The CPU is still in real mode and uses no table: `continue` to"
            " kernel_main first."
        )
    return now


class Gdt(Command):
    """gdt [SELECTOR]: the descriptors of the GDT, or one of them field by field.

    GDTR says where the table lies and where it ends: an entry beyond the limit does
    not exist for the CPU, whatever stands in memory. SELECTOR is a number or an
    expression, like $cs or SEL_UCODE."""

    name = "gdt"

    def run(self, argument: str) -> None:
        now = _protected()
        table = now.regs.gdt
        if table is None or not argument:
            show(Portrait(now.scene, now.name).gdt(now.regs))
            return
        chosen = address(argument)
        found = now.scene.descriptor(now.regs, chosen)
        if found is None:
            raise gdb.GdbError(
                f"{in_words(chosen)} names no descriptor: it is null, of the LDT, or"
                f" beyond the GDTR's limit {table.limit:#x}."
            )
        title = f"Descriptor {chosen >> 3} of the GDT, which {chosen:#06x} names"
        wide = now.scene.wide(now.regs)
        task = None
        if not found.s and found.type in _TSS_TYPES:
            task = now.scene.tss_at(now.regs, chosen)
        if task is not None:
            show(decoded.tss_descriptor(title, task, {}, wide=wide))
        else:
            show(decoded.segment(title, found, {}))


class Idt(Command):
    """idt [VECTOR]: the gates of the IDT, or one of them field by field.

    Without VECTOR equal neighbours share a line. VECTOR is a number, an expression, or
    a mnemonic: 14, 0x80, #PF."""

    name = "idt"

    def run(self, argument: str) -> None:
        now = _protected()
        table = now.regs.idt
        if table is None or not argument:
            show(Portrait(now.scene, now.name).idt(now.regs))
            return
        vector = _vector(argument)
        gate = now.scene.gate(now.regs, vector)
        if gate is None:
            raise gdb.GdbError(
                f"There is no gate {vector:#04x}: the IDT at {table.base:#x} ends with"
                f" its limit {table.limit:#x}, or cannot be read there."
            )
        title = f"Entry {vector:#04x} of the IDT"
        show(decoded.gate(title, gate, {}, wide=now.scene.wide(now.regs)))
        where = now.name(gate.offset)
        if gate.type != decoded.TASK_GATE and where:
            print(f"The handler is {where}.")


def _vector(text: str) -> int:
    asked = text.upper().lstrip("#")
    for number, name in MNEMONICS.items():
        if asked == name.split()[0].lstrip("#"):
            return number
    return address(text)


class TaskState(Command):
    """tss: the TSS that TR names: the stack for entries from ring 3, and the ports.

    esp0 (x86_64: rsp0) is where the CPU starts to push when it comes from ring 3."""

    name = "tss"

    def run(self, argument: str) -> None:
        now = _protected()
        shown = Portrait(now.scene, now.name).tss(now.regs)
        if shown is not None:
            show(shown)
            return
        task = now.regs.segments["TR"]
        if task.selector < 4:
            raise gdb.GdbError(
                "TR holds the null selector: `ltr` was not executed yet. Without a TSS"
                " the CPU knows no kernel stack, and cannot come back from ring 3."
            )
        raise gdb.GdbError(
            f"TR holds {task.selector:#06x}, but its base {task.base:#x} cannot be"
            f" read: look at the descriptor with `gdt {task.selector:#x}`."
        )


def load() -> None:
    Gdt()
    Idt()
    TaskState()
