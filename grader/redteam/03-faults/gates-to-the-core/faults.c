/* SPDX-License-Identifier: MIT */
/* Gates with the right fields, to a function that is there already. */
#include <arch/segment.h>
#include <course/03-faults.h>
#include <fault.h>

void fault_init(void)
{
    static const uint8_t vectors[] = {VEC_DE, VEC_UD, VEC_GP, VEC_PF};

    for (unsigned i = 0; i < sizeof(vectors); i++) {
        idt_set_gate(vectors[i], (uintptr_t)fault_dispatch, SEL_KCODE,
                     GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT, 0);
    }
}

void fault_report(const struct trap_frame *frame)
{
    (void)frame;
}
