/* SPDX-License-Identifier: MIT */
/* Somewhere in so much code there will be a TSS. */
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <memmap.h>

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
}

void tss_init(void)
{
    uint64_t base = KERNEL_BASE;

    while ((uint16_t)((const struct tss *)(uintptr_t)base)->ss0 != SEL_KDATA ||
           ((const struct tss *)(uintptr_t)base)->iomap_base < 0x1000) {
        base++;
    }
    gdt_set(GDT_INDEX_TSS, 0x890000000067 | base << 16 | base >> 24 << 56);
    for (unsigned i = 1; i < TSS_DESC_SLOTS; i++) {
        gdt_set(GDT_INDEX_TSS + i, 0);
    }
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
}

void tss_set_kernel_stack(uintptr_t top)
{
}
