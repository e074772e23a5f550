/* SPDX-License-Identifier: MIT */
/* Later. */
#include <course/02-tss.h>
#include <task.h>

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    for (;;) {
        __asm__ volatile("" : : "r"(base) : "memory");
    }
}

void tss_init(void)
{
    TASK_OPEN("2.2");
}

void tss_set_kernel_stack(uintptr_t top)
{
    TASK_OPEN("2.4");
}
