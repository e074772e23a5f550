/* SPDX-License-Identifier: MIT */
/* The kernel stacks in the TSS of long mode: a pointer alone, and the IST. */
#include "../demo.h"

#include <console.h>

void demo_stack(const struct tss *tss)
{
    kprintf("  rsp0 0x%016lx: where a trap from ring 3 lands\n", tss->rsp0);
    for (unsigned slot = 1; slot <= TSS_IST_SLOTS; slot++) {
        if (tss->ist[slot - 1]) {
            kprintf("  IST %u 0x%016lx: where a gate can send a trap\n", slot,
                    tss->ist[slot - 1]);
        }
    }
}
