/* SPDX-License-Identifier: MIT */
/* Threads: how they come to life, whose turn it is, and how they end. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

/* TASK 5.3: the running thread, the queue of the ready ones, and so on */

/* TASK 5.2: what both kinds of thread need */

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    /* TASK 5.2: a kernel stack from which thread_switch returns into it */
    TASK_OPEN("5.2");
}

struct thread *thread_create_user(uintptr_t entry)
{
    /* TASK 5.2: the same, with a second stack, and a way to ring 3 */
    TASK_OPEN("5.2");
}

void thread_init(void)
{
    /* TASK 5.3: whoever calls becomes the idle thread */
    TASK_OPEN("5.3");
}

struct thread *thread_current(void)
{
    /* TASK 5.3: the running thread */
    TASK_OPEN("5.3");
}

void thread_yield(void)
{
    /* TASK 5.3: to the end of the queue, unless there is no other */
    TASK_OPEN("5.3");
}

void thread_block(void)
{
    /* TASK 5.3: away, and in no queue */
    TASK_OPEN("5.3");
}

void thread_wake(struct thread *thread)
{
    /* TASK 5.3: back to the queue, if it is blocked */
    TASK_OPEN("5.3");
}

void thread_exit(void)
{
    /* TASK 5.3: never again; its stack is in use until another one is */
    TASK_OPEN("5.3");
}

void timer_interrupt(void)
{
    /* TASK 5.4: end of interrupt first, then the tick, the next thread */
    TASK_OPEN("5.4");
}
