/* SPDX-License-Identifier: MIT */
/* What SYS_PROCESSES says of each process. */
#ifndef ABI_PROCESS_H
#define ABI_PROCESS_H

#include <stdint.h>

#define PROCESS_NAME_BYTES 32 /* with its NUL */

enum process_state {
    PROCESS_READY = 0,   /* runs, or would if it were its turn */
    PROCESS_BLOCKED = 1, /* waits for something: a time, a child */
    PROCESS_ENDED = 2,   /* its parent has not asked how, yet */
};

struct process_info {
    int32_t pid;
    int32_t parent; /* its pid; 0: the kernel; -1: it has ended before its child */
    int32_t state;  /* enum process_state */
    char name[PROCESS_NAME_BYTES];
};

#endif
