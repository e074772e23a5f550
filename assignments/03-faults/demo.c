/* SPDX-License-Identifier: MIT */
/* The demo: faults of the kernel's own, each reported, and a fatal one. */
#include "demo.h"

#include <console.h>
#include <course/03-faults.h>
#include <fault.h>
#include <init.h>
#include <memmap.h>

/*
 * Reports the fault and goes on behind the instruction. Only a demo can do that: who
 * skips an instruction has to know that nobody needs what it would have done.
 */
static bool demo_skip(struct trap_frame *frame)
{
    if (demo_resume == 0) {
        return false;
    }
    fault_report(frame);
    frame->ip = demo_resume;
    demo_resume = 0;
    return true;
}

FAULT_REPAIR(060, demo_skip);

static void demo(void)
{
    kprintf("A division by zero:\n");
    demo_divide();
    kprintf("Bytes that are no instruction:\n");
    demo_undefined();
    kprintf("A selector with index 4095, in a GDT of a few entries:\n");
    demo_selector();
    kprintf("A read from page 0, which is absent:\n");
    demo_read(0x10);
    kprintf("A write to the kernel's own code, which is read-only:\n");
    demo_write((uintptr_t)demo_read);
    kprintf("All survived: each entry led back here.\n\n");
    kprintf(
        "Now the stack runs over. The report must name #DF, and a panic ends it:\n");
    double_fault_init();
    demo_overflow();
}

/* Sooner than double_fault_init at boot: the faults show while task 3.4 is open. */
SCENARIO("demo", 310, demo);
