/* SPDX-License-Identifier: MIT */
/* One structure for all that belongs to the CPU. */
#include <arch/cpu.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>

union descriptor {
    uint64_t words[TSS_DESC_SLOTS];
    uint32_t half[2 * TSS_DESC_SLOTS];
};

static struct {
    unsigned loads;
    struct tss tss;
    uintptr_t kernel_stack;
} cpu;

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    const uint32_t low = (uint32_t)base;
    const union descriptor made = {
        .half =
            {
                low << 16 | (limit & 0xffff),
                (low & 0xff000000) | (limit & 0xf0000) | 0x8900 | (low >> 16 & 0xff),
                base >> 32,
                0,
            },
    };

    for (unsigned i = 0; i < TSS_DESC_SLOTS; i++) {
        slot[i] = made.words[i];
    }
}

void tss_init(void)
{
    cpu.loads++;
    cpu.tss.iomap_base = UINT16_MAX;
    tss_encode((uintptr_t)&cpu.tss, sizeof(cpu.tss) - 1, gdt + GDT_INDEX_TSS);
    gdt_reload(GDT_SLOTS);
}

void tss_set_kernel_stack(uintptr_t top)
{
    cpu.kernel_stack = top;
    cpu.tss.rsp0 = cpu.kernel_stack;
}
