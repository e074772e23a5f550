/* SPDX-License-Identifier: MIT */
/* Drives stage 02: the encoder, the TSS behind TR, a trap from ring 3, the ports. */
#include "common.h"

#include <course/02-tss.h>
#include <init.h>
#include <memmap.h>
#include <memory.h>
#include <string.h>

#define RESULTS 32

/* Module "fields": what the encoder gets. */
struct fields {
    uint64_t base;
    uint32_t limit;
    uint32_t unused;
} PACKED;

/* A word that nobody wrote. */
#define UNTOUCHED 0x5a5a5a5a5a5a5a5a

/* The offset of esp0 and of rsp0 in a TSS. */
#define STACK0 4

/* The words of each descriptor, and one behind them that is not the encoder's. */
uint64_t scenario_tss_encoded[RESULTS][TSS_DESC_SLOTS + 1];

static void encode(void)
{
    const struct fields *fields = scenario_module("fields", RESULTS * sizeof(*fields));

    for (unsigned i = 0; i < RESULTS; i++) {
        for (unsigned word = 0; word <= TSS_DESC_SLOTS; word++) {
            scenario_tss_encoded[i][word] = UNTOUCHED;
        }
        tss_encode((uintptr_t)fields[i].base, fields[i].limit, scenario_tss_encoded[i]);
    }
}

/* A second slot must not count on being empty, and those behind are another stage's. */
static void init(void)
{
    for (unsigned i = GDT_INDEX_TSS + 1; i < GDT_SLOTS; i++) {
        gdt[i] = UNTOUCHED;
    }
    tss_init();
}

static void load(void)
{
    tss_init();
    scenario_call((void (*)(void))tss_load, SEL_TSS);
}

/* What stands in esp0 or rsp0 before; a base that leads elsewhere is left alone. */
static void spoil_stack(void)
{
    const uintptr_t tss = (uintptr_t)tss_at(SEL_TSS);

    if (KERNEL_BASE <= tss && tss < IDENTITY_END) {
        memset((uint8_t *)tss + STACK0, (uint8_t)UNTOUCHED, sizeof(uintptr_t));
    }
}

/*
 * The stack that the grader wants: a place seeded by it in a kernel stack. It is not
 * the first that is set.
 */
static void set_stack(void)
{
    load();
    tss_set_kernel_stack(kstack_alloc());
    spoil_stack();
    tss_set_kernel_stack((uintptr_t)cmdline_hex("esp0", 0));
}

/* A page of ring-3 code and one of stack; runs at its entry with interrupts off. */
static void enter_probe(void)
{
    const uintptr_t code = (uintptr_t)cmdline_hex("code", 0);
    const uintptr_t stack = (uintptr_t)cmdline_hex("stack", 0);

    memcpy(scenario_user_page(code), scenario_module("probe", 1),
           module_find("probe")->bytes);
    scenario_user_page(stack);
    scenario_far_ring3(code + (uintptr_t)cmdline_hex("entry", 0), stack + 0xff0);
}

/* The probe faults; the CPU must come to the landing on the stack that was set. */
static void trap(void)
{
    set_stack();
    scenario_gate(VEC_UD, scenario_entry_landing, 0);
    enter_probe();
}

/* The probe reads ports; each read must fault. */
static void ports(void)
{
    load();
    tss_set_kernel_stack(kstack_alloc());
    scenario_gate(VEC_GP, scenario_entry_skip_byte, 0);
    scenario_gate(VEC_UD, scenario_entry_finish, 0);
    enter_probe();
}

SCENARIO("tss-encode", 200, encode);
SCENARIO("tss-init", 200, init);
SCENARIO("tss-load", 200, load);
SCENARIO("tss-set-stack", 200, set_stack);
SCENARIO("tss-trap", 200, trap);
SCENARIO("tss-ports", 200, ports);
