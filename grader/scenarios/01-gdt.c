/* SPDX-License-Identifier: MIT */
/* Drives stage 01: the encoder, the table, and ring-3 code behind the new entries. */
#include "common.h"

#include <console.h>
#include <course/01-gdt.h>
#include <init.h>
#include <string.h>

#define RESULTS 64
#define SETS 16 /* calls of gdt_set, at most */

/* The last of the two user slots; their order is the architecture's. */
#define MAX_INDEX                                                                      \
    (GDT_INDEX_UCODE > GDT_INDEX_UDATA ? GDT_INDEX_UCODE : GDT_INDEX_UDATA)

/* Module "fields": what the encoder gets. */
struct fields {
    uint32_t base;
    uint32_t limit;
    uint8_t access;
    uint8_t flags;
    uint16_t unused;
} PACKED;

/* Module "slots": what gdt_set gets. */
struct slot {
    uint64_t descriptor;
    uint32_t index;
    uint32_t unused;
} PACKED;

uint64_t scenario_encoded[RESULTS];
int32_t scenario_set_results[SETS];
uint64_t scenario_tables[SETS][GDT_SLOTS]; /* the whole table after each call */

static void encode(void)
{
    const struct fields *fields = scenario_module("fields", RESULTS * sizeof(*fields));

    for (unsigned i = 0; i < RESULTS; i++) {
        scenario_encoded[i] = gdt_encode(fields[i].base, fields[i].limit,
                                         fields[i].access, fields[i].flags);
    }
}

static void set(void)
{
    const struct module *module = module_find("slots");
    const struct slot *slots = scenario_module("slots", sizeof(*slots));

    for (unsigned i = 0; i < module->bytes / sizeof(*slots) && i < SETS; i++) {
        scenario_set_results[i] = gdt_set(slots[i].index, slots[i].descriptor);
        memcpy(scenario_tables[i], gdt, sizeof(gdt));
    }
}

static void reload(void)
{
    scenario_call((void (*)(void))gdt_reload, cmdline_hex("slots", MAX_INDEX + 1));
}

static void install(void)
{
    gdt_init_user();
    reload();
}

/* Ring-3 code that loops for ever; the grader looks at the CPU meanwhile. */
static void spin(void)
{
    const uintptr_t code = cmdline_hex("code", 0);
    const uintptr_t stack = cmdline_hex("stack", 0);

    memcpy(scenario_user_page(code), scenario_module("probe", 1),
           module_find("probe")->bytes);
    scenario_user_page(stack);
    install();
    kprintf("[ringlab] spinning\n");
    scenario_far_ring3(code + cmdline_hex("entry", 0), stack + 0xff0);
}

SCENARIO("gdt-encode", 100, encode);
SCENARIO("gdt-set", 100, set);
SCENARIO("gdt-user", 100, gdt_init_user);
SCENARIO("gdt-reload", 100, reload);
SCENARIO("gdt-install", 100, install);
SCENARIO("gdt-spin", 100, spin);
