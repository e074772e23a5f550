/* SPDX-License-Identifier: MIT */
/* The task state segment: kernel stack and I/O permissions. */
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <string.h>
#include <task.h>

/* TASK 2.2: the TSS itself, which must stay where it is for good */

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    /* TASK 2.1: a system descriptor, present, DPL 0, limit in bytes */
    TASK_OPEN("2.1");
}

void tss_init(void)
{
    /* TASK 2.2: fill the TSS, write its descriptor, enlarge GDTR's limit */
    TASK_OPEN("2.2");
}

void tss_set_kernel_stack(uintptr_t top)
{
    /* TASK 2.4: where the CPU reads the stack pointer of ring 0 */
    TASK_OPEN("2.4");
}
