/* SPDX-License-Identifier: MIT */
/* What the demo asks of each architecture. */
#ifndef TSS_DEMO_H
#define TSS_DEMO_H

#include <arch/tss.h>

/* Print where the CPU finds the kernel stack when it comes from ring 3. */
void demo_stack(const struct tss *tss);

#endif
