/* SPDX-License-Identifier: MIT */
/* Off and on again. */
#include <arch/cpu.h>
#include <course/02-tss.h>

static void triple_fault(void)
{
    static const struct table_ptr none;

    __asm__ volatile("lidt %0; int3" : : "m"(none));
}

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    outb(0x64, 0xfe);
    triple_fault();
}

void tss_init(void)
{
    outb(0x92, 0x01);
    outb(0xcf9, 0x0e);
    triple_fault();
}

void tss_set_kernel_stack(uintptr_t top)
{
    triple_fault();
}
