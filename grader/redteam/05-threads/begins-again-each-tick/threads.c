/* SPDX-License-Identifier: MIT */
/* Threads that are only ever started. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

#define MOST 16

/* switch.asm: function(argument) on another stack, for good. */
void start_on(uintptr_t top, void (*function)(void *), void *argument);

static struct thread threads[MOST];
static unsigned count, now;

static struct thread *create(void)
{
    struct thread *thread = &threads[count++ % MOST];

    thread->kernel_top = kstack_alloc();
    return thread;
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    struct thread *thread = create();

    thread->function = function;
    thread->argument = argument;
    return thread;
}

struct thread *thread_create_user(uintptr_t entry)
{
    struct thread *thread = create();

    thread->user_entry = entry;
    thread->user_stack = user_stack_create();
    return thread;
}

void thread_init(void)
{
}

struct thread *thread_current(void)
{
    return &threads[now];
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
    struct thread *thread;

    pic_eoi(0);
    tick_dispatch();
    if (count == 0) {
        return;
    }
    now = (now + 1) % count;
    thread = &threads[now];
    tss_set_kernel_stack(thread->kernel_top);
    if (thread->user_entry) {
        ring3_enter(thread->user_entry, thread->user_stack);
    }
    start_on(thread->kernel_top, thread->function, thread->argument);
}
