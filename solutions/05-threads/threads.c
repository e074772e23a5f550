/* SPDX-License-Identifier: MIT */
/* Threads: how they come to life, whose turn it is, and how they end. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

/* BEGIN SOLUTION 5.3: the running thread, the queue of the ready ones, and so on */
static struct thread idle;
static struct thread *current;
static struct thread *first;
static struct thread *last;
static struct thread *ended; /* its stack was still in use when it ended */
static unsigned next_id = 1;

static uintptr_t interrupts_off(void)
{
    const uintptr_t flags = cpu_flags();

    cpu_cli();
    return flags;
}

static void interrupts_restore(uintptr_t flags)
{
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

static void enqueue(struct thread *thread)
{
    thread->state = THREAD_READY;
    thread->next = NULL;
    if (last) {
        last->next = thread;
    } else {
        first = thread;
    }
    last = thread;
}

static struct thread *dequeue(void)
{
    struct thread *thread = first;

    if (!thread) {
        return &idle;
    }
    first = thread->next;
    if (!first) {
        last = NULL;
    }
    return thread;
}

/* Free what a thread could not free itself, now that another stack is in use. */
static void reap(void)
{
    if (ended) {
        kstack_free(ended->kernel_top);
        kfree(ended);
        ended = NULL;
    }
}

/* The next thread's turn; the caller has seen to its own state. Interrupts off. */
static void switch_away(void)
{
    struct thread *prev = current;

    current = dequeue();
    current->state = THREAD_RUNNING;
    if (current != prev) {
        dispatch(prev, current);
        reap();
    }
}

/* Where a new thread comes out of its first switch. Interrupts off. */
static void begin(void)
{
    reap();
    if (current->user_entry) {
        ring3_enter(current->user_entry, current->user_stack);
    }
    cpu_sti();
    current->function(current->argument);
    thread_exit();
}
/* END SOLUTION 5.3 */

/* BEGIN SOLUTION 5.2: what both kinds of thread need */
static struct thread *create(void)
{
    struct thread *thread = kzalloc(sizeof(*thread));
    uintptr_t *stack;

    if (!thread) {
        return NULL;
    }
    thread->kernel_top = kstack_alloc();
    if (!thread->kernel_top) {
        kfree(thread);
        return NULL;
    }
    stack = (uintptr_t *)thread->kernel_top;
    *--stack = 0; /* begin has no caller */
    *--stack = (uintptr_t)begin;
    stack -= PRESERVED_REGISTERS; /* what thread_switch pops */
    for (unsigned i = 0; i < PRESERVED_REGISTERS; i++) {
        stack[i] = 0;
    }
    thread->sp = (uintptr_t)stack;
    thread->id = next_id++;
    return thread;
}
/* END SOLUTION 5.2 */

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    /* BEGIN SOLUTION 5.2: a kernel stack from which thread_switch returns into it */
    const uintptr_t flags = interrupts_off();
    struct thread *thread = create();

    if (thread) {
        thread->function = function;
        thread->argument = argument;
        enqueue(thread);
    }
    interrupts_restore(flags);
    return thread;
    /* END SOLUTION 5.2 */
}

struct thread *thread_create_user(uintptr_t entry)
{
    /* BEGIN SOLUTION 5.2: the same, with a second stack, and a way to ring 3 */
    const uintptr_t flags = interrupts_off();
    struct thread *thread = create();

    if (thread) {
        thread->user_entry = entry;
        thread->user_stack = user_stack_create();
        if (thread->user_stack) {
            enqueue(thread);
        } else {
            kstack_free(thread->kernel_top);
            kfree(thread);
            thread = NULL;
        }
    }
    interrupts_restore(flags);
    return thread;
    /* END SOLUTION 5.2 */
}

void thread_init(void)
{
    /* BEGIN SOLUTION 5.3: whoever calls becomes the idle thread */
    idle.state = THREAD_RUNNING;
    current = &idle;
    /* END SOLUTION 5.3 */
}

struct thread *thread_current(void)
{
    /* BEGIN SOLUTION 5.3: the running thread */
    return current;
    /* END SOLUTION 5.3 */
}

void thread_yield(void)
{
    /* BEGIN SOLUTION 5.3: to the end of the queue, unless there is no other */
    const uintptr_t flags = interrupts_off();

    if (first) {
        if (current != &idle) {
            enqueue(current);
        } else {
            idle.state = THREAD_READY;
        }
        switch_away();
    }
    interrupts_restore(flags);
    /* END SOLUTION 5.3 */
}

void thread_block(void)
{
    /* BEGIN SOLUTION 5.3: away, and in no queue */
    const uintptr_t flags = interrupts_off();

    current->state = THREAD_BLOCKED;
    switch_away();
    interrupts_restore(flags);
    /* END SOLUTION 5.3 */
}

void thread_wake(struct thread *thread)
{
    /* BEGIN SOLUTION 5.3: back to the queue, if it is blocked */
    const uintptr_t flags = interrupts_off();

    if (thread->state == THREAD_BLOCKED) {
        enqueue(thread);
    }
    interrupts_restore(flags);
    /* END SOLUTION 5.3 */
}

void thread_exit(void)
{
    /* BEGIN SOLUTION 5.3: never again; its stack is in use until another one is */
    cpu_cli();
    current->state = THREAD_ENDED;
    ended = current;
    switch_away();
    __builtin_unreachable();
    /* END SOLUTION 5.3 */
}

void timer_interrupt(void)
{
    /* BEGIN SOLUTION 5.4: end of interrupt first, then the tick, the next thread */
    pic_eoi(0);
    tick_dispatch();
    thread_yield();
    /* END SOLUTION 5.4 */
}
