/* SPDX-License-Identifier: MIT */
/* The demo: TR, the descriptor that it names, and the TSS behind that. */
#include "demo.h"

#include <arch/cpu.h>
#include <console.h>
#include <course/02-tss.h>
#include <init.h>

static void show_descriptor(const uint64_t *slot)
{
    const unsigned access = (*slot >> 40) & 0xff;

    kprintf("Descriptor 0x%08x%08x: DPL %u, type 0x%x %s\n", (unsigned)(*slot >> 32),
            (unsigned)*slot, (access >> 5) & 3, access & 0xf,
            (access & 0x1d) == DESC_TSS ? "(a TSS)" : "(no TSS)");
    kprintf("  bit 1 of the type: %s\n",
            access & 2 ? "busy, so ltr has been here" : "not busy");
}

static void demo(void)
{
    const struct table_ptr table = read_gdtr();
    const uint16_t selector = read_tr();
    const uint64_t *slot = (const uint64_t *)table.base + selector / 8;
    const struct tss *tss = tss_at(selector);
    const unsigned limit = (*slot & 0xffff) | ((*slot >> 32) & 0xf0000);

    kprintf("GDTR: limit 0x%x, %u slots\n", table.limit, (table.limit + 1) / 8);
    kprintf("TR: selector 0x%04x, slot %u of the GDT\n", selector, selector / 8);
    if (selector == 0) {
        kprintf("TR is empty: there is no TSS yet.\n");
        return;
    }
    show_descriptor(slot);
    kprintf("TSS: at 0x%lx, limit 0x%x\n", (unsigned long)(uintptr_t)tss, limit);
    demo_stack(tss);
    kprintf("  I/O map base 0x%x: %s\n", tss->iomap_base,
            tss->iomap_base + 1u > limit
                ? "beyond the limit, no bitmap, no port is open to ring 3"
                : "within the limit, so the bytes from there on open ports");
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
