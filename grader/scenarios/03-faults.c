/* SPDX-License-Identifier: MIT */
/* Drives stage 03: faults of both rings, repaired ones, and a kernel stack overflow. */
#include "03-faults.h"
#include "common.h"

#include <arch/cpu.h>
#include <arch/segment.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <fault.h>
#include <init.h>
#include <memory.h>
#include <panic.h>
#include <string.h>

#define RESULTS 32

/* Module "runs": one fault after the other. */
struct run {
    uint64_t
        target;     /* ring 3: address of the first instruction; ring 0: enum provoke */
    uint64_t stack; /* of ring 3; 0: the fault is provoked in ring 0 */
    uint32_t repair; /* number of bytes at the faulting instruction to turn into nop, */
    uint32_t map;    /* or 1: map the page at CR2; both 0: nothing is repaired */
} PACKED;

uintptr_t scenario_absent_va; /* an address that nobody mapped */

/* Where the frame that fault_dispatch got lies, and the hook's own. */
struct frame_place {
    uintptr_t given;
    uintptr_t hook;
};

/* What fault_dispatch got, by run: the frame, and the CPU's state in the hook. */
struct trap_frame scenario_fault_frames[RESULTS];
struct frame_place scenario_frame_places[RESULTS];
struct hook_state scenario_hook_states[RESULTS];
uint32_t scenario_fault_count;

static uint32_t repair_bytes;
static uint32_t repair_map;
static uintptr_t kernel_stack;
static struct hook_state entered; /* the CPU, as fault_dispatch was called */

/* The frame lies a little above the hooks, on the same stack. */
static bool plausible(uintptr_t frame, uintptr_t hook)
{
    return frame > hook && frame - hook < PAGE_BYTES;
}

/* Bytes of a frame at this address that are certainly there. */
static size_t readable(uintptr_t frame)
{
    const uintptr_t above = kernel_stack - frame;

    return above < sizeof(struct trap_frame) ? above : sizeof(struct trap_frame);
}

static bool repair(struct trap_frame *frame)
{
    struct frame_place *place = &scenario_frame_places[scenario_fault_count % RESULTS];

    scenario_hook_state(&entered);
    place->given = (uintptr_t)frame;
    place->hook = (uintptr_t)__builtin_frame_address(0);
    if (!plausible(place->given, place->hook)) {
        scenario_fault_count++;
        scenario_try_end();
    }
    if (frame->ip < USER_BASE) {
        return false;
    }
    if (repair_bytes) {
        memset((void *)frame->ip, 0x90, repair_bytes);
        repair_bytes = 0;
        return true;
    }
    if (repair_map) {
        scenario_user_page(read_cr2() & ~(uintptr_t)(PAGE_BYTES - 1));
        repair_map = 0;
        return true;
    }
    return false;
}

static void take(struct trap_frame *frame)
{
    if (scenario_fault_count < RESULTS) {
        memcpy(&scenario_fault_frames[scenario_fault_count], frame,
               readable((uintptr_t)frame));
        scenario_hook_states[scenario_fault_count] = entered;
        if (SEL_RPL(frame->cs) == 0) {
            scenario_fault_frames[scenario_fault_count].sp = 0;
            scenario_fault_frames[scenario_fault_count].ss = 0;
        }
    }
    scenario_fault_count++;
    scenario_try_end();
}

FAULT_REPAIR(050, repair);
FAULT_END(050, take);

static void run_all(void)
{
    const struct run *runs = scenario_module("runs", sizeof(*runs));
    const size_t count = module_find("runs")->bytes / sizeof(*runs);
    const uintptr_t code = (uintptr_t)cmdline_hex("code", 0);
    const struct module *probe = module_find("probe");

    kernel_stack = kstack_alloc();
    KASSERT(probe && probe->bytes <= PAGE_BYTES && count <= RESULTS);
    scenario_absent_va = (uintptr_t)cmdline_hex("absent", 0);
    memcpy(scenario_user_page(code), (const void *)probe->start_pa, probe->bytes);
    scenario_user_page((uintptr_t)cmdline_hex("stack", 0));
    tss_set_kernel_stack(kernel_stack);
    for (unsigned i = 0; i < count; i++) {
        repair_bytes = runs[i].repair;
        repair_map = runs[i].map;
        scenario_try((uintptr_t)runs[i].target, (uintptr_t)runs[i].stack);
    }
}

/* A stack with its guard page below; it is filled until there is no more. */
static void overflow(void)
{
    scenario_overflow(kstack_alloc());
}

SCENARIO("faults-run", 301, run_all);
SCENARIO("faults-overflow", 311, overflow);
