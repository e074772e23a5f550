/* SPDX-License-Identifier: MIT */
/* Faults by the million. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <task.h>

static uint16_t own_idt[7 * 8 / 2];

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    const struct table_ptr own = {sizeof(own_idt) - 1, (uintptr_t)own_idt};
    uint16_t *gate = own_idt + 6 * 8 / 2;
    uintptr_t entry;

    __asm__("mov $1f, %0\n"
            "jmp 2f\n"
            "1: iretl\n" /* to the same instruction again */
            "2:"
            : "=r"(entry));
    gate[0] = (uint16_t)entry;
    gate[1] = SEL_KCODE;
    gate[2] = 0x8e00;
    gate[3] = (uint16_t)(entry >> 16);
    __asm__ volatile("lidt %0; ud2" : : "m"(own));
}

void tss_init(void)
{
    TASK_OPEN("2.2");
}

void tss_set_kernel_stack(uintptr_t top)
{
    TASK_OPEN("2.4");
}
