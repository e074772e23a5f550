/* SPDX-License-Identifier: MIT */
/* Between demo.c and its assembly part: a program for ring 3, to be copied there. */
#ifndef RING3_DEMO_H
#define RING3_DEMO_H

#include <types.h>

/* The program's first byte, and one past its last. */
extern const char demo_user_start[];
extern const char demo_user_end[];

/* Its entries: reads the keyboard's port; switches interrupts off; reads the kernel. */
extern const char demo_user_port[];
extern const char demo_user_cli[];
extern const char demo_user_kernel[];

/* What demo_user_port pushes before it faults: the lowest word is the last pushed. */
struct demo_seen {
    uintptr_t flags;
    uintptr_t ss;
    uintptr_t cs;
};

#endif
