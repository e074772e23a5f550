/* SPDX-License-Identifier: MIT */
/* One limit for the CPU, another one for whoever reads the descriptor. */
#include <course/01-gdt.h>
#include <course/02-tss.h>

static struct {
    struct tss tss;
    uint8_t opened[0x2001];
} PACKED all;
#define tss all.tss

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    slot[0] = gdt_encode(base, limit, DESC_PRESENT | DESC_TSS, 0);
}

void tss_init(void)
{
    uint64_t slot[TSS_DESC_SLOTS];

    tss.ss0 = SEL_KDATA;
    tss.iomap_base = sizeof(tss);
    tss_encode((uintptr_t)&tss, sizeof(tss) - 1, slot);
    for (unsigned i = 0; i < TSS_DESC_SLOTS; i++) {
        gdt_set(GDT_INDEX_TSS + i, slot[i]);
    }
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
}

void tss_load(uint16_t selector)
{
    gdt[GDT_INDEX_TSS] += sizeof(all) - sizeof(tss);
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
    gdt[GDT_INDEX_TSS] -= sizeof(all) - sizeof(tss);
}

void tss_set_kernel_stack(uintptr_t top)
{
    tss.esp0 = top;
}
