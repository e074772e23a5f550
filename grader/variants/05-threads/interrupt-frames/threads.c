/* SPDX-License-Identifier: MIT */
/* Threads that begin by iret. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <string.h>
#include <thread.h>

/* What iret takes, without SS:SP where it does not take them, and the way there. */
struct launch {
    uintptr_t preserved[PRESERVED_REGISTERS];
    uintptr_t resume;   /* launch_iret in switch.asm */
    uintptr_t segments; /* for the data segments */
    uintptr_t ip, cs, flags, sp, ss;
};

void launch_iret(void);

static struct thread *idle, *current, *first, **end = &first, *dead;
static unsigned count;

static uintptr_t enter(void)
{
    uintptr_t flags = cpu_flags();

    cpu_cli();
    return flags;
}

static void leave(uintptr_t flags)
{
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

static void put(struct thread *thread)
{
    thread->state = THREAD_READY;
    thread->next = NULL;
    *end = thread;
    end = &thread->next;
}

static struct thread *get(void)
{
    struct thread *thread = first;

    if (thread) {
        first = thread->next;
        if (!first) {
            end = &first;
        }
        return thread;
    }
    return idle;
}

static void bury(void)
{
    struct thread **place = &dead;

    while (*place) {
        struct thread *thread = *place;

        if (thread == current) {
            place = &thread->next;
        } else {
            *place = thread->next;
            kstack_free(thread->kernel_top); /* the structure goes with it */
        }
    }
}

static void change(void)
{
    struct thread *old = current;

    current = get();
    current->state = THREAD_RUNNING;
    if (current != old) {
        dispatch(old, current);
    }
}

static void begin_kernel(void)
{
    current->function(current->argument);
    thread_exit();
}

static struct thread *make(uintptr_t ip, uintptr_t cs, uintptr_t sp, uintptr_t ss)
{
    uintptr_t top;
    struct thread *thread;
    struct launch *launch;

    bury();
    top = kstack_alloc();
    if (top == 0) {
        return NULL;
    }
    thread = (struct thread *)(top - KSTACK_BYTES);
    launch = (struct launch *)top - 1;
    memset(thread, 0, sizeof(*thread));
    memset(launch, 0, sizeof(*launch));
    thread->kernel_top = top;
    thread->sp = (uintptr_t)launch;
    thread->id = ++count;
    launch->resume = (uintptr_t)launch_iret;
    launch->segments = ss;
    launch->ip = ip;
    launch->cs = cs;
    launch->flags = EFLAGS_FIXED | EFLAGS_IF;
    launch->sp = sp ? sp : (top - 256) | (16 - sizeof(uintptr_t));
    launch->ss = ss;
    put(thread);
    return thread;
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    uintptr_t flags = enter();
    struct thread *thread = make((uintptr_t)begin_kernel, SEL_KCODE, 0, SEL_KDATA);

    if (thread) {
        thread->function = function;
        thread->argument = argument;
    }
    leave(flags);
    return thread;
}

struct thread *thread_create_user(uintptr_t entry)
{
    uintptr_t flags = enter();
    uintptr_t stack = user_stack_create();
    struct thread *thread = NULL;

    if (stack) {
        thread = make(entry, SEL_UCODE, stack, SEL_UDATA);
        if (thread) {
            thread->user_entry = entry;
            thread->user_stack = stack;
        }
    }
    leave(flags);
    return thread;
}

void thread_init(void)
{
    idle = kzalloc(sizeof(*idle));
    idle->state = THREAD_RUNNING;
    current = idle;
}

struct thread *thread_current(void)
{
    return current;
}

void thread_yield(void)
{
    uintptr_t flags = enter();

    if (current == idle) {
        idle->state = THREAD_READY;
    } else {
        put(current);
    }
    change();
    leave(flags);
}

void thread_block(void)
{
    uintptr_t flags = enter();

    current->state = THREAD_BLOCKED;
    change();
    leave(flags);
}

void thread_wake(struct thread *thread)
{
    uintptr_t flags = enter();

    switch (thread->state) {
    case THREAD_BLOCKED:
        put(thread);
        break;
    default:
        break;
    }
    leave(flags);
}

void thread_exit(void)
{
    enter();
    current->state = THREAD_ENDED;
    current->next = dead;
    dead = current;
    change();
    __builtin_trap();
}

void timer_interrupt(void)
{
    pic_eoi(0);
    bury();
    tick_dispatch();
    thread_yield();
}
