/* SPDX-License-Identifier: MIT */
/* The stack of the double fault stands in the last slot of the IST. */
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/03-faults.h>
#include <memory.h>

#define SLOT 7

struct pushed {
    uint64_t error;
    uint64_t ip;
    uint64_t cs;
    uint64_t flags;
    uint64_t sp;
    uint64_t ss;
};

static uint8_t *stack_top;

/* What the CPU pushed lies directly below the top of the stack. */
static void on_double_fault(void)
{
    const struct pushed *pushed = (const struct pushed *)stack_top - 1;
    const struct trap_frame frame = {
        .vector = VEC_DF,
        .error = pushed->error,
        .ip = pushed->ip,
        .cs = pushed->cs,
        .flags = pushed->flags,
        .sp = pushed->sp,
        .ss = pushed->ss,
    };

    fault_report(&frame);
    double_fault_end();
}

void double_fault_init(void)
{
    struct tss *tss = tss_at(SEL_TSS);

    stack_top = (uint8_t *)kstack_alloc();
    tss->ist[SLOT - 1] = (uint64_t)stack_top;
    idt_set_gate(VEC_DF, (uintptr_t)on_double_fault, SEL_KCODE,
                 GATE_PRESENT | GATE_INTERRUPT, SLOT);
}
