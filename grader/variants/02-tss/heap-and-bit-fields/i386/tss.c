/* SPDX-License-Identifier: MIT */
/* Nothing static: the descriptor alone knows where the TSS is. */
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <memory.h>
#include <panic.h>
#include <string.h>

struct tss_descriptor {
    unsigned limit_low : 16;
    unsigned base_low : 24;
    unsigned type : 4;
    unsigned system : 1;
    unsigned dpl : 2;
    unsigned present : 1;
    unsigned limit_high : 4;
    unsigned available : 1;
    unsigned zero : 2;
    unsigned granularity : 1;
    unsigned base_high : 8;
} __attribute__((packed));
_Static_assert(sizeof(struct tss_descriptor) == 8 * TSS_DESC_SLOTS, "its slots");

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    const struct tss_descriptor descriptor = {
        .limit_low = limit & 0xffff,
        .base_low = base & 0xffffff,
        .type = DESC_TSS,
        .present = 1,
        .limit_high = limit >> 16,
        .base_high = base >> 24 & 0xff,
    };

    memcpy(slot, &descriptor, sizeof(descriptor));
}

void tss_init(void)
{
    struct tss *tss = kmalloc(sizeof(*tss));
    uint64_t slot[TSS_DESC_SLOTS];

    if (!tss) {
        panic("no memory for the TSS");
    }
    memset(tss, 0, sizeof(*tss));
    tss->ss0 = SEL_KDATA;
    tss->iomap_base = sizeof(*tss) - 1; /* two bytes are read: one is beyond */
    tss_encode((uintptr_t)tss, sizeof(*tss) - 1, slot);
    for (int i = TSS_DESC_SLOTS - 1; i >= 0; i--) {
        if (gdt_set(GDT_INDEX_TSS + i, slot[i]) != E_OK) {
            panic("the GDT has no slot %d", GDT_INDEX_TSS + i);
        }
    }
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
}

void tss_set_kernel_stack(uintptr_t top)
{
    tss_at(SEL_TSS)->esp0 = top;
}
