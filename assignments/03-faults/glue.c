/* SPDX-License-Identifier: MIT */
/* What stage 03 does at boot: gates for the faults, and a way out of a double fault. */
#include <course/03-faults.h>
#include <init.h>
#include <panic.h>

void double_fault_end(void)
{
    panic("double fault: the kernel stack could not take the first one");
}

/* Two entries, so that the faults can be tried before a double fault is handled. */
INIT(300, fault_init);
INIT(310, double_fault_init);
