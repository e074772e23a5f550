/* SPDX-License-Identifier: MIT */
/* What the scenarios share. */
#include "common.h"

#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <drivers.h>
#include <kernel.h>
#include <memory.h>
#include <paging.h>

const void *scenario_module(const char *name, size_t bytes)
{
    const struct module *module = module_find(name);

    if (!module || module->bytes < bytes) {
        panic("the grader's module \"%s\" is missing or too short", name);
    }
    return (const void *)module->start_pa;
}

void *scenario_user_page(uintptr_t va)
{
    const uintptr_t frame_pa = frame_alloc();
    pte_t *slot;

    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        slot = pte_slot(va, level);
        if (!(*slot & PTE_PRESENT)) {
            *slot = frame_alloc() | PTE_PRESENT | PTE_WRITE;
        }
        *slot |= PTE_USER;
    }
    slot = pte_slot(va, 1);
    *slot = frame_pa | PTE_PRESENT | PTE_WRITE | PTE_USER;
    tlb_flush_page(va);
    return (void *)frame_pa;
}

void scenario_finish(void)
{
    char name[32] = "demo";

    cmdline_text("scenario", name, sizeof(name));
    kprintf("[ringlab] end of %s\n", name);
    scenario_done();
}

void scenario_gate(unsigned vector, void (*entry)(void), unsigned dpl)
{
    idt_set_gate(vector, (uintptr_t)entry, SEL_KCODE,
                 GATE_PRESENT | GATE_DPL(dpl) | GATE_INTERRUPT, 0);
}

void scenario_timer_start(unsigned hz)
{
    scenario_gate(PIC_VECTOR_BASE, scenario_entry_tick, 0);
    KASSERT(pit_set_hz(hz) == E_OK);
    pic_unmask(0);
}

void scenario_timer_stop(void)
{
    pic_mask(0);
}
