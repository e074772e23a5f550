/* SPDX-License-Identifier: MIT */
/* What the core does for processes: hooks at the start and at the end of each. */
#ifndef PROCESS_H
#define PROCESS_H

#include <course/09-programs.h>
#include <init.h>

struct process_hook {
    int (*start)(struct process *process, const void *image, size_t bytes);
    void (*end)(struct process *process);
};

/*
 * Run start_fn when the program of a new process is loaded and before it runs, in
 * ascending order, and end_fn when that process ends. A result of start_fn that is not
 * E_OK lets the start fail with it; then end_fn is called for the hooks before it.
 * Context: interrupts off.
 */
#define PROCESS_HOOK(number, start_fn, end_fn)                                         \
    TABLE_ENTRY("process." #number)                                                    \
    static const struct process_hook process_hook_##start_fn = {.start = (start_fn),   \
                                                                .end = (end_fn)}

#endif
