# SPDX-License-Identifier: MIT
"""The catalogue of known mistakes: what is wrong, how to mend it, where to read.

Texts are for a student who meets the topic for the first time. Words in braces
are filled in with what the machine showed.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Mapping

from grader.evidence import descriptors, paging, tss

KFREE_BYTE = 0x6B  # as in kernel/include/memory.h
READ_EXCEPTIONS = 'SDM 3A "Exception and Interrupt Reference" (6.15)'
READ_DOUBLE = 'SDM 3A "Interrupt 8—Double Fault Exception (#DF)" (6.15)'
READ_PRIVILEGE = 'SDM 3A "Privilege Level Checking When Accessing Data Segments" (5.5)'
READ_STACK = 'SDM 3A "Exception- or Interrupt-Handler Procedures" (6.12.1)'
READ_GATE_DPL = (
    'SDM 3A "Protection of Exception- and Interrupt-Handler Procedures" (6.12.1.2)'
)
READ_IRET = 'SDM 2A "IRET/IRETD/IRETQ—Interrupt Return"'
READ_HLT = 'SDM 2A "HLT—Halt"'
READ_RESET = 'SDM 3A "Processor State After Reset" (9.1.1)'
READ_HANDLER = 'SDM 3A "Exception Classifications" (6.5)'
READ_IF = 'SDM 3A "Masking Maskable Hardware Interrupts" (6.8.1)'
READ_SOURCES = 'SDM 3A "Sources of Interrupts" (6.3)'
READ_IOPL = 'SDM 1 "I/O Privilege Level" (19.5.1)'
READ_TR = 'SDM 3A "Task Register" (7.2.4)'
READ_DATA_LOAD = 'SDM 3A "Segment Registers" (3.4.3)'
READ_SELECTOR = 'SDM 3A "Segment Selectors" (3.4.2)'
READ_CANONICAL = 'SDM 1 "Canonical Addressing" (3.3.7.1)'
READ_CS_L = 'SDM 3A "Code Segment Descriptor in 64-bit Mode" (5.2.1)'


@dataclass(frozen=True)
class Signature:
    """One mistake. cause and hint may hold {fields}."""

    cause: str
    hint: str
    read: str


_s = Signature

SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {
        "gate-missing": _s(
            "The IDT has no gate for vector {vector}: {why}.",
            "Fill in entry {vector} of the IDT before this can happen.",
            descriptors.READ_GATE,
        ),
        "gate-decimal": _s(
            "The gate stands at vector 80 (0x50), but `int 0x80` uses vector 0x80,"
            " which is 128.",
            "Write the vector as 0x80.",
            descriptors.READ_GATE,
        ),
        "gate-dpl": _s(
            "The gate of vector {vector} has DPL {dpl}, so `int {vector}` from ring"
            " {cpl} is refused with #GP.",
            "Only gates that user code may call with `int` get DPL 3. If this is one"
            " of them, set its DPL to 3; if not, the `int` is the mistake.",
            READ_GATE_DPL,
        ),
        "gate-not-present": _s(
            "The gate of vector {vector} is filled in, but its present bit is 0.",
            "Set P (bit 7 of byte 5) in the gate.",
            descriptors.READ_GATE,
        ),
        "gate-type": _s(
            "Entry {vector} of the IDT has the type of a {kind}, which the CPU does not"
            " take there.",
            "Use an interrupt gate: type 0xE.",
            descriptors.READ_GATE,
        ),
        "idt-limit": _s(
            "Vector {vector} lies beyond the IDT: its limit is {limit}, so {held}.",
            "The limit is the size in bytes minus one; make it cover the gate.",
            descriptors.READ_GATE,
        ),
        "handler-selector": _s(
            "The gate of vector {vector} names the code segment {selector}, and the"
            " CPU refuses it.",
            "The selector in a gate must be the kernel's code segment.",
            READ_STACK,
        ),
        "iret-cs-rpl": _s(
            "The CS in the frame is {selector}: its RPL does not go with the DPL"
            " {dpl} of its descriptor.",
            "A selector for ring 3 has its low two bits set: OR it with 3.",
            READ_IRET,
        ),
        "iret-ss-rpl": _s(
            "The SS in the frame is {selector}: RPL and DPL ({dpl}) must both be the"
            " RPL of the CS in the frame, {rpl}.",
            "Put the user data selector there: the slot of the user data segment, ORed"
            " with 3; and see that its descriptor has DPL 3.",
            READ_IRET,
        ),
        "code-dpl": _s(
            "The code descriptor {selector} has DPL {dpl}; ring 3 needs DPL 3.",
            "Set DPL 3 in the descriptor of the user code segment.",
            descriptors.READ_SEGMENT,
        ),
        "segment-refused": _s(
            "The CPU refused the selector {selector}: {why}.",
            "Compare the descriptor, field by field, with what it should be.",
            descriptors.READ_SEGMENT,
        ),
        "selector-beyond": _s(
            "The CPU refused the selector {selector}: {why}.",
            "{mend}",
            READ_SELECTOR,
        ),
        "slot-empty": _s(
            "The CPU refused the selector {selector}: slot {slot} of the GDT is still"
            " empty.",
            "Fill the slot before its selector is loaded, or do not load it here: the"
            " contract says which function loads what.",
            READ_SELECTOR,
        ),
        "tss-busy": _s(
            "The CPU refused the selector {selector}: its TSS is marked busy already."
            " Either `ltr` ran twice, or the descriptor was written so.",
            "A new descriptor has type 9, available; and TR is loaded once: tss_load"
            " does that, tss_init does not.",
            READ_TR,
        ),
        "data-dpl": _s(
            "The data descriptor {selector} has DPL {dpl}, so ring {cpl} may not load"
            " it.",
            "Set DPL 3 in the descriptor of the user data segment.",
            READ_PRIVILEGE,
        ),
        "selector-ldt": _s(
            "The CPU refused the selector {selector}: bit 2 (TI) sends it to the LDT,"
            " and this kernel has none.",
            "A selector is the number of its slot times 8, plus the RPL in the two low"
            " bits; bit 2 stays 0.",
            READ_SELECTOR,
        ),
        "not-canonical": _s(
            "{who} {did} {address}, which is no address in long mode: bits 63 to 47"
            " must all be equal. The CPU says #GP or #SS with error code 0, not #PF.",
            "Find out where the address comes from: a value that was never set, the"
            " wrong width, or a stack that holds something else.",
            READ_CANONICAL,
        ),
        "iret-frame": _s(
            "The frame that `{instruction}` pops is not in order: {why}.",
            "From low to high addresses it must hold {shape}. An error code or any"
            " other word still on top shifts all of them.",
            READ_IRET,
        ),
        "iret-narrow": _s(
            "`iret` was assembled as a 32-bit `iretd`, which pops 4-byte words, but"
            " the frame holds 8-byte words.",
            "In 64-bit code write `iretq`.",
            READ_IRET,
        ),
        "if-clear": _s(
            "Ring 3 runs with interrupts off: IF is 0 in {flags}, so no timer"
            " interrupt can ever come.",
            "Set IF (0x200) in the flags word of the frame for `iret`.",
            READ_IF,
        ),
        "eoi-missing": _s(
            "Interrupt {vector} came exactly once: the interrupt controller waits for"
            " the end-of-interrupt command.",
            "Send EOI (0x20 to port 0x20) in the handler, before it switches threads.",
            READ_SOURCES,
        ),
        "pic-not-remapped": _s(
            "The timer's IRQ 0 came in at vector 0x08, which looks like a double"
            " fault: the PIC has not been remapped.",
            "Remap the PICs to vectors 0x20 to 0x2f before setting IF.",
            READ_SOURCES,
        ),
        "stack0-zero": _s(
            "{field} in the TSS is {value}: on a trap from ring 3 the CPU takes its"
            " kernel stack from there, and could not push the frame.",
            "Set {field} to the top (the highest address) of a mapped kernel stack"
            " before you enter ring 3.",
            tss.READ_TSS,
        ),
        "ss0-wrong": _s(
            "ss0 in the TSS is {value}; the CPU needs a writable data segment of DPL 0"
            " there, and refused it with #TS.",
            "Set ss0 to the kernel's data selector.",
            tss.READ_TSS,
        ),
        "no-ltr": _s(
            "TR holds no TSS (its selector is {selector}), so the CPU has no kernel"
            " stack for a trap from ring 3.",
            "Fill in the TSS descriptor, then load its selector with `ltr` before you"
            " enter ring 3.",
            READ_TR,
        ),
        "data-segments": _s(
            "In ring 3 {names} do not hold the user data selector. `iret` nulls kernel"
            " selectors; QEMU runs on, a real CPU faults at the first access.",
            "Load DS, ES, FS and GS with the user data selector before `iret`.",
            READ_DATA_LOAD,
        ),
        "iopl": _s(
            "IOPL is {iopl} in ring 3 ({flags}): `in`, `out`, `cli` and `sti` all work"
            " there.",
            "Leave the IOPL bits (12 and 13) of the flags word in the frame at 0.",
            READ_IOPL,
        ),
        "ports-open": _s(
            "The TSS opens {ports} to ring 3: its limit is {limit}, the I/O bitmap"
            " base is {base}.",
            "Put the bitmap base at or beyond the limit: base 104 (0x68) with limit"
            " 0x67 opens none.",
            tss.READ_BITMAP,
        ),
        "user-bit": _s(
            "Ring 3 {did} {address}, but the user bit is missing in {entry}.",
            "A page is open to ring 3 only if U/S is set at every level of its walk."
            " If this is a page of the kernel's, ask why ring 3 goes there.",
            paging.READ_RIGHTS,
        ),
        "page-absent": _s(
            "{who} {did} {address}, where nothing is mapped: {entry}.",
            "If the address is wrong, look at where it comes from; if it is right,"
            " map the page.",
            paging.READ_FAULT,
        ),
        "zeros": _s(
            "The CPU executes zeros, which are the instruction `add`: it ran on behind"
            " the end of a routine, or a wrong address led it there.",
            "A routine in NASM ends with ret. If yours do, find out what jumped or"
            " returned to this place.",
            READ_EXCEPTIONS,
        ),
        "kernel-missing": _s(
            "The tree in CR3 ({root}) does not hold the kernel: ring 0 cannot fetch its"
            " own next instruction.",
            "Is that a root_pa of space_create, or something else (a pointer to struct"
            " space)? If it is, its entries below USER_BASE are missing.",
            paging.READ_FAULT,
        ),
        "root-no-address": _s(
            "The kernel loads {root} into CR3, which is no physical address: it has"
            " bits beyond the 40 of this CPU.",
            "CR3 takes the physical address of the root's frame: is that a root_pa,"
            " or has the struct that it was read from been overwritten, or freed?",
            paging.READ_PAGING_64,
        ),
        "null-pointer": _s(
            "{who} {did} {address}: through a null pointer, or to a member that far"
            " behind one.",
            "Find out why the pointer is 0. Page 0 is absent on purpose: do not map"
            " it.",
            paging.READ_FAULT,
        ),
        "freed": _s(
            "{who} {did} {address}. kfree fills what it frees with the byte"
            f" {KFREE_BYTE:#x}, so this address was read from memory that had been"
            " freed.",
            "Find out what uses the object after its kfree: a list that it was not"
            " taken off, or code that frees before it has read all that it needs.",
            paging.READ_FAULT,
        ),
        "null-call": _s(
            "{caller} called a function through a pointer that is {address}.",
            "Find out why the pointer is 0: never set, or taken from another object."
            " Page 0 is absent on purpose: do not map it.",
            paging.READ_FAULT,
        ),
        "null-return": _s(
            "Ring 0 went on at {address}: `ret` found that word where the return"
            " address should be.",
            "The stack is not what the code that returned relies on: a word too many"
            " or too few, or a stack pointer that was noted too early or too late."
            " Page 0 is absent on purpose: do not map it.",
            paging.READ_FAULT,
        ),
        "page-rights": _s(
            "{who} {did} {address}, which {entry} forbids.",
            "Check the R/W, U/S and XD bits at every level of the walk.",
            paging.READ_RIGHTS,
        ),
        "stack-overflow": _s(
            "The kernel stack ran over: a push went to {address}, with the stack"
            " pointer at {sp}, and that page is not there.",
            "Look for endless recursion or a large local array, and see that the stack"
            " pointer starts at the top of the stack.",
            READ_DOUBLE,
        ),
        "stack-top": _s(
            "A word was read at {address}, where the stack ends: the stack pointer"
            " {sp} stands at its top, and nothing was pushed there.",
            "Either more is popped than was pushed, or the stack pointer was set to"
            " the top of a stack and not to where the pushes had ended.",
            READ_STACK,
        ),
        "user-l-bit": _s(
            "User code runs in compatibility mode: its code descriptor {selector} has"
            " L=0 (QEMU shows CS32 instead of CS64).",
            "For 64-bit user code set L=1 and D=0.",
            READ_CS_L,
        ),
        "privileged": _s(
            "Ring 3 executed `{instruction}`, which only ring 0 may.",
            "If this is kernel code, it was entered in ring 3 by mistake: look at the"
            " CS in the frame.",
            'SDM 3A "Privileged Instructions" (5.9)',
        ),
        "delivery": _s(
            "The CPU could not deliver {vector}.",
            "Look at its gate, the handler's code segment and the kernel stack.",
            READ_STACK,
        ),
        "interrupted": _s(
            "Ring {cpl} {did} here, which is no mistake by itself.",
            "Ask how the CPU came to be at this address, in this ring.",
            READ_SOURCES,
        ),
        "exception": _s("{fault} in ring {cpl}.", "{hint}", READ_EXCEPTIONS),
        "triple-fault": _s(
            "The machine reset itself by a triple fault: a fault while the CPU was"
            " delivering a double fault.",
            "Look at the last thing the kernel did before; a gate for vector 8 that"
            " works would stop the chain earlier.",
            READ_DOUBLE,
        ),
        "fault-loop": _s(
            "{fault} repeats for ever: the handler returns to the instruction that"
            " faulted, and it faults again.",
            "After a fault the saved address is that of the instruction itself: mend"
            " the cause, end the program, or do not return.",
            READ_HANDLER,
        ),
        "log-limit": _s(
            "There were so many exceptions and interrupts that their log was cut off,"
            " so it proves nothing.",
            "Look for a handler that returns to the faulting instruction, or for an"
            " interrupt that is never acknowledged.",
            READ_HANDLER,
        ),
        "still-running": _s(
            "The kernel was still running when the log of interrupts was full: what it"
            " waits for never comes, or a handler does not acknowledge its interrupt.",
            "Find out what is waited for here, and who would have to bring it about;"
            " and see that each handler of the PIC's sends EOI once.",
            READ_HANDLER,
        ),
        "halted": _s(
            "The CPU executed `hlt` with interrupts off, so nothing can wake it again.",
            "Either the code got to a place that it should not reach, or IF must be"
            " set (`sti`, or IF in the frame) before `hlt`.",
            READ_HLT,
        ),
        "waiting": _s(
            "The kernel sleeps in `hlt` and waits for an interrupt that never comes.",
            "See that the interrupt is unmasked in the PIC, that its device runs, and"
            " that each handler sends EOI.",
            READ_IF,
        ),
        "idle": _s(
            "The kernel waits in `hlt` for something that did not come. With threads:"
            " no thread was ready.",
            "Find out who was to bring it: to wake a thread, or to tell of its end.",
            READ_HLT,
        ),
        "busy": _s(
            "The kernel kept the CPU busy until its time was used up: an endless loop.",
            "Find out what ends the loop at this place, and why that never comes.",
            READ_EXCEPTIONS,
        ),
        "silent": _s(
            "The boot was silent: nothing at all was printed.{early} {cause}",
            "{hint} To see how far it gets, set a breakpoint on the first function"
            " (make debug) and step from there.",
            READ_EXCEPTIONS,
        ),
        "endless-output": _s(
            "The kernel printed without end: {much}.",
            "Look at the loop around the output, and at its end condition.",
            "kernel/include/console.h",
        ),
        "panic": _s(
            "The kernel panicked: {reason}.",
            "The first line names the reason; start at the function that it names.",
            "kernel/include/panic.h",
        ),
        "qemu-abort": _s(
            "The kernel brought the CPU into a state that QEMU cannot emulate.",
            "Look at the tables that the CPU was using: GDT, TSS, IDT, page tables.",
            READ_EXCEPTIONS,
        ),
        "reset": _s(
            "The kernel reset the machine without a fault: something wrote to a reset"
            " port, or jumped to the reset vector.",
            "Look for an `out` to port 0x64, 0x92 or 0xcf9.",
            READ_RESET,
        ),
        "shutdown": _s(
            "The machine was switched off before the scenario had ended.",
            "Only the grader's code ends a scenario: do not write to the exit or power"
            " ports.",
            READ_EXCEPTIONS,
        ),
        "unknown": _s(
            "The run ended in an unforeseen way ({end}).",
            "Run it again with make debug and watch where it goes.",
            READ_EXCEPTIONS,
        ),
    }
)
