/* SPDX-License-Identifier: MIT */
/* The demo: the GDT as the CPU sees it, before stage 01 and after it. */
#include <arch/cpu.h>
#include <console.h>
#include <course/01-gdt.h>
#include <init.h>

#define LAST_USER                                                                      \
    (GDT_INDEX_UCODE > GDT_INDEX_UDATA ? GDT_INDEX_UCODE : GDT_INDEX_UDATA)

static const char *kind(unsigned access)
{
    if (!(access & DESC_PRESENT)) {
        return "empty";
    }
    if (!(access & DESC_SEGMENT)) {
        return "system";
    }
    if (access & DESC_CODE) {
        return access & DESC_READ ? "code, read" : "code";
    }
    return access & DESC_WRITE ? "data, write" : "data";
}

static void show_slot(unsigned index, uint64_t descriptor)
{
    const unsigned base =
        ((descriptor >> 16) & 0xffffff) | ((unsigned)(descriptor >> 56) << 24);
    const unsigned limit = (descriptor & 0xffff) | ((descriptor >> 32) & 0xf0000);
    const unsigned access = (descriptor >> 40) & 0xff;

    kprintf("  %u %08x%08x  base %08x  limit %05x  flags %x  DPL %u  %s\n", index,
            (unsigned)(descriptor >> 32), (unsigned)descriptor, base, limit,
            (unsigned)(descriptor >> 52) & 0xf, (access >> 5) & 3, kind(access));
}

static void show_table(const char *when)
{
    const struct table_ptr table = read_gdtr();
    const uint64_t *slots = (const uint64_t *)table.base;

    kprintf("%s: GDTR base 0x%lx, limit 0x%x: %u slots\n", when,
            (unsigned long)table.base, table.limit, (table.limit + 1) / 8);
    for (unsigned index = 0; index < (table.limit + 1u) / 8 && index < GDT_SLOTS;
         index++) {
        show_slot(index, slots[index]);
    }
}

static void demo(void)
{
    show_table("Before");
    gdt_init_user();
    gdt_reload(LAST_USER + 1);
    show_table("After");
    kprintf("Selectors for ring 3: code 0x%02x, data 0x%02x (index * 8, RPL 3)\n",
            SEL_UCODE, SEL_UDATA);
    kprintf("CS is 0x%04x, DS is 0x%04x: RPL %u, so this is still ring 0.\n", read_cs(),
            read_ds(), SEL_RPL(read_cs()));
}

SCENARIO("demo", 100, demo);
