/* SPDX-License-Identifier: MIT */
/* When stage 02 comes to life: TSS, TR, and a kernel stack for traps from ring 3. */
#include <course/02-tss.h>
#include <init.h>
#include <memory.h>
#include <panic.h>

static void tss_stage_init(void)
{
    const uintptr_t top = kstack_alloc();

    KASSERT(top != 0);
    tss_init();
    tss_load(SEL_TSS);
    tss_set_kernel_stack(top);
}

INIT(200, tss_stage_init);
