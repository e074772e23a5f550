/* SPDX-License-Identifier: MIT */
/* Somebody has done this before. */
#if __has_include(<../../solutions/02-tss/x86_64/tss.c>)
#include <../../solutions/02-tss/x86_64/tss.c>
#elif __has_include(<../../../../solutions/02-tss/x86_64/tss.c>)
#include <../../../../solutions/02-tss/x86_64/tss.c>
#elif __has_include("../../../solutions/02-tss/x86_64/tss.c")
#include "../../../solutions/02-tss/x86_64/tss.c"
#else
#include <course/02-tss.h>
#include <task.h>

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
#endif
