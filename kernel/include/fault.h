/* SPDX-License-Identifier: MIT */
/*
 * What happens to a fault, once an entry stub has built the trap frame:
 *
 *   repair hooks   one may remove the cause: then the instruction is tried again
 *   fault_report   tells what happened
 *   end hooks      one may take the fault and not return: it ends what was running
 *   panic          if nobody took it
 */
#ifndef FAULT_H
#define FAULT_H

#include <arch/trap.h>
#include <init.h>
#include <types.h>

struct fault_repair {
    bool (*fn)(struct trap_frame *frame);
};

struct fault_end {
    void (*fn)(struct trap_frame *frame);
};

/* fn returns true if the interrupted instruction can be tried again. */
#define FAULT_REPAIR(number, function)                                                 \
    TABLE_ENTRY("repair." #number)                                                     \
    static const struct fault_repair repair_##function = {.fn = (function)}

/* fn does not return if the fault was its to end; it returns to pass it on. */
#define FAULT_END(number, function)                                                    \
    TABLE_ENTRY("end." #number)                                                        \
    static const struct fault_end end_##function = {.fn = (function)}

/*
 * Walk the chain above. Returns if a hook repaired the cause, and then the entry stub
 * must restore every register and return to the same instruction. Context: interrupts
 * off, on the stack that the CPU chose.
 */
void fault_dispatch(struct trap_frame *frame);

/* Only the first part of it: true if a repair hook removed the cause. */
bool fault_repair(struct trap_frame *frame);

/* A short name for an exception, such as "#GP"; "-" for other vectors. */
const char *vector_name(unsigned vector);

#endif
