/* SPDX-License-Identifier: MIT */
/* Drives stage 05: threads that yield, live and die, and threads under the timer. */
#include "common.h"

#include <arch/cpu.h>
#include <drivers.h>
#include <init.h>
#include <memmap.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <thread.h>

#define BEFORE_THREADS 500 /* thread_init comes with this init entry */
#define KERNEL_LOOPS 3
#define THREADS 8 /* at most, with the idle one */
#define NEWBORN 3
#define SWITCHES 3
#define LIVES (3 * KSTACK_SLOTS)
#define USER_KIND 0x100
#define IDLE 0            /* its marks come first */
#define THREAD_MARKS 4096 /* marks of a thread */
#define STEP_MARKS 8      /* marks of one of its calls */

/* Module "script": for each thread, the idle one first, what it calls. */
#define CALLS 128
#define CALL_END 0
#define CALL_YIELD 1
#define CALL_BLOCK 2
#define CALL_WAKE 0x80 /* and the number of whom to wake */

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

uintptr_t scenario_kernel_tops[THREADS]; /* by position in the plan */
uint32_t scenario_tick_lost;             /* what tick hooks found amiss, LOST_* bits */
static uint64_t last_tick;

/*
 * 05-threads.asm: endless loops with marked registers; what C relies on in an interrupt
 * and does not find.
 */
void scenario_kernel_loop_0(void *argument);
void scenario_kernel_loop_1(void *argument);
void scenario_kernel_loop_2(void *argument);
uint32_t scenario_c_lost(void);

/*
 * 05-threads.asm: what fn(first, second) returns, called with marks, from mark on, in
 * the registers that a function has to preserve. The CPU's record shows them right
 * before and behind.
 */
void *scenario_marked(uintptr_t mark, void (*fn)(void), void *first, void *second);

/* 05-threads.asm: where a slide of its address, as a stack, leads thread_switch. */
void scenario_land(void);
NORETURN void scenario_landed(void);

static void (*const loops[KERNEL_LOOPS])(void *) = {
    scenario_kernel_loop_0, scenario_kernel_loop_1, scenario_kernel_loop_2};

/* The marks of a thread: from here on, those of its steps. */
static uintptr_t marks_of(unsigned thread)
{
    return (uintptr_t)cmdline_hex("mark", 0) + thread * THREAD_MARKS;
}

static void step(uintptr_t marks, unsigned number, void (*fn)(void), void *argument)
{
    scenario_marked(marks + number * STEP_MARKS, fn, argument, NULL);
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

/* thread_switch alone, there and back, before there is a scheduler. */
static struct thread here, there;

void scenario_landed(void)
{
    for (;;) {
        scenario_marked(marks_of(1), (void (*)(void))thread_switch, &there, &here);
    }
}

static void switch_alone(void)
{
    static uintptr_t slide[512];

    /* Whatever thread_switch pops, in the end it returns to scenario_land. */
    for (unsigned i = 0; i < ARRAY_SIZE(slide); i++) {
        slide[i] = (uintptr_t)scenario_land;
    }
    there.sp = (uintptr_t)&slide[ARRAY_SIZE(slide) - 64];
    for (unsigned i = 0; i < SWITCHES; i++) {
        scenario_marked(marks_of(IDLE), (void (*)(void))thread_switch, &here, &there);
    }
}

/* Its argument is where its marks begin, its id the step. Its return ends it. */
static void newborn(void *argument)
{
    step((uintptr_t)argument, thread_current()->id, thread_yield, NULL);
}

static struct thread *players[THREADS]; /* by the number of their marks */

/* Creating it is step number of the idle thread. */
static void player(unsigned number, void (*function)(void *argument))
{
    struct thread *thread = scenario_marked(marks_of(IDLE) + number * STEP_MARKS,
                                            (void (*)(void))thread_create_kernel,
                                            (void *)function, (void *)marks_of(number));

    KASSERT(thread);
    players[number] = thread;
    scenario_kernel_tops[number] = thread->kernel_top;
}

static void create(void)
{
    pic_mask(0); /* from here on only they themselves pass the turn on */
    for (unsigned i = 1; i <= NEWBORN; i++) {
        if (i % 2) {
            cpu_sti();
        } else {
            cpu_cli();
        }
        player(i, newborn);
    }
    for (unsigned turn = 0; turn < 20; turn++) {
        thread_yield();
    }
}

/* Do what the script says, with interrupts now off, now on. */
static void play(void *argument)
{
    const uintptr_t marks = (uintptr_t)argument;
    const unsigned me = (unsigned)((marks - marks_of(IDLE)) / THREAD_MARKS);
    const uint8_t(*script)[CALLS] = scenario_module("script", THREADS * CALLS);

    for (unsigned i = 0; script[me][i] != CALL_END; i++) {
        const uint8_t call = script[me][i];

        if (i % 2) {
            cpu_sti();
        } else {
            cpu_cli();
        }
        if (call & CALL_WAKE) {
            step(marks, i, (void (*)(void))thread_wake, players[call & ~CALL_WAKE]);
        } else {
            step(marks, i, call == CALL_YIELD ? thread_yield : thread_block, NULL);
        }
    }
}

static void play_all(void)
{
    const uint8_t(*script)[CALLS] = scenario_module("script", THREADS * CALLS);

    pic_mask(0);
    for (unsigned i = 1; i < THREADS && script[i][0] != CALL_END; i++) {
        players[i] = thread_create_kernel(play, (void *)marks_of(i));
        KASSERT(players[i]);
    }
    play((void *)marks_of(IDLE));
}

static void nothing(void *argument)
{
    (void)argument;
}

static void settle(void)
{
    for (unsigned turn = 0; turn < 8; turn++) {
        thread_yield();
    }
}

/* As many at the same time as there can be, from this number on; then they run. */
static void fill(unsigned number, void (*function)(void *argument))
{
    const unsigned end = number + KSTACK_SLOTS;

    while (number <= end && thread_create_kernel(function, (void *)marks_of(number))) {
        number++;
    }
    settle();
}

static void use_up_frames(void)
{
    while (frame_alloc()) {
    }
}

static void use_up_heap(void)
{
    for (size_t bytes = PAGE_BYTES; bytes >= sizeof(void *); bytes /= 2) {
        while (kmalloc(bytes)) {
        }
    }
}

/* More threads than there are stacks: one after the other, then at the same time. */
static void life(void)
{
    pic_mask(0);
    for (unsigned i = 1; i <= LIVES; i++) {
        if (!thread_create_kernel(newborn, (void *)marks_of(i))) {
            return;
        }
        thread_yield();
    }
    settle();
    fill(LIVES + 1, newborn);
    fill(LIVES + 1, nothing);
    fill(2 * LIVES + 1, newborn);
    use_up_frames();
    if (!thread_create_user(USER_BASE)) { /* for want of a stack */
        fill(3 * LIVES + 1, newborn);
    }
    use_up_heap();
    (void)thread_create_kernel(nothing, NULL); /* one that needs no heap may succeed */
}

SCENARIO("threads-preempt", AFTER_ALL_INIT, preempt);
SCENARIO("threads-switch", BEFORE_THREADS, switch_alone);
SCENARIO("threads-create", AFTER_ALL_INIT, create);
SCENARIO("threads-play", AFTER_ALL_INIT, play_all);
SCENARIO("threads-life", AFTER_ALL_INIT, life);
