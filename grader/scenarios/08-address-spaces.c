/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 08: spaces that nobody runs in, looked at from outside; spaces that come
 * and go; and ring-3 threads with a space each.
 */
#include "common.h"

#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/07-frames.h>
#include <course/08-address-spaces.h>
#include <fault.h>
#include <init.h>
#include <memory.h>
#include <paging.h>
#include <panic.h>
#include <string.h>
#include <thread.h>

#define SPACES 8
#define PAGES 128
#define RANGES 128
#define NO_THREADS 100

/* Module "pages": what to map, and with which bytes in it. */
struct page {
    uint64_t va;
    uint32_t space;
    uint32_t rights; /* SPACE_*, or UNMAP */
    uint32_t offset; /* of the bytes in the module "blob" */
    uint32_t bytes;
} PACKED;
#define UNMAP 0x100

/* Module "starts": a ring-3 thread in the space of its position. */
struct start {
    uint64_t entry;
} PACKED;

struct space scenario_spaces[SPACES];
uintptr_t scenario_roots[SPACES];  /* those of scenario_spaces, also when they end */
intptr_t scenario_answers[PAGES];  /* of space_map and space_unmap, by page */
uintptr_t scenario_answered;       /* how many calls came back */
uintptr_t scenario_frames[PAGES];  /* the frame that was to be mapped */
uintptr_t scenario_stacks[SPACES]; /* user_stack_create's answers */
uint32_t scenario_ends[SPACES];    /* in which order the threads ended, from 1 */
uint32_t scenario_vectors[SPACES]; /* of the fault that ended them */
struct frame_range scenario_free[3][RANGES]; /* before, in between, afterwards */
uint32_t scenario_free_counts[3];
/* space_create, space_map when frames are short; something else at first */
uintptr_t scenario_short[4] = {1, 1, 1, 1};
uintptr_t scenario_read_words[3];
uint32_t scenario_reads; /* how often scenario_read came back */
uint32_t scenario_kernel_turns_made;

static struct thread *threads[SPACES];
static unsigned started, ended;
static uint64_t last_tick;

static void note_free(unsigned when)
{
    scenario_free_counts[when] = frame_ranges(scenario_free[when], RANGES);
}

static void create_spaces(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        scenario_roots[i] = scenario_spaces[i].root_pa = space_create();
        KASSERT(scenario_roots[i]);
    }
}

static void do_pages(void)
{
    const struct module *module = module_find("pages");
    const struct page *page = module ? scenario_module("pages", sizeof(*page)) : NULL;

    for (unsigned i = 0; module && i < module->bytes / sizeof(*page); i++, page++) {
        const uintptr_t root_pa = scenario_spaces[page->space].root_pa;

        KASSERT(i < PAGES);
        if (page->rights & UNMAP) {
            scenario_answers[i] = (intptr_t)space_unmap(root_pa, (uintptr_t)page->va);
            scenario_answered++;
            continue;
        }
        scenario_frames[i] = frame_alloc();
        KASSERT(scenario_frames[i]);
        if (page->bytes) {
            memcpy((void *)scenario_frames[i],
                   (const char *)scenario_module("blob", page->offset + page->bytes) +
                       page->offset,
                   page->bytes);
        }
        scenario_answers[i] =
            space_map(root_pa, (uintptr_t)page->va, scenario_frames[i], page->rights);
        scenario_answered++;
    }
}

static unsigned count_of_spaces(void)
{
    const unsigned count = (unsigned)cmdline_hex("spaces", 1);

    KASSERT(count <= SPACES);
    return count;
}

/*
 * Trees for nobody: what the grader walks from outside. The kernel's has a page, too.
 */
static void map(void)
{
    scenario_user_page((uintptr_t)cmdline_hex("own", USER_BASE));
    create_spaces(count_of_spaces());
    do_pages();
    note_free(0);
}

/* Without a frame, and on four levels with one less than a space needs. */
static void create_short(void)
{
    uintptr_t list;

    create_spaces(1);
    note_free(0);
    list = take_frames(0);
    scenario_short[0] = space_create();
    note_free(1);
    if (PAGING_LEVELS > 2) {
        list = take_more_frames(list, 1);
        scenario_short[1] = space_create();
    }
    give_frames(list);
    note_free(2);
}

/* A page far from all others, with no frame for its tables, with one, and so on. */
static void map_short(void)
{
    create_spaces(PAGING_LEVELS);
    for (unsigned frames = 0; frames < PAGING_LEVELS; frames++) {
        const uintptr_t root_pa = scenario_roots[frames];
        const uintptr_t frame_pa = frame_alloc();
        const uintptr_t list = take_frames(frames);

        scenario_short[frames] = (uintptr_t)(intptr_t)space_map(
            root_pa, (uintptr_t)cmdline_hex("va", 0), frame_pa, SPACE_WRITE);
        give_frames(list);
    }
}

/* Where the grader expects the fault: nothing else reads the page. */
uintptr_t scenario_read(const volatile uintptr_t *word);

__attribute__((noinline)) uintptr_t scenario_read(const volatile uintptr_t *word)
{
    return *word;
}

/*
 * A page is read, taken away, replaced by another one, read, and taken away for good.
 */
static void stale(void)
{
    const uintptr_t va = (uintptr_t)cmdline_hex("va", 0);

    create_spaces(1);
    for (unsigned i = 0; i < 2; i++) {
        scenario_frames[i] = frame_alloc();
        KASSERT(scenario_frames[i]);
        *(uintptr_t *)scenario_frames[i] = (uintptr_t)cmdline_hex("key", 0) + i;
    }
    write_cr3(scenario_roots[0]);
    for (unsigned i = 0; i < 2; i++) {
        scenario_answers[i] =
            space_map(scenario_roots[0], va, scenario_frames[i], SPACE_WRITE);
        scenario_read_words[i] = scenario_read((const volatile uintptr_t *)va);
        scenario_reads++;
        space_unmap(scenario_roots[0], va);
    }
    scenario_read_words[2] = scenario_read((const volatile uintptr_t *)va);
    scenario_reads++;
}

/* A stack where a page of it is taken already; with one frame; and as it should be. */
static void stacks(void)
{
    const uintptr_t low = USER_STACK_TOP - USER_STACK_PAGES * PAGE_BYTES;
    uintptr_t list;

    create_spaces(3);
    for (unsigned i = 0; i < 3; i++) { /* the tables are there already */
        scenario_frames[i] = frame_alloc();
        scenario_answers[i] =
            space_map(scenario_roots[i], low, scenario_frames[i], SPACE_WRITE);
        if (i > 0) {
            frame_free(space_unmap(scenario_roots[i], low));
        }
    }
    note_free(0);
    write_cr3(scenario_roots[0]);
    scenario_stacks[0] = user_stack_create();
    note_free(1);
    write_cr3(scenario_roots[1]);
    list = take_frames(1);
    scenario_stacks[1] = user_stack_create();
    give_frames(list);
    note_free(2);
    write_cr3(scenario_roots[2]);
    scenario_stacks[2] = user_stack_create();
    write_cr3(paging_kernel_root());
}

/* Spaces that come, are filled, and go, all but the last one. */
static void destroy(void)
{
    const unsigned count = count_of_spaces();

    create_spaces(1);
    scenario_roots[count - 1] = scenario_spaces[0].root_pa;
    scenario_spaces[count - 1] =
        scenario_spaces[0]; /* it stays: made before the rest */
    note_free(0);
    create_spaces(count - 1);
    do_pages();
    note_free(1);
    for (unsigned i = 0; i + 1 < count; i++) {
        space_destroy(scenario_spaces[i].root_pa);
    }
    note_free(2);
}

static unsigned number_of(const struct thread *thread)
{
    unsigned number = 0;

    while (number < SPACES && threads[number] != thread) {
        number++;
    }
    KASSERT(number < SPACES);
    return number;
}

/* After the stage's own, which destroys the space. */
static void note_end(struct thread *thread, intptr_t status)
{
    (void)status;
    if (started) {
        cpu_cli();
        scenario_ends[number_of(thread)] = ++ended;
        if (ended == started) {
            note_free(2);
            scenario_finish();
        }
    }
}

static void note_fault(struct trap_frame *frame)
{
    if (started && SEL_RPL(frame->cs) == 3) {
        scenario_vectors[number_of(thread_current())] = frame->vector;
    }
}

static void note_tick(uint64_t ticks)
{
    /* While a process runs: the tree in use at the end is one of theirs. */
    if (last_tick && ticks >= last_tick && thread_current()->process) {
        scenario_finish();
    }
}

EXIT_HOOK(990, note_end);
FAULT_END(100, note_fault);
TICK_HOOK(900, note_tick);

/* A thread of the kernel that only counts. */
void scenario_kernel_turns(void *argument);

void scenario_kernel_turns(void *argument)
{
    volatile uint32_t *turns = argument;

    for (;;) {
        ++*turns;
    }
}

/* Spaces with a ring-3 thread each, until all have ended or the tick has come. */
static void run(void)
{
    const struct start *start = scenario_module("starts", sizeof(*start));
    const unsigned count = count_of_spaces();

    cpu_cli();
    note_free(0);
    create_spaces(count);
    do_pages();
    for (unsigned i = 0; i < count; i++) {
        write_cr3(scenario_spaces[i].root_pa);
        threads[i] = thread_create_user((uintptr_t)start[i].entry);
        if (!threads[i]) {
            scenario_finish(); /* scenario_stacks tells of it */
        }
        scenario_stacks[i] = threads[i]->user_stack;
        threads[i]->process = &scenario_spaces[i];
    }
    write_cr3(paging_kernel_root());
    if (cmdline_hex("kernel", 0)) {
        KASSERT(
            thread_create_kernel(scenario_kernel_turns, &scenario_kernel_turns_made));
    }
    started = count;
    last_tick = cmdline_hex("ticks", 0);
    for (;;) {
        cpu_idle();
    }
}

SCENARIO("spaces-map", NO_THREADS, map);
SCENARIO("spaces-create-short", NO_THREADS, create_short);
SCENARIO("spaces-map-short", NO_THREADS, map_short);
SCENARIO("spaces-stale", NO_THREADS, stale);
SCENARIO("spaces-stacks", NO_THREADS, stacks);
SCENARIO("spaces-destroy", NO_THREADS, destroy);
SCENARIO("spaces-run", AFTER_ALL_INIT, run);
