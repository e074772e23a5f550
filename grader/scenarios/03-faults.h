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

/* What the CPU held while the hook of a fault ran. */
struct hook_state {
    uint16_t ds;
    uint16_t es;
    uint16_t fs;
    uint16_t gs;
    uintptr_t flags;
};

/* Note the CPU's state, and clear DF for the C code behind. */
void scenario_hook_state(struct hook_state *state);

/*
 * Provoke one fault: in ring 3 at target if stack is not 0, else number target of enum
 * provoke. Returns once scenario_try_end is called on the stack of the fault.
 */
void scenario_try(uintptr_t target, uintptr_t stack);
void scenario_try_end(void);

/* Push on the stack below top until the guard page is hit. Does not return. */
void scenario_overflow(uintptr_t top);

#endif
