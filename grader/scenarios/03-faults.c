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

#define RESULTS 64

/* Module "runs": one fault after the other. */
struct run {
    uint64_t
        target;     /* ring 3: address of the first instruction; ring 0: enum provoke */
    uint64_t stack; /* of ring 3; 0: the fault is provoked in ring 0 */
    uint32_t repair; /* number of bytes at the faulting instruction to turn into nop, */
    uint32_t map;    /* or 1: map the page at CR2; both 0: nothing is repaired */
} PACKED;

uintptr_t scenario_absent_va; /* an address that nobody mapped */

/* What fault_dispatch got, by run: the frame, and its address. */
struct trap_frame scenario_fault_frames[RESULTS];
uintptr_t scenario_frame_places[RESULTS];
uint32_t scenario_fault_count;

static uint32_t repair_bytes;
static uint32_t repair_map;
static uint32_t quiet;         /* the first so many runs end without a report */
static bool touching;          /* the hook itself is about to fault */
static uintptr_t kernel_stack; /* of ring 3; 0 outside of these scenarios */

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

/* Keeps the frame as it was before any code of a submission could see it again. */
static void keep(const struct trap_frame *given, uintptr_t hook)
{
    const unsigned run = scenario_fault_count % RESULTS;
    struct trap_frame *frame = &scenario_fault_frames[run];

    scenario_frame_places[run] = (uintptr_t)given;
    if (!plausible((uintptr_t)given, hook)) {
        scenario_fault_count++;
        scenario_try_end();
    }
    memcpy(frame, given, readable((uintptr_t)given));
    if (SEL_RPL(frame->cs) == 0) {
        frame->sp = 0;
        frame->ss = 0;
    }
}

static void map_page_of(uintptr_t va)
{
    scenario_user_page(va & ~(uintptr_t)(PAGE_BYTES - 1));
}

static void take(struct trap_frame *frame)
{
    (void)frame;
    scenario_fault_count++;
    scenario_try_end();
}

/* Repairs what the run asks for; whether there was anything left to repair. */
static bool repair_cause(struct trap_frame *frame, uintptr_t accessed)
{
    if (repair_bytes) {
        memset((void *)frame->ip, 0x90, repair_bytes);
        repair_bytes = 0;
        return true;
    }
    if (repair_map) {
        repair_map = 0;
        touching = true;
        scenario_touch((uintptr_t)cmdline_hex("inner", 0));
        map_page_of(accessed);
        return true;
    }
    return false;
}

static bool repair(struct trap_frame *frame)
{
    const uintptr_t accessed = read_cr2();

    if (!kernel_stack) {
        return false; /* a fault of the demo */
    }
    scenario_record();
    if (touching) {
        touching = false;
        map_page_of(accessed);
        return true;
    }
    keep(frame, (uintptr_t)__builtin_frame_address(0));
    if (frame->ip >= USER_BASE && repair_cause(frame, accessed)) {
        return true;
    }
    if (scenario_fault_count < quiet) {
        take(frame);
    }
    return false;
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
    quiet = (uint32_t)cmdline_hex("quiet", 0);
    scenario_gate(VEC_BP, scenario_entry_record, 0);
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

/* The stack that the next kstack_alloc gives holds what somebody else left there. */
static void use_a_stack(void)
{
    const uintptr_t top = kstack_alloc();

    memset((void *)(top - KSTACK_BYTES), 0xa5, KSTACK_BYTES);
    kstack_free(top);
}

/* A stack with its guard page below; it is filled until there is no more. */
static void overflow(void)
{
    scenario_overflow(kstack_alloc(), (uintptr_t)cmdline_hex("skip", 0));
}

SCENARIO("faults-run", 301, run_all);
SCENARIO("faults-overflow", 311, overflow);
INIT(305, use_a_stack);
