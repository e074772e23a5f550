/* SPDX-License-Identifier: MIT */
/* Trap gates whose entries begin with cli, and a step of C before fault_dispatch. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>
#include <fault.h>

/* CR2 as it was when the handler began: a fault of a hook would change it. */
static uintptr_t accessed;

void fault_step(struct trap_frame *frame);

void fault_step(struct trap_frame *frame)
{
    if (frame->vector == VEC_PF) {
        accessed = read_cr2();
    }
    fault_dispatch(frame);
}

void fault_init(void)
{
    void (*const entries[])(void) = {
        [VEC_DE] = fault_entry_de,
        [VEC_UD] = fault_entry_ud,
        [VEC_GP] = fault_entry_gp,
        [VEC_PF] = fault_entry_pf,
    };

    for (unsigned vector = 0; vector <= VEC_PF; vector++) {
        if (entries[vector]) {
            idt_set_gate(vector, (uintptr_t)entries[vector], SEL_KCODE,
                         GATE_TRAP | GATE_DPL(0) | GATE_PRESENT, 0);
        }
    }
}

static void report_page(unsigned long error)
{
    const char *access = "read";

    if (error & PF_WRITE) {
        access = "write";
    }
    if (error & PF_FETCH) {
        access = "fetch";
    }
    kprintf(" cr2=0x%0*lx %s %s %s", 2 * (int)sizeof(uintptr_t),
            (unsigned long)accessed, (error & PF_USER) ? "user" : "kernel", access,
            (error & PF_PRESENT) ? "present" : "absent");
}

void fault_report(const struct trap_frame *frame)
{
    const unsigned long error = frame->error;

    kprintf("fault %s ", vector_name(frame->vector));
    kprintf("vector=%lu ", (unsigned long)frame->vector);
    kprintf("error=0x%08lx ", error);
    kprintf("cs=0x%04lx ", (unsigned long)frame->cs & 0xffff);
    kprintf("rpl=%lu ", (unsigned long)frame->cs % 4);
    kprintf("ip=0x%0*lx", 2 * (int)sizeof(uintptr_t), (unsigned long)frame->ip);
    switch (frame->vector) {
    case VEC_PF:
        report_page(error);
        break;
    case VEC_GP:
        if (error & ERROR_IDT) {
            kprintf(" idt index=%lu", error >> 3);
        } else if (error & ERROR_LDT) {
            kprintf(" ldt index=%lu", error >> 3);
        } else if (error) {
            kprintf(" gdt index=%lu", error >> 3);
        }
        break;
    default:
        break;
    }
    kprintf("\n");
}
