/* SPDX-License-Identifier: MIT */
/* The system calls themselves. */
#include <arch/cpu.h>
#include <console.h>
#include <course/06-syscalls.h>
#include <task.h>
#include <thread.h>

intptr_t sys_write(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: check the buffer, then print it */
    TASK_OPEN("6.4");
}

intptr_t sys_read(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: check the buffer, wait for a character, take what is there */
    TASK_OPEN("6.4");
}

intptr_t sys_yield(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: let the others run */
    TASK_OPEN("6.4");
}

intptr_t sys_exit(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: the thread ends with this status */
    TASK_OPEN("6.4");
}

intptr_t sys_thread_id(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: who is running? */
    TASK_OPEN("6.4");
}

/* TASK 6.4: the milliseconds of a tick, and the list of those who sleep */

intptr_t sys_time(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: ticks to milliseconds */
    TASK_OPEN("6.4");
}

intptr_t sys_sleep(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.4: note until when, and block; no tick may come in between */
    TASK_OPEN("6.4");
}

void sleep_tick(uint64_t ticks)
{
    /* TASK 6.4: wake whose time has come, and forget them */
    TASK_OPEN("6.4");
}
