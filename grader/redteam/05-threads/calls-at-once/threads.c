/* SPDX-License-Identifier: MIT */
/* Functions that are called. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

static struct thread idle, made;

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    made.id++;
    made.kernel_top = kstack_alloc();
    cpu_sti();
    function(argument);
    cpu_cli();
    kstack_free(made.kernel_top);
    return &made;
}

struct thread *thread_create_user(uintptr_t entry)
{
    ring3_enter(entry, user_stack_create());
}

void thread_init(void)
{
}

struct thread *thread_current(void)
{
    return made.id ? &made : &idle;
}

void thread_yield(void)
{
}

void thread_block(void)
{
}

void thread_wake(struct thread *thread)
{
    (void)thread;
}

void thread_exit(void)
{
    for (;;) {
    }
}

void timer_interrupt(void)
{
    pic_eoi(0);
    tick_dispatch();
}
