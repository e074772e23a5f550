/* SPDX-License-Identifier: MIT */
/*
 * What a switch between two kernel threads costs, for grader/bench, as probes/cost.c.
 * With the word fast=1 every process gets the page of the fast calls, which only 06
 * maps.
 */
#include "common.h"

#include <arch/cpu.h>
#include <init.h>
#include <memmap.h>
#include <memory.h>
#include <panic.h>
#include <paging.h>
#include <process.h>
#include <string.h>
#include <thread.h>

#define ROUNDS 16

uint32_t scenario_switch_costs[2][3]; /* of no calls and of yields, by 1, 2, 3 ROUNDS */

static void nothing(void)
{
    __asm__ volatile("");
}

static uint32_t now(void)
{
    return (uint32_t)__builtin_ia32_rdtsc();
}

static uint32_t rounds(void (*round)(void), unsigned count)
{
    void (*volatile const once)(void) = round;
    const uint32_t begin = now();

    for (unsigned i = 0; i < count; i++) {
        once();
    }
    return now() - begin;
}

static void give_way(void *argument)
{
    (void)argument;
    cpu_cli();
    rounds(thread_yield, UINT32_MAX);
}

static void measure(void *argument)
{
    (void)argument;
    cpu_cli();
    thread_yield(); /* the other one has come to its own loop */
    for (unsigned i = 0; i < ARRAY_SIZE(scenario_switch_costs[0]); i++) {
        scenario_switch_costs[0][i] = rounds(nothing, (i + 1) * ROUNDS);
        scenario_switch_costs[1][i] = rounds(thread_yield, (i + 1) * ROUNDS);
    }
    scenario_finish();
}

static void measure_switch(void)
{
    KASSERT(thread_create_kernel(measure, NULL));
    KASSERT(thread_create_kernel(give_way, NULL));
    for (;;) {
        thread_yield();
    }
}

SCENARIO("switch-cost", AFTER_ALL_INIT, measure_switch);

static uintptr_t fast_pa; /* of the page that 06 filled */

static void find_fast_page(void)
{
    if (cmdline_hex("fast", 0) != 0) {
        fast_pa = (uintptr_t)(*pte_slot(FAST_CALL_VA, 1) & PTE_ADDRESS);
    }
}

INIT(700, find_fast_page);

static int map_fast_page(struct process *process, const void *image, size_t bytes)
{
    const uintptr_t frame_pa = fast_pa ? frame_alloc() : 0;

    (void)image;
    (void)bytes;
    if (!fast_pa) {
        return E_OK;
    }
    KASSERT(frame_pa);
    memcpy((void *)frame_pa, (const void *)fast_pa, PAGE_BYTES);
    return space_map(process->space.root_pa, FAST_CALL_VA, frame_pa, SPACE_EXEC);
}

static void leave_fast_page(struct process *process)
{
    (void)process; /* it goes with the space */
}

PROCESS_HOOK(600, map_fast_page, leave_fast_page);
