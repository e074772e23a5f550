/* SPDX-License-Identifier: MIT */
/* The end of a kernel that cannot go on: a message, registers, a backtrace, a halt. */
#ifndef PANIC_H
#define PANIC_H

#include <types.h>

/* Print the message and a symbolised backtrace of the caller, and halt for good. */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

#define KASSERT(condition)                                                             \
    do {                                                                               \
        if (!(condition)) {                                                            \
            panic("%s:%d: %s does not hold", __FILE__, __LINE__, #condition);          \
        }                                                                              \
    } while (0)

#endif
