/* SPDX-License-Identifier: MIT */
/* What the core does for threads: hooks at each switch and tick, and user stacks. */
#ifndef THREAD_H
#define THREAD_H

#include <course/05-threads.h>
#include <init.h>
#include <types.h>

struct switch_hook {
    void (*fn)(struct thread *prev, struct thread *next);
};

struct tick_hook {
    void (*fn)(uint64_t ticks);
};

struct point_hook {
    void (*fn)(void);
};

struct exit_hook {
    void (*fn)(struct thread *thread, intptr_t status);
};

/* Run fn before each switch, in ascending order. Context: interrupts off. */
#define SWITCH_HOOK(number, function)                                                  \
    TABLE_ENTRY("switch." #number)                                                     \
    static const struct switch_hook switch_hook_##function = {.fn = (function)}

/* Run fn at each tick, with the number of ticks since the timer was started. */
#define TICK_HOOK(number, function)                                                    \
    TABLE_ENTRY("tick." #number)                                                       \
    static const struct tick_hook tick_hook_##function = {.fn = (function)}

/*
 * Run fn wherever the running thread holds nothing that it would have to give back, so
 * that fn may end it by user_exit: in a tick, behind the tick hooks; when it makes a
 * system call; and while it waits for a key. In ascending order; interrupts on or off.
 */
#define POINT_HOOK(number, function)                                                   \
    TABLE_ENTRY("point." #number)                                                      \
    static const struct point_hook point_hook_##function = {.fn = (function)}

/* Run the point hooks. */
void thread_point(void);

/* Run fn when a user thread ends, in its context, in ascending order. */
#define EXIT_HOOK(number, function)                                                    \
    TABLE_ENTRY("exit." #number)                                                       \
    static const struct exit_hook exit_hook_##function = {.fn = (function)}

/*
 * End the running user thread: the exit hooks learn its status, then thread_exit.
 * Context: on the thread's own kernel stack, interrupts on or off.
 */
__attribute__((noreturn)) void user_exit(intptr_t status);

/* Run the switch hooks, then thread_switch. Context: interrupts off. */
void dispatch(struct thread *prev, struct thread *next);

/* Count a tick and run the tick hooks. Context: interrupts off. */
void tick_dispatch(void);

/* Ticks since the timer was started, and how many there are in a second. */
#define TICK_HZ 1000
uint64_t tick_count(void);

/*
 * A stack for ring 3: its initial pointer, 16-aligned, or 0 when memory is short. Weak:
 * USER_STACK_PAGES pages at an address of its own for each call, with an absent page
 * below, in the active address space. Context: interrupts off.
 */
#define USER_STACK_PAGES 2
uintptr_t user_stack_create(void);

#endif
