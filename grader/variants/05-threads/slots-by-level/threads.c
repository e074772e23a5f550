/* SPDX-License-Identifier: MIT */
/* Threads in a table, chosen by bits. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <thread.h>

#define SLOTS 96
#define LEVELS 3
#define NORMAL 1

/* switch.asm: the first stack; its thread goes to run_user or run_kernel. */
uintptr_t user_frame(uintptr_t top, uintptr_t entry, uintptr_t stack);
uintptr_t kernel_frame(uintptr_t top, void (*function)(void *), void *argument);

enum slot_use { FREE, USED, DYING };

static struct thread table[SLOTS]; /* slot 0: the idle thread */
static enum slot_use use[SLOTS];
static bool ready[LEVELS][SLOTS];
static unsigned now;
static unsigned ids;

static unsigned choose(void)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned i = 1; i <= SLOTS; i++) {
            const unsigned slot = (now + i) % SLOTS;

            if (ready[level][slot]) {
                ready[level][slot] = false;
                return slot;
            }
        }
    }
    return 0;
}

static void switch_to(unsigned slot)
{
    const unsigned old = now;

    table[slot].state = THREAD_RUNNING;
    if (slot != old) {
        now = slot;
        dispatch(&table[old], &table[slot]);
    }
}

static unsigned free_slot(void)
{
    for (unsigned slot = 1; slot < SLOTS; slot++) {
        if (use[slot] == DYING && slot != now) {
            kstack_free(table[slot].kernel_top);
            use[slot] = FREE;
        }
    }
    for (unsigned slot = 1; slot < SLOTS; slot++) {
        if (use[slot] == FREE) {
            return slot;
        }
    }
    return 0;
}

static unsigned new_thread(void)
{
    const unsigned slot = free_slot();
    const uintptr_t top = slot ? kstack_alloc() : 0;

    if (top == 0) {
        return 0;
    }
    table[slot] = (struct thread){.kernel_top = top, .state = THREAD_READY};
    return slot;
}

static void register_thread(unsigned slot)
{
    table[slot].id = ++ids;
    use[slot] = USED;
    ready[NORMAL][slot] = true;
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    const uintptr_t flags = cpu_flags();
    struct thread *thread = NULL;
    unsigned slot;

    cpu_cli();
    slot = new_thread();
    if (slot) {
        thread = &table[slot];
        thread->function = function;
        thread->argument = argument;
        thread->sp = kernel_frame(thread->kernel_top, function, argument);
        register_thread(slot);
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return thread;
}

struct thread *thread_create_user(uintptr_t entry)
{
    const uintptr_t flags = cpu_flags();
    struct thread *thread = NULL;
    unsigned slot;

    cpu_cli();
    slot = new_thread();
    if (slot) {
        thread = &table[slot];
        thread->user_entry = entry;
        thread->user_stack = user_stack_create();
        if (thread->user_stack) {
            thread->sp = user_frame(thread->kernel_top, entry, thread->user_stack);
            register_thread(slot);
        } else {
            kstack_free(thread->kernel_top);
            thread = NULL;
        }
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return thread;
}

void thread_init(void)
{
    use[0] = USED;
    table[0].state = THREAD_RUNNING;
}

struct thread *thread_current(void)
{
    return &table[now];
}

void thread_yield(void)
{
    const uintptr_t flags = cpu_flags();

    cpu_cli();
    if (now) {
        table[now].state = THREAD_READY;
        ready[NORMAL][now] = true;
    }
    switch_to(choose());
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_block(void)
{
    const uintptr_t flags = cpu_flags();

    cpu_cli();
    table[now].state = THREAD_BLOCKED;
    switch_to(choose());
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_wake(struct thread *thread)
{
    const uintptr_t flags = cpu_flags();

    cpu_cli();
    if (thread->state == THREAD_BLOCKED) {
        thread->state = THREAD_READY;
        ready[NORMAL][thread - table] = true;
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_exit(void)
{
    cpu_cli();
    table[now].state = THREAD_ENDED;
    use[now] = DYING;
    switch_to(choose());
    __builtin_unreachable();
}

void timer_interrupt(void)
{
    tick_dispatch();
    pic_eoi(0);
    table[now].state = THREAD_READY;
    ready[NORMAL][now] = now != 0;
    switch_to(choose());
}
