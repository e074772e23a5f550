/* SPDX-License-Identifier: MIT */
/* Threads that the compiler itself switches. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <thread.h>

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

#ifdef __x86_64__
#define EXCHANGE                                                                       \
    "pushq %%rbp\n\t"                                                                  \
    "movq %%rsp, (%0)\n\t"                                                             \
    "movq (%1), %%rsp\n\t"                                                             \
    "cmpq %%rsp, %2\n\t"                                                               \
    "jne 1f\n\t"                                                                       \
    "pushq $0\n\t"                                                                     \
    "jmp begin\n"                                                                      \
    "1:\tpopq %%rbp"
#define KEPT "rbx", "r12", "r13", "r14", "r15", "memory", "cc"
#else
#define EXCHANGE                                                                       \
    "pushl %%ebp\n\t"                                                                  \
    "movl %%esp, (%0)\n\t"                                                             \
    "movl (%1), %%esp\n\t"                                                             \
    "cmpl %%esp, %2\n\t"                                                               \
    "jne 1f\n\t"                                                                       \
    "pushl $0\n\t"                                                                     \
    "jmp begin\n"                                                                      \
    "1:\tpopl %%ebp"
#define KEPT "ebx", "esi", "edi", "memory", "cc"
#endif

void begin(void);

/* The compiler's frame keeps the registers; a stack that is empty has never run. */
__attribute__((optimize("no-omit-frame-pointer"))) void
thread_switch(struct thread *prev, struct thread *next)
{
    uintptr_t *from = &prev->sp, *to = &next->sp, top = next->kernel_top;

    if (top) {
        tss_set_kernel_stack(top);
    }
    __asm__ volatile(EXCHANGE : "+a"(from), "+d"(to), "+c"(top) : : KEPT);
}

/* Where a new thread comes out of its first switch. Interrupts off. */
void begin(void)
{
    reap();
    if (current->user_entry) {
        ring3_enter(current->user_entry, current->user_stack);
    }
    cpu_sti();
    current->function(current->argument);
    thread_exit();
}

static struct thread *create(void)
{
    struct thread *thread = kzalloc(sizeof(*thread));

    if (!thread) {
        return NULL;
    }
    thread->kernel_top = kstack_alloc();
    if (!thread->kernel_top) {
        kfree(thread);
        return NULL;
    }
    thread->sp = thread->kernel_top;
    thread->id = next_id++;
    return thread;
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    const uintptr_t flags = interrupts_off();
    struct thread *thread = create();

    if (thread) {
        thread->function = function;
        thread->argument = argument;
        enqueue(thread);
    }
    interrupts_restore(flags);
    return thread;
}

struct thread *thread_create_user(uintptr_t entry)
{
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
}

void thread_init(void)
{
    idle.state = THREAD_RUNNING;
    current = &idle;
}

struct thread *thread_current(void)
{
    return current;
}

void thread_yield(void)
{
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
}

void thread_block(void)
{
    const uintptr_t flags = interrupts_off();

    current->state = THREAD_BLOCKED;
    switch_away();
    interrupts_restore(flags);
}

void thread_wake(struct thread *thread)
{
    const uintptr_t flags = interrupts_off();

    if (thread->state == THREAD_BLOCKED) {
        enqueue(thread);
    }
    interrupts_restore(flags);
}

void thread_exit(void)
{
    cpu_cli();
    current->state = THREAD_ENDED;
    ended = current;
    switch_away();
    __builtin_unreachable();
}

void timer_interrupt(void)
{
    pic_eoi(0);
    tick_dispatch();
    thread_yield();
}
