/* SPDX-License-Identifier: MIT */
/* Drives stage 05: threads that yield, live and die, and threads under the timer. */
#include "common.h"

#include <arch/cpu.h>
#include <drivers.h>
#include <init.h>
#include <memmap.h>
#include <panic.h>
#include <string.h>
#include <thread.h>

#define KERNEL_LOOPS 3
#define THREADS 8
#define LOG 1024
#define USER_KIND 0x100

/* Module "threads": what to create, in this order. */
struct plan {
    uint64_t va;    /* user threads: page of the code */
    uint32_t kind;  /* kernel threads: which loop; USER_KIND: a user thread */
    uint32_t probe; /* user threads: offset of the page's bytes in the module "probe" */
    uint32_t bytes;
    uint32_t entry; /* offset in the page */
} PACKED;

/* Registers of the loops in 05-threads.asm, from the command line's seed. */
uintptr_t scenario_marks[KERNEL_LOOPS][16];

/* Who did what, in the order in which it happened. */
uint32_t scenario_log[LOG];
uint32_t scenario_log_count;
uintptr_t scenario_kernel_tops[THREADS];    /* by position in the plan */
uint32_t scenario_yield_lost[KERNEL_LOOPS]; /* what thread_yield did not keep */
uint32_t scenario_tick_lost; /* what tick hooks found amiss, LOST_* bits */
static uint64_t last_tick;

/*
 * 05-threads.asm: endless loops with marked registers; marked calls of thread_yield,
 * and what of the marks it lost; what C relies on in an interrupt and does not find.
 */
void scenario_kernel_loop_0(void *argument);
void scenario_kernel_loop_1(void *argument);
void scenario_kernel_loop_2(void *argument);
uint32_t scenario_yield_marked(uintptr_t mark);
uint32_t scenario_c_lost(void);

static void (*const loops[KERNEL_LOOPS])(void *) = {
    scenario_kernel_loop_0, scenario_kernel_loop_1, scenario_kernel_loop_2};

static void note(uint32_t what)
{
    if (scenario_log_count < LOG) {
        scenario_log[scenario_log_count++] = what;
    }
}

static void finish_at_tick(uint64_t ticks)
{
    scenario_tick_lost |= scenario_c_lost();
    if (last_tick && ticks >= last_tick) {
        scenario_finish();
    }
}

TICK_HOOK(900, finish_at_tick);

static struct thread *create_user(const struct plan *plan)
{
    const char *probe = scenario_module("probe", plan->probe + plan->bytes);

    memcpy(scenario_user_page((uintptr_t)plan->va), probe + plan->probe, plan->bytes);
    return thread_create_user((uintptr_t)plan->va + plan->entry);
}

/* Threads that never end of themselves, until the tick "ticks" of the command line. */
static void preempt(void)
{
    const struct plan *plan = scenario_module("threads", sizeof(*plan));
    const size_t count = module_find("threads")->bytes / sizeof(*plan);
    uintptr_t mark = (uintptr_t)cmdline_hex("mark", 0);

    KASSERT(count <= THREADS);
    for (unsigned i = 0; i < KERNEL_LOOPS; i++) {
        for (unsigned j = 0; j < ARRAY_SIZE(scenario_marks[i]); j++) {
            scenario_marks[i][j] = mark++;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        struct thread *thread = plan[i].kind == USER_KIND
                                    ? create_user(&plan[i])
                                    : thread_create_kernel(loops[plan[i].kind], NULL);

        KASSERT(thread);
        scenario_kernel_tops[i] = thread->kernel_top;
    }
    last_tick = cmdline_hex("ticks", 100);
    for (;;) {
        cpu_idle();
    }
}

/* Three threads that pass the turn on, with interrupts now off, now on. */
static void yielder(void *argument)
{
    const unsigned me = (unsigned)(uintptr_t)argument;

    for (unsigned round = 0; round < 50; round++) {
        if (round % 2) {
            cpu_sti();
        } else {
            cpu_cli();
        }
        note(me);
        scenario_yield_lost[me] |= scenario_yield_marked(0x5eed0000 + 16 * me + round);
    }
    note(me + 100);
}

static void yield(void)
{
    pic_mask(0); /* only thread_yield switches */
    for (uintptr_t i = 0; i < KERNEL_LOOPS; i++) {
        KASSERT(thread_create_kernel(yielder, (void *)i));
    }
    while (scenario_log_count < KERNEL_LOOPS * 51) {
        thread_yield();
    }
}

/* What a new thread finds, and that its return ends it. */
static void newborn(void *argument)
{
    note((uint32_t)(uintptr_t)argument);
    note(cpu_flags() & EFLAGS_IF ? 1 : 0);
    note(thread_current()->id);
}

static void create(void)
{
    for (uintptr_t i = 1; i <= 3; i++) {
        KASSERT(thread_create_kernel(newborn, (void *)(i * 0x1111)));
    }
    for (unsigned turn = 0; turn < 20; turn++) {
        thread_yield();
    }
}

static void nothing(void *argument)
{
    (void)argument;
}

/* More threads than there are stacks: one after the other, then at the same time. */
static void life(void)
{
    unsigned at_once = 0;

    pic_mask(0);
    for (uintptr_t i = 0; i < 3 * KSTACK_SLOTS; i++) {
        struct thread *thread = thread_create_kernel(newborn, (void *)i);

        if (!thread) {
            note(0xdead);
            return;
        }
        thread_yield();
    }
    while (at_once <= KSTACK_SLOTS && thread_create_kernel(nothing, NULL)) {
        at_once++;
    }
    note(at_once <= KSTACK_SLOTS ? 0xf011 : 0xdead);
}

static struct thread *sleeper;

static void sleep_twice(void *argument)
{
    (void)argument;
    note(1);
    thread_block();
    note(3);
    thread_block();
    note(6);
}

static void waker(void *argument)
{
    (void)argument;
    note(2);
    thread_wake(sleeper);
    thread_yield();
    note(4);
    thread_wake(thread_current()); /* not blocked: nothing happens */
    thread_yield();
    note(5);
    thread_wake(sleeper);
}

static void block(void)
{
    sleeper = thread_create_kernel(sleep_twice, NULL);
    KASSERT(sleeper);
    KASSERT(thread_create_kernel(waker, NULL));
    for (unsigned turn = 0; turn < 20; turn++) {
        thread_yield();
    }
    note(7);
}

SCENARIO("threads-preempt", AFTER_ALL_INIT, preempt);
SCENARIO("threads-yield", AFTER_ALL_INIT, yield);
SCENARIO("threads-create", AFTER_ALL_INIT, create);
SCENARIO("threads-life", AFTER_ALL_INIT, life);
SCENARIO("threads-block", AFTER_ALL_INIT, block);
