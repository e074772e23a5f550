/* SPDX-License-Identifier: MIT */
/* The kernel stack in the TSS of 32-bit mode: segment and pointer. */
#include "../demo.h"

#include <console.h>

void demo_stack(const struct tss *tss)
{
    kprintf("  ss0:esp0 0x%04x:0x%08x: where a trap from ring 3 lands\n", tss->ss0,
            tss->esp0);
}
