/* SPDX-License-Identifier: MIT */
/* The chain that every fault goes through: repair, report, end, panic. */
#include <fault.h>
#include <course/03-faults.h>
#include <kernel.h>

extern const struct fault_repair table_repair_start[], table_repair_end[];
extern const struct fault_end table_end_start[], table_end_end[];

WEAK void fault_report(const struct trap_frame *frame)
{
    (void)frame;
}

bool fault_repair(struct trap_frame *frame)
{
    for (const struct fault_repair *r = table_repair_start; r < table_repair_end; r++) {
        if (r->fn(frame)) {
            return true;
        }
    }
    return false;
}

void fault_dispatch(struct trap_frame *frame)
{
    if (fault_repair(frame)) {
        return;
    }
    fault_report(frame);
    for (const struct fault_end *e = table_end_start; e < table_end_end; e++) {
        e->fn(frame);
    }
    panic_trap(frame, "nothing can go on after vector");
}
