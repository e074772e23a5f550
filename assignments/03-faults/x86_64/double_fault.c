/* SPDX-License-Identifier: MIT */
/* #DF on a stack of its own: the CPU takes it from the interrupt stack table. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>
#include <task.h>

/* TASK 3.4: what the CPU pushes behind the error code, and who takes it */

void double_fault_init(void)
{
    /* TASK 3.4: a stack in the TSS, and an interrupt gate that asks for it */
    TASK_OPEN("3.4");
}
