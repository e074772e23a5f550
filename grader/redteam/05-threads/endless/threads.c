/* SPDX-License-Identifier: MIT */
/* For ever. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    (void)function;
    (void)argument;
    TASK_OPEN("5.2");
}

struct thread *thread_create_user(uintptr_t entry)
{
    (void)entry;
    TASK_OPEN("5.2");
}

void thread_init(void)
{
    for (;;) {
        cpu_pause();
    }
}

struct thread *thread_current(void)
{
    TASK_OPEN("5.3");
}

void thread_yield(void)
{
    TASK_OPEN("5.3");
}

void thread_block(void)
{
    TASK_OPEN("5.3");
}

void thread_wake(struct thread *thread)
{
    (void)thread;
    TASK_OPEN("5.3");
}

void thread_exit(void)
{
    TASK_OPEN("5.3");
}

void timer_interrupt(void)
{
    TASK_OPEN("5.4");
}
