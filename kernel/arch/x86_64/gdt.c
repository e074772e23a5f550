/* SPDX-License-Identifier: MIT */
/* The GDT: kernel code and data, and free slots for the stages. */
#include <arch/segment.h>
#include <arch/tss.h>

/* Ring 0: what the kernel needs to run at all. L is what makes the code 64-bit. */
uint64_t gdt[GDT_SLOTS] __attribute__((aligned(16))) = {
    [GDT_INDEX_KCODE] = 0x00af9a000000ffff,
    [GDT_INDEX_KDATA] = 0x00cf92000000ffff,
};

/* The limit covers the two segments above and nothing else. */
struct table_ptr gdt_ptr = {
    .limit = (GDT_INDEX_KDATA + 1) * sizeof(uint64_t) - 1,
    .base = (uintptr_t)gdt,
};

struct tss *tss_at(uint16_t selector)
{
    const unsigned index = selector / sizeof(uint64_t) % (GDT_SLOTS - 1);
    const uint64_t low = gdt[index];

    return (struct tss *)(((low >> 16) & 0x00ffffff) | ((low >> 32) & 0xff000000) |
                          gdt[index + 1] << 32);
}
