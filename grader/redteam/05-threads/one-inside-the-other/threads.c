/* SPDX-License-Identifier: MIT */
/* Functions called inside each other. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

#define STACKS 64

/* switch.asm: function(argument) on another stack. */
void call_on(uintptr_t top, void (*function)(void *), void *argument);

static struct thread idle, threads[STACKS], *current = &idle;
static unsigned begun, made, ids;

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    struct thread *thread;

    if (begun == made) {
        begun = made = 0;
    }
    if (made == STACKS) {
        return NULL;
    }
    thread = &threads[made];
    if (thread->kernel_top == 0) {
        const uintptr_t flags = cpu_flags();

        cpu_cli();
        thread->kernel_top = kstack_alloc();
        if (flags & EFLAGS_IF) {
            cpu_sti();
        }
    }
    if (thread->kernel_top == 0) {
        return NULL;
    }
    made++;
    thread->id = ++ids;
    thread->function = function;
    thread->argument = argument;
    return thread;
}

struct thread *thread_create_user(uintptr_t entry)
{
    (void)entry;
    return &threads[0];
}

void thread_init(void)
{
}

struct thread *thread_current(void)
{
    return current;
}

/* Whoever waits lets the next one run, above itself. */
void thread_yield(void)
{
    struct thread *before = current;
    const uintptr_t flags = cpu_flags();

    while (begun < made) {
        current = &threads[begun++];
        dispatch(before, current);
        cpu_sti();
        call_on(current->kernel_top, current->function, current->argument);
        cpu_cli();
        current = before;
        if (before != &idle) {
            break;
        }
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_block(void)
{
    thread_yield();
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
