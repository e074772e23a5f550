/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 03-faults: entries for #DE #UD #DF #GP #PF, and a report.
 * Source: SDM 3A "Exception and Interrupt Handling" (6.12), "Error Code" (6.13),
 * "Interrupt 14" and "Interrupt 8" (6.15), "Task-Gate Descriptor" (7.2.5), "Interrupt
 * Stack Table" (6.14.5).
 */
#ifndef COURSE_03_FAULTS_H
#define COURSE_03_FAULTS_H

#include <arch/trap.h>

/*
 * Task 3.1, in NASM. Entries for the vectors: never called, but named in gates. Each
 * completes a struct trap_frame on the stack, with error 0 where the CPU pushed none,
 * loads the kernel's data segments (i386; in 64-bit mode they mean nothing), clears DF
 * and calls fault_dispatch(frame). When that returns, every register is as it was and
 * the same instruction is tried again.
 */
void fault_entry_de(void);
void fault_entry_ud(void);
void fault_entry_gp(void);
void fault_entry_pf(void);

/*
 * Task 3.2. Write the gates of the four vectors: interrupt gates, DPL 0, kernel code,
 * and no IST slot, so that a fault in a handler keeps the frames below it. Context:
 * interrupts off.
 */
void fault_init(void);

/*
 * Task 3.3. Print one line for the frame:
 *
 *   fault #GP vector=13 error=0x00000402 cs=0x001b rpl=3 ip=0x40001234 idt index=128
 *   fault #PF vector=14 error=0x00000005 cs=0x001b rpl=3 ip=0x40001234 cr2=0x00100000
 *       user read present          (on the same line)
 *
 * The words behind ip: for #GP with an error code other than 0 the table (gdt, ldt or
 * idt) and "index=" with the decimal index; for #PF "cr2=" and three words out of user
 * or kernel, read, write or fetch, present or absent. Addresses have the digits of a
 * machine word, error eight, cs four, in lower case. Context: interrupts off.
 */
void fault_report(const struct trap_frame *frame);

/*
 * Task 3.4. Make a double fault survive a broken kernel stack: its handler runs on a
 * stack of its own (i386: a task gate to a TSS in GDT_INDEX_DF_TSS; x86_64: a gate with
 * the IST slot IST_DOUBLE_FAULT of the TSS that SEL_TSS names). The handler prints the
 * line of task 3.3 for the state that was interrupted and calls double_fault_end().
 * Called after fault_init. Context: interrupts off.
 */
void double_fault_init(void);

/* Provided: where a double fault ends. Panics; does not return. */
__attribute__((noreturn)) void double_fault_end(void);

#endif
