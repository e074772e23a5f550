/* SPDX-License-Identifier: MIT */
/* What stands in a gap of user code that is not filled yet. */
#ifndef TASK_H
#define TASK_H

/* An invalid instruction and a text behind it, which tell the kernel what is open. */
#define TASK_OPEN(id)                                                                  \
    do {                                                                               \
        __asm__ volatile("ud2\n\t.asciz \"[task open]" id "\"\n\t.skip 8");            \
        __builtin_unreachable();                                                       \
    } while (0)

#endif
