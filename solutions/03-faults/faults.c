/* SPDX-License-Identifier: MIT */
/* The gates of the faults, and the line that tells what happened. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>
#include <fault.h>
#include <task.h>

void fault_init(void)
{
    /* BEGIN SOLUTION 3.2: an interrupt gate for each of the four entries */
    const uint8_t attributes = GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT;

    idt_set_gate(VEC_DE, (uintptr_t)fault_entry_de, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_UD, (uintptr_t)fault_entry_ud, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_GP, (uintptr_t)fault_entry_gp, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_PF, (uintptr_t)fault_entry_pf, SEL_KCODE, attributes, 0);
    /* END SOLUTION 3.2 */
}

/* BEGIN SOLUTION 3.3: helpers for the report go here */
static const char *table_name(unsigned error)
{
    if (error & ERROR_IDT) {
        return "idt";
    }
    return error & ERROR_LDT ? "ldt" : "gdt";
}

static const char *access_name(unsigned error)
{
    if (error & PF_FETCH) {
        return "fetch";
    }
    return error & PF_WRITE ? "write" : "read";
}
/* END SOLUTION 3.3 */

void fault_report(const struct trap_frame *frame)
{
    /* BEGIN SOLUTION 3.3: the line that course/03-faults.h describes */
    const int digits = 2 * sizeof(uintptr_t);
    const unsigned error = frame->error;

    kprintf("fault %s vector=%u error=0x%08x cs=0x%04x rpl=%u ip=0x%0*lx",
            vector_name(frame->vector), (unsigned)frame->vector, error,
            (unsigned)(frame->cs & 0xffff), (unsigned)SEL_RPL(frame->cs), digits,
            (unsigned long)frame->ip);
    if (frame->vector == VEC_GP && error != 0) {
        kprintf(" %s index=%u", table_name(error), ERROR_INDEX(error));
    }
    if (frame->vector == VEC_PF) {
        kprintf(" cr2=0x%0*lx %s %s %s", digits, (unsigned long)read_cr2(),
                error & PF_USER ? "user" : "kernel", access_name(error),
                error & PF_PRESENT ? "present" : "absent");
    }
    kprintf("\n");
    /* END SOLUTION 3.3 */
}
