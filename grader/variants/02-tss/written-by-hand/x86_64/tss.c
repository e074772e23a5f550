/* SPDX-License-Identifier: MIT */
/* A TSS that is right from the start, and a descriptor byte by byte. */
#include <arch/cpu.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>

static struct tss the_tss __attribute__((aligned(128))) = {
    .iomap_base = 0xffff,
};

static void put_bytes(uint8_t *at, uintptr_t base, uint32_t limit)
{
    at[0] = limit;
    at[1] = limit >> 8;
    at[2] = base;
    at[3] = base >> 8;
    at[4] = base >> 16;
    at[5] = 0x89; /* present, DPL 0, system, available TSS */
    at[6] = limit >> 16 & 0x0f;
    at[7] = base >> 24;
    for (unsigned i = 0; i < 8; i++) {
        at[8 + i] = i < 4 ? base >> (32 + 8 * i) : 0;
    }
}

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    put_bytes((uint8_t *)slot, base, limit);
}

void tss_init(void)
{
    put_bytes((uint8_t *)&gdt[GDT_INDEX_TSS], (uintptr_t)&the_tss, 0x67);
    gdt_ptr.limit = (GDT_INDEX_TSS + TSS_DESC_SLOTS) * 8 - 1;
    __asm__ volatile("lgdt %0" : : "m"(gdt_ptr) : "memory");
}

void tss_set_kernel_stack(uintptr_t top)
{
    volatile struct tss *tss = &the_tss;

    tss->rsp0 = top;
}
