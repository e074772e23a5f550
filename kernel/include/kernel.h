/* SPDX-License-Identifier: MIT */
/* What the parts of the core ask of each other; nothing here is for the stages. */
#ifndef KERNEL_H
#define KERNEL_H

#include <arch/trap.h>
#include <panic.h>
#include <types.h>

/* Load an IDT in which every vector panics. */
void idt_init(void);

/* Print the registers of a frame and, for ring 0, the chain of callers. */
void trap_print(const struct trap_frame *frame);

/* Panic because of a trap that nobody takes; reason is the start of a sentence. */
NORETURN void panic_trap(const struct trap_frame *frame, const char *reason);

/* Where the kernel ends, each with its own address (halt.asm). */
NORETURN void panic_halt(void);
NORETURN void task_open_halt(void);
NORETURN void scenario_done(void);

#endif
