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
#define NO_PROBE 0xffffffff
#define NEVER 0xffffffff

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

/* What ring3_run returned, and which of the things that C relies on it lost. */
struct outcome {
    uint32_t vector;
    uint32_t lost; /* LOST_* of ring3.asm; all ones until the run came back */
};

int32_t scenario_map_results[RESULTS];
uintptr_t scenario_frames[RESULTS];
struct outcome scenario_outcomes[RESULTS];

uint32_t scenario_idle; /* 1 once ring3_return came back from doing nothing */

/* ring3.asm: calls ring3_run with marked registers; lost is 0 if all came back. */
unsigned scenario_run_marked(uintptr_t entry, uintptr_t stack, uint32_t *lost);

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

static void run_probes(void)
{
    const struct run *runs = scenario_module("runs", sizeof(*runs));
    const size_t count = module_find("runs")->bytes / sizeof(*runs);

    KASSERT(count <= RESULTS);
    for (unsigned i = 0; i < count; i++) {
        struct outcome *outcome = &scenario_outcomes[i];

        outcome->lost = NEVER;
        outcome->vector = scenario_run_marked((uintptr_t)runs[i].entry,
                                              (uintptr_t)runs[i].stack, &outcome->lost);
    }
}

static void run(void)
{
    map_pages();
    run_probes();
}

/* A run, and then a ring3_return that no run waits for. */
static void idle(void)
{
    map_pages();
    run_probes();
    ring3_return(0);
    scenario_idle = 1;
}

/* Probes while the timer ticks. */
static void timer(void)
{
    map_pages();
    scenario_timer_start(1000);
    run_probes();
    scenario_timer_stop();
}

/* A probe that reads every port; the grader's own entries let it go on. */
static void ports(void)
{
    const struct run *runs = scenario_module("runs", sizeof(*runs));

    map_pages();
    tss_set_kernel_stack(kstack_alloc());
    scenario_gate(VEC_GP, scenario_entry_skip_byte, 0);
    scenario_gate(VEC_UD, scenario_entry_finish, 0);
    ring3_enter((uintptr_t)runs->entry, (uintptr_t)runs->stack);
}

SCENARIO("ring3-map", AFTER_ALL_INIT, map_pages);
SCENARIO("ring3-run", AFTER_ALL_INIT, run);
SCENARIO("ring3-idle", AFTER_ALL_INIT, idle);
SCENARIO("ring3-timer", AFTER_ALL_INIT, timer);
SCENARIO("ring3-ports", AFTER_ALL_INIT, ports);
