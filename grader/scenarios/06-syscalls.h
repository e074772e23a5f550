/* SPDX-License-Identifier: MIT */
/* What 06-syscalls.c and its assembly share. */
#ifndef SCENARIOS_06_H
#define SCENARIOS_06_H

#include <types.h>

/* The state in which a call reaches C; struct of four selectors, then the flags. */
struct call_state {
    uint16_t ds;
    uint16_t es;
    uint16_t fs;
    uint16_t gs;
    uintptr_t flags;
};

/* Note it, and leave DF clear. */
void scenario_call_state(struct call_state *state);

#endif
