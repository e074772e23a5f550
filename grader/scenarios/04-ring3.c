/* SPDX-License-Identifier: MIT */
/* Drives stage 04: user pages as the grader plans them, and probes that run on them. */
#include "common.h"

#include <console.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <drivers.h>
#include <init.h>
#include <memory.h>
#include <memmap.h>
#include <panic.h>
#include <string.h>

#define RESULTS 32
#define MARKS 8
#define NO_PROBE 0xffffffff
#define IN_CALL 1

/* Module "pages": what to map; probe: an offset in the module "probe", or NO_PROBE. */
struct page {
    uint64_t va;
    uint32_t flags;
    uint32_t probe;
} PACKED;

/* Module "runs": where ring 3 starts, one after the other. */
struct run {
    uint64_t entry;
    uint64_t stack;
} PACKED;

int32_t scenario_map_results[RESULTS];
uintptr_t scenario_frames[RESULTS];

/* What user_map returned when no frame was left; 0 before the call, IN_CALL in it. */
int32_t scenario_map_no_frame;

/* What esp0 or rsp0 was when the first ring3_run began: the stack of someone else. */
uintptr_t scenario_foreign_stack;

/* The module "marks": registers of scenario_call_marked, and a word of its stack. */
uintptr_t scenario_marks[MARKS];

/* 04-ring3.asm: call fn, of two parameters, with the marks where C relies on them. */
void scenario_call_marked(void (*fn)(void), uintptr_t first, uintptr_t second);

static void map_pages(void)
{
    const struct page *pages = scenario_module("pages", sizeof(*pages));
    const size_t count = module_find("pages")->bytes / sizeof(*pages);
    const struct module *probe = module_find("probe");

    KASSERT(probe && count <= RESULTS);
    for (unsigned i = 0; i < count; i++) {
        const uintptr_t frame_pa = frame_alloc();

        KASSERT(frame_pa != 0);
        if (pages[i].probe != NO_PROBE) {
            size_t bytes = probe->bytes - pages[i].probe;

            memcpy((void *)frame_pa, (const char *)probe->start_pa + pages[i].probe,
                   bytes < PAGE_BYTES ? bytes : PAGE_BYTES);
        }
        scenario_frames[i] = frame_pa;
        scenario_map_results[i] =
            user_map((uintptr_t)pages[i].va, frame_pa, pages[i].flags);
    }
}

/* The pages, and then one whose table would need a frame when there is none. */
static void map(void)
{
    const uintptr_t va = (uintptr_t)cmdline_hex("last", 0);
    const uintptr_t frame_pa = frame_alloc();

    map_pages();
    while (frame_alloc() != 0) {
    }
    scenario_map_no_frame = IN_CALL;
    scenario_map_no_frame = user_map(va, frame_pa, USER_MAP_WRITE);
}

static void load_marks(void)
{
    const uint64_t *marks = scenario_module("marks", MARKS * sizeof(*marks));

    for (unsigned i = 0; i < MARKS; i++) {
        scenario_marks[i] = (uintptr_t)marks[i];
    }
}

static void run_probes(void)
{
    const struct run *runs = scenario_module("runs", sizeof(*runs));
    const size_t count = module_find("runs")->bytes / sizeof(*runs);

    load_marks();
    scenario_foreign_stack = kstack_alloc();
    tss_set_kernel_stack(scenario_foreign_stack);
    for (unsigned i = 0; i < count; i++) {
        scenario_call_marked((void (*)(void))ring3_run, (uintptr_t)runs[i].entry,
                             (uintptr_t)runs[i].stack);
    }
}

static void run(void)
{
    map_pages();
    run_probes();
}

/* A run, and before and after it a ring3_return that no run waits for. */
static void idle(void)
{
    load_marks();
    scenario_call_marked((void (*)(void))ring3_return, 0, 0);
    map_pages();
    run_probes();
    scenario_call_marked((void (*)(void))ring3_return, 0, 0);
}

/* Probes while the timer ticks. */
static void timer(void)
{
    map_pages();
    scenario_timer_start(1000);
    run_probes();
    scenario_timer_stop();
}

/* A probe that reads ports; the grader's own entries let it go on. */
static void ports(void)
{
    const struct run *runs = scenario_module("runs", sizeof(*runs));

    map_pages();
    tss_set_kernel_stack(kstack_alloc());
    scenario_gate(VEC_GP, scenario_entry_skip_byte, 0);
    scenario_gate(VEC_UD, scenario_entry_finish, 0);
    ring3_enter((uintptr_t)runs->entry, (uintptr_t)runs->stack);
}

SCENARIO("ring3-map", AFTER_ALL_INIT, map);
SCENARIO("ring3-run", AFTER_ALL_INIT, run);
SCENARIO("ring3-idle", AFTER_ALL_INIT, idle);
SCENARIO("ring3-timer", AFTER_ALL_INIT, timer);
SCENARIO("ring3-ports", AFTER_ALL_INIT, ports);
