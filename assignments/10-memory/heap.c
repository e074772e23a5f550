/* SPDX-License-Identifier: MIT */
/* The heap of a process: an area whose end moves. */
#include <arch/cpu.h>
#include <course/10-memory.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* TASK 10.3: where pages end, and what lies beyond an end */

intptr_t sys_heap(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 10.3: compare with what is left, so that nothing overflows */
    TASK_OPEN("10.3");
}
