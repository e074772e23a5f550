/* SPDX-License-Identifier: MIT */
/* The grader's scenarios, but short. */
#include <console.h>
#include <course/02-tss.h>
#include <init.h>
#include <task.h>

static void nothing(void)
{
    kprintf("nothing to do\n");
}

SCENARIO("tss-init", 0, nothing);

__attribute__((constructor)) static void early(void)
{
    nothing();
}

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    TASK_OPEN("2.1");
}

void tss_init(void)
{
    TASK_OPEN("2.2");
}

void tss_set_kernel_stack(uintptr_t top)
{
    TASK_OPEN("2.4");
}
