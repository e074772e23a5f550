/* SPDX-License-Identifier: MIT */
/* Names for addresses, and the chain of callers. */
#ifndef BACKTRACE_H
#define BACKTRACE_H

#include <types.h>

/* The function that holds address, and the offset in it; NULL if none is known. */
const char *symbol_lookup(uintptr_t address, uintptr_t *offset);

/*
 * Print the callers from a frame pointer on, as far as it points to a kernel stack. sp,
 * the stack pointer at ip, helps where ip is 0; 0: not known.
 */
void backtrace_print(uintptr_t ip, uintptr_t sp, uintptr_t frame_pointer);

#endif
