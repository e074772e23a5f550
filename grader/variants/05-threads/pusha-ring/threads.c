/* SPDX-License-Identifier: MIT */
/* Threads whose queue is a ring of pointers. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <thread.h>

#define RING 256

/* switch.asm: lay down what thread_switch pops, with begin behind; the new sp. */
uintptr_t first_frame(uintptr_t top, void (*begin)(void));

static struct thread boot_thread;
static struct thread *running = &boot_thread;
static struct thread *ring[RING];
static unsigned put, get;
static struct thread *dead;
static unsigned ids;

static struct thread *next_ready(void)
{
    return put == get ? &boot_thread : ring[get++ % RING];
}

static void make_ready(struct thread *thread)
{
    thread->state = THREAD_READY;
    ring[put++ % RING] = thread;
}

static void bury(void)
{
    while (dead) {
        struct thread *thread = dead;

        dead = thread->next;
        kstack_free(thread->kernel_top);
        kfree(thread);
    }
}

static void run(struct thread *next)
{
    struct thread *prev = running;

    if (next == prev) {
        prev->state = THREAD_RUNNING;
        return;
    }
    running = next;
    next->state = THREAD_RUNNING;
    dispatch(prev, next);
}

static void begin(void)
{
    if (running->user_entry != 0) {
        ring3_enter(running->user_entry, running->user_stack);
    }
    cpu_sti();
    running->function(running->argument);
    thread_exit();
}

static struct thread *create(void (*function)(void *), void *argument, uintptr_t entry)
{
    uintptr_t flags = cpu_flags();
    struct thread *thread;

    cpu_cli();
    bury();
    thread = kzalloc(sizeof(struct thread));
    if (thread != NULL) {
        thread->kernel_top = kstack_alloc();
        thread->user_stack = entry ? user_stack_create() : 1;
        if (thread->kernel_top == 0 || thread->user_stack == 0) {
            if (thread->kernel_top != 0) {
                kstack_free(thread->kernel_top);
            }
            kfree(thread);
            thread = NULL;
        } else {
            thread->id = ++ids;
            thread->function = function;
            thread->argument = argument;
            thread->user_entry = entry;
            thread->sp = first_frame(thread->kernel_top, begin);
            make_ready(thread);
        }
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return thread;
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    return create(function, argument, 0);
}

struct thread *thread_create_user(uintptr_t entry)
{
    return create(NULL, NULL, entry);
}

void thread_init(void)
{
    boot_thread.state = THREAD_RUNNING;
}

struct thread *thread_current(void)
{
    return running;
}

void thread_yield(void)
{
    uintptr_t flags = cpu_flags();

    cpu_cli();
    if (running != &boot_thread) {
        make_ready(running);
    }
    run(next_ready());
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_block(void)
{
    uintptr_t flags = cpu_flags();

    cpu_cli();
    running->state = THREAD_BLOCKED;
    run(next_ready());
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_wake(struct thread *thread)
{
    uintptr_t flags = cpu_flags();

    cpu_cli();
    if (thread->state == THREAD_BLOCKED) {
        make_ready(thread);
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_exit(void)
{
    cpu_cli();
    running->state = THREAD_ENDED;
    running->next = dead;
    dead = running;
    for (;;) {
        run(next_ready());
    }
}

void timer_interrupt(void)
{
    tick_dispatch();
    thread_yield();
}
