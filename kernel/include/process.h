/* SPDX-License-Identifier: MIT */
/* What the core does for processes: hooks at the start of each. */
#ifndef PROCESS_H
#define PROCESS_H

#include <course/09-programs.h>
#include <init.h>

struct start_hook {
    int (*fn)(struct process *process, const void *image, size_t bytes);
};

/*
 * Run fn when the program of a new process is loaded and before it runs, in ascending
 * order. A result that is not E_OK lets the start fail with it. Context: interrupts
 * off.
 */
#define START_HOOK(number, function)                                                   \
    TABLE_ENTRY("start." #number)                                                      \
    static const struct start_hook start_hook_##function = {.fn = (function)}

#endif
