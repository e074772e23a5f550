/* SPDX-License-Identifier: MIT */
/* #DF as a task of its own: the CPU switches to a TSS whose stack is surely good. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>
#include <task.h>

/* TASK 3.4: the TSS of the double-fault task, and where it starts. The CPU
 * jumps there: where C looks for the return address lies the error code, so that the
 * function takes no argument and must not return. */

void double_fault_init(void)
{
    /* TASK 3.4: fill the TSS, its descriptor, a task gate that names it */
    TASK_OPEN("3.4");
}
