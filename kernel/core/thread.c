/* SPDX-License-Identifier: MIT */
/* What the core does for threads: hooks at each switch and tick, and user stacks. */
#include <course/04-ring3.h>
#include <memory.h>
#include <panic.h>
#include <thread.h>

extern const struct switch_hook table_switch_start[], table_switch_end[];
extern const struct tick_hook table_tick_start[], table_tick_end[];
extern const struct point_hook table_point_start[], table_point_end[];
extern const struct exit_hook table_exit_start[], table_exit_end[];

static uint64_t ticks;

/* Stages before 05 have no threads, and stages before 04 no user pages. */
WEAK void thread_switch(struct thread *prev, struct thread *next)
{
    (void)prev;
    (void)next;
    panic("no stage brings thread_switch");
}

WEAK struct thread *thread_current(void)
{
    return NULL;
}

WEAK void thread_exit(void)
{
    panic("no stage brings thread_exit");
}

WEAK int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    (void)va;
    (void)frame_pa;
    (void)flags;
    return E_INVAL;
}

void dispatch(struct thread *prev, struct thread *next)
{
    for (const struct switch_hook *h = table_switch_start; h < table_switch_end; h++) {
        h->fn(prev, next);
    }
    thread_switch(prev, next);
    __asm__ volatile(""); /* a call, not a jump: thread_switch comes back to here */
}

void tick_dispatch(void)
{
    ticks++;
    for (const struct tick_hook *h = table_tick_start; h < table_tick_end; h++) {
        h->fn(ticks);
    }
    thread_point();
}

void thread_point(void)
{
    for (const struct point_hook *h = table_point_start; h < table_point_end; h++) {
        h->fn();
    }
}

uint64_t tick_count(void)
{
    return ticks;
}

void user_exit(intptr_t status)
{
    struct thread *thread = thread_current();

    for (const struct exit_hook *h = table_exit_start; h < table_exit_end; h++) {
        h->fn(thread, status);
    }
    thread_exit();
}

WEAK uintptr_t user_stack_create(void)
{
    static uintptr_t next_va = USER_STACKS_BASE;
    uintptr_t va = next_va + PAGE_BYTES; /* above the absent page */

    for (unsigned i = 0; i < USER_STACK_PAGES; i++, va += PAGE_BYTES) {
        const uintptr_t frame_pa = frame_alloc();

        if (frame_pa == 0 || user_map(va, frame_pa, USER_MAP_WRITE) != E_OK) {
            return 0;
        }
    }
    next_va = va;
    return va;
}
