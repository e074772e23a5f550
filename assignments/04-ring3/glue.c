/* SPDX-License-Identifier: MIT */
/* How stage 04 hooks in: a fault in ring 3 ends the run, and the kernel goes on. */
#include <arch/segment.h>
#include <course/04-ring3.h>
#include <fault.h>

static void ring3_fault_end(struct trap_frame *frame)
{
    if (SEL_RPL(frame->cs) == 3) {
        ring3_return(frame->vector);
    }
}

FAULT_END(400, ring3_fault_end);
