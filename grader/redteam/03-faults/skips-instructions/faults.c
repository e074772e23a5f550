/* SPDX-License-Identifier: MIT */
/* Right gates, and no report. */
#include <arch/segment.h>
#include <course/03-faults.h>

void fault_init(void)
{
    const uint8_t attributes = GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT;

    idt_set_gate(VEC_DE, (uintptr_t)fault_entry_de, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_UD, (uintptr_t)fault_entry_ud, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_GP, (uintptr_t)fault_entry_gp, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_PF, (uintptr_t)fault_entry_pf, SEL_KCODE, attributes, 0);
}

void fault_report(const struct trap_frame *frame)
{
    (void)frame;
}
