/* SPDX-License-Identifier: MIT */
/* Processes: their arguments, how they start, and what is left when they end. */
#include <abi/status.h>
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/09-programs.h>
#include <memory.h>
#include <paging.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* TASK 9.3: a page that is filled from below by pointers, then by texts */

int arguments_put(uintptr_t root_pa, const char *name, const char *words)
{
    /* TASK 9.3: a page of the space, filled at its physical address */
    TASK_OPEN("9.3");
}

/* TASK 9.4: the list of all, by pid */

int process_start(const char *name, const char *words)
{
    /* TASK 9.4: all of it, or nothing */
    TASK_OPEN("9.4");
}

struct process *process_find(int pid)
{
    /* TASK 9.4: through the list */
    TASK_OPEN("9.4");
}

struct process *process_after(int pid)
{
    /* TASK 9.4: the list is in the order of the pids */
    TASK_OPEN("9.4");
}

void process_forget(struct process *process)
{
    /* TASK 9.4: out of the list, if it has ended */
    TASK_OPEN("9.4");
}

void process_exit(struct thread *thread, intptr_t status)
{
    /* TASK 9.4: note it for whoever asks */
    TASK_OPEN("9.4");
}

void process_fault(struct trap_frame *frame)
{
    /* TASK 9.4: ring 3's faults end a process, the kernel's are its own */
    TASK_OPEN("9.4");
}
