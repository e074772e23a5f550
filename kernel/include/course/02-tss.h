/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 02-tss: where the CPU finds the kernel stack, and the ports closed.
 * Source: SDM 3A "Task-State Segment (TSS)" (7.2.1), "TSS Descriptor" (7.2.2),
 * "Task Register" (7.2.4), SDM 1 "I/O Permission Bit Map" (19.5.2).
 */
#ifndef COURSE_02_TSS_H
#define COURSE_02_TSS_H

#include <arch/segment.h>
#include <arch/tss.h>

/*
 * Task 2.1. The descriptor of an available TSS with DPL 0: base is its linear address,
 * limit its last valid offset in bytes, at most 0xfffff. Writes TSS_DESC_SLOTS words of
 * 8 bytes to slot, the lowest first (i386: one; x86_64: two, as the base has 64 bits).
 * Context: any.
 */
void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS]);

/*
 * Task 2.2. Prepare the TSS: the segment of the kernel stack where there is one, no I/O
 * bitmap within the limit, and everything else zero; write its descriptor to
 * GDT_INDEX_TSS, and make the GDTR cover it. Does not load TR. Context: interrupts off.
 */
void tss_init(void);

/*
 * Task 2.3, in NASM. Load TR with this selector. The descriptor becomes busy; loading a
 * busy one faults. Context: interrupts off.
 */
void tss_load(uint16_t selector);

/*
 * Task 2.4. From now on the CPU starts at top (esp0, rsp0) when it comes from ring 3.
 * top: one past the highest byte of a kernel stack, word-aligned (x86_64: 16-aligned,
 * as the CPU rounds it down to that). Context: interrupts off.
 */
void tss_set_kernel_stack(uintptr_t top);

#endif
