/* SPDX-License-Identifier: MIT */
/* Between 03-faults.c and its assembly part: faults that are meant to happen. */
#ifndef SCENARIOS_03_FAULTS_H
#define SCENARIOS_03_FAULTS_H

#include <types.h>

/* Faults of ring 0, by number. */
enum provoke {
    PROVOKE_DE,       /* a division by zero */
    PROVOKE_UD,       /* ud2 */
    PROVOKE_GP,       /* FS loaded with a selector behind the GDT */
    PROVOKE_PF_READ,  /* from scenario_absent_va */
    PROVOKE_PF_WRITE, /* to scenario_absent_va */
    PROVOKE_PF_TEXT,  /* a write to the kernel's own code */
};

/*
 * Leave a record of the CPU in its log, at scenario_record_at: in a hook it tells what
 * the entry of the fault has left in the flags and in the data segments. Clears DF for
 * the C code behind. The gate of #BP has to lead to scenario_entry_record.
 */
void scenario_record(void);
void scenario_entry_record(void);

/*
 * Read from va with marks in the registers. If that faults, and a hook repairs it, the
 * registers are recorded once more, at scenario_touch_next.
 */
void scenario_touch(uintptr_t va);

/*
 * Provoke one fault: in ring 3 at target if stack is not 0, else number target of enum
 * provoke. Returns once scenario_try_end is called on the stack of the fault.
 */
void scenario_try(uintptr_t target, uintptr_t stack);
void scenario_try_end(void);

/*
 * Push on the stack below top until the guard page is hit. Which of many pushes that is
 * depends on skip and on the time. Does not return.
 */
void scenario_overflow(uintptr_t top, uintptr_t skip);

#endif
