/* SPDX-License-Identifier: MIT */
/* Processes and those who started them: spawn, wait, kill, and what there is. */
#include <abi/process.h>
#include <abi/status.h>
#include <arch/cpu.h>
#include <course/06-syscalls.h>
#include <course/11-shell.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* TASK 11.1: who calls, and what it points to */

intptr_t sys_spawn(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 11.1: copy first; nobody may change the strings meanwhile */
    TASK_OPEN("11.1");
}

/* TASK 11.1: a child that fits, an ended one if there is any */

intptr_t sys_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 11.1: look, and let others run, until one has ended */
    TASK_OPEN("11.1");
}

void family_exit(void)
{
    /* TASK 11.2: first who has lost a parent, then who has nobody left */
    TASK_OPEN("11.2");
}

intptr_t sys_kill(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 11.3: the others end at their next point, this one here */
    TASK_OPEN("11.3");
}

void kill_point(void)
{
    /* TASK 11.3: whoever is here may end here */
    TASK_OPEN("11.3");
}

intptr_t sys_processes(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 11.4: a product that does not overflow, then one after another */
    TASK_OPEN("11.4");
}
