/* SPDX-License-Identifier: MIT */
/* The areas of a process: which there are, and what happens when one is touched. */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <course/10-memory.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

/* TASK 10.1: a list in the order of addresses */

int memory_start(struct process *process, uintptr_t heap_start)
{
    /* TASK 10.1: the stack's area, and a heap of no bytes */
    TASK_OPEN("10.1");
}

int area_add(struct process *process, uintptr_t start, uintptr_t end, unsigned rights)
{
    /* TASK 10.1: only the area below and the one above can be in the way */
    TASK_OPEN("10.1");
}

const struct area *area_find(const struct process *process, uintptr_t va)
{
    /* TASK 10.1: start is in it, end is not */
    TASK_OPEN("10.1");
}

const struct area *area_after(const struct process *process, uintptr_t va)
{
    /* TASK 10.1: the first that does not start before va */
    TASK_OPEN("10.1");
}

bool area_fault(struct trap_frame *frame)
{
    /* TASK 10.2: look before anything is changed */
    TASK_OPEN("10.2");
}

void memory_end(struct process *process)
{
    /* TASK 10.1: the areas, then what holds them */
    TASK_OPEN("10.1");
}
