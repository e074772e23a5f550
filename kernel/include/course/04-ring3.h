/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 04-ring3: user pages, and the way into ring 3 and back.
 * Source: SDM 3A "Access Rights" (4.6), "Exception- or Interrupt-Handler
 * Procedures" (6.12.1), SDM 2A "IRET/IRETD/IRETQ".
 */
#ifndef COURSE_04_RING3_H
#define COURSE_04_RING3_H

#include <arch/trap.h>

/* Flags of user_map. */
#define USER_MAP_WRITE 0x1 /* ring 3 may write; without it, only read and execute */

/*
 * Task 4.1. Let ring 3 see the frame at va, in the active address space: new tables
 * come from frame_alloc. va: page-aligned, USER_BASE to below USER_END. frame_pa:
 * page-aligned; the caller sees to that. Returns E_OK, E_INVAL if va is not such an
 * address or is mapped already, E_NOMEM if no frame is left for a table; tables made so
 * far may stay. Context: interrupts off.
 */
int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags);

/*
 * Task 4.2, in NASM. Go to ring 3: the first instruction is at entry, with the stack
 * pointer stack, the user's code, stack and data segments (x86_64: DS to GS may be null
 * as well, as they mean nothing), interrupts on and IOPL 0. What the general
 * registers hold is free; 0 shows nothing of the kernel. Does not return.
 */
__attribute__((noreturn)) void ring3_enter(uintptr_t entry, uintptr_t stack);

/*
 * Task 4.3, in NASM. Run ring-3 code until it faults: notes where to come back to,
 * makes the CPU use a kernel stack that overwrites no live frame, whatever stood in the
 * TSS before, and enters ring 3. Returns the vector of the fault, once ring3_return was
 * called. Registers are preserved as the C calling convention asks. Context: interrupts
 * off, also on return; not nested.
 */
unsigned ring3_run(uintptr_t entry, uintptr_t stack);

/*
 * Task 4.3. Let the running ring3_run return vector. Called on the stack of the fault.
 * Does not return to its caller. If no ring3_run is under way, it returns at once.
 */
void ring3_return(unsigned vector);

#endif
