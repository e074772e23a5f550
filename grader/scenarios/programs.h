/* SPDX-License-Identifier: MIT */
/* What the scenarios of 09 to 11 share: processes from modules, and what is left. */
#ifndef SCENARIOS_PROGRAMS_H
#define SCENARIOS_PROGRAMS_H

#include <arch/cpu.h>
#include <course/07-frames.h>
#include <course/09-programs.h>
#include <init.h>
#include <memory.h>
#include <panic.h>
#include <thread.h>

#define IMAGES 32
#define RANGES 128

int32_t scenario_started[IMAGES];  /* process_start of each module, in order */
uintptr_t scenario_roots[IMAGES];  /* of those that run */
int64_t scenario_statuses[IMAGES]; /* when they have ended, or */
#define GONE (-(1ll << 40))        /* there is none, since process_find knows it not */
struct frame_range scenario_free[2][RANGES]; /* before and afterwards */
uint32_t scenario_free_counts[2];

static inline void note_free(unsigned when)
{
    scenario_free_counts[when] = frame_ranges(scenario_free[when], RANGES);
}

static inline void note_start(unsigned number, int pid)
{
    scenario_started[number] = pid;
    if (pid > 0) {
        KASSERT(process_find(pid));
        scenario_roots[number] = process_find(pid)->space.root_pa;
    }
}

/* Every module is started, with its own words. */
static inline void start_modules(void)
{
    const struct module *module;

    for (unsigned i = 0; i + 1 < IMAGES && (module = module_at(i)) != NULL; i++) {
        note_start(i, process_start(module->name, module->args));
    }
}

/* All that the kernel's heap has, as a list through the blocks; adds to *bytes. */
static inline uintptr_t take_heap(uint32_t *bytes)
{
    uintptr_t list = 0, *block;

    for (size_t size = 1 << 16; size >= sizeof(*block); size /= 2) {
        while ((block = kmalloc(size)) != NULL) {
            *block = list;
            list = (uintptr_t)block;
            *bytes += size;
        }
    }
    return list;
}

static inline void give_heap(uintptr_t list)
{
    while (list != 0) {
        uintptr_t *block = (uintptr_t *)list;

        list = *block;
        kfree(block);
    }
}

/* How many frames are free. */
static inline uint32_t frames_left(void)
{
    static struct frame_range ranges[RANGES];
    const size_t count = frame_ranges(ranges, RANGES);
    uint32_t frames = 0;

    for (size_t i = 0; i < count && i < RANGES; i++) {
        frames += ranges[i].frames;
    }
    return frames;
}

static inline bool is_running(unsigned number)
{
    const struct process *process =
        scenario_started[number] > 0 ? process_find(scenario_started[number]) : NULL;

    return process && process->thread;
}

/* Wait, as the idle thread, and note how each has ended. Interrupts are off again. */
static inline void wait_for_all(void)
{
    for (unsigned i = 0; i < IMAGES; i++) {
        while (is_running(i)) {
            cpu_idle();
            cpu_cli();
        }
        if (scenario_started[i] > 0) {
            const struct process *process = process_find(scenario_started[i]);

            scenario_statuses[i] = process ? process->status : GONE;
        }
    }
}

static inline void forget(unsigned number)
{
    struct process *process =
        scenario_started[number] > 0 ? process_find(scenario_started[number]) : NULL;

    if (process) {
        process_forget(process);
    }
}

#endif
