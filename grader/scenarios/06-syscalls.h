/* SPDX-License-Identifier: MIT */
/* What 06-syscalls.c and its assembly share. */
#ifndef SCENARIOS_06_H
#define SCENARIOS_06_H

#include <types.h>

/* Shows the thread's number and the state of the CPU to the trace; leaves DF clear. */
void scenario_served(uint32_t thread);

#endif
