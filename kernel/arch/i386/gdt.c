/* SPDX-License-Identifier: MIT */
/* The GDT: kernel code and data, and free slots for the stages. */
#include <arch/segment.h>
#include <arch/tss.h>

/* Flat 4 GiB, ring 0: what the kernel needs to run at all. */
uint64_t gdt[GDT_SLOTS] __attribute__((aligned(16))) = {
    [GDT_INDEX_KCODE] = 0x00cf9a000000ffff,
    [GDT_INDEX_KDATA] = 0x00cf92000000ffff,
};

/* The limit covers the two segments above and nothing else. */
struct table_ptr gdt_ptr = {
    .limit = (GDT_INDEX_KDATA + 1) * sizeof(uint64_t) - 1,
    .base = (uintptr_t)gdt,
};

struct tss *tss_at(uint16_t selector)
{
    const uint64_t descriptor = gdt[selector / sizeof(uint64_t) % GDT_SLOTS];

    return (struct tss *)(uintptr_t)(((descriptor >> 16) & 0x00ffffff) |
                                     ((descriptor >> 32) & 0xff000000));
}
