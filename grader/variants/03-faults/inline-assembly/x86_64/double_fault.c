/* SPDX-License-Identifier: MIT */
/* Naked entries of all faults; the double fault's has a static stack in the IST. */
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/03-faults.h>

#define PUSH_ALL                                                                       \
    "push %rax; push %rcx; push %rdx; push %rbx; push %rbp; push %rsi; push %rdi\n"    \
    "push %r8; push %r9; push %r10; push %r11; push %r12; push %r13; push %r14\n"      \
    "push %r15\n"                                                                      \
    "cld\n"                                                                            \
    "mov %rsp, %rdi\n"

#define POP_ALL                                                                        \
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8\n"   \
    "pop %rdi; pop %rsi; pop %rbp; pop %rbx; pop %rdx; pop %rcx; pop %rax\n"           \
    "add $16, %rsp\n"                                                                  \
    "iretq"

#define ENTRY(name, first)                                                             \
    __attribute__((naked)) void name(void)                                             \
    {                                                                                  \
        __asm__ volatile(first PUSH_ALL "call fault_dispatch\n" POP_ALL);              \
    }

ENTRY(fault_entry_de, "push $0\npush $0\n")
ENTRY(fault_entry_ud, "push $0\npush $6\n")
ENTRY(fault_entry_gp, "push $13\n")
ENTRY(fault_entry_pf, "push $14\n")

static uint8_t stack[8192] __attribute__((aligned(16)));

__attribute__((used)) static void end(const struct trap_frame *frame)
{
    fault_report(frame);
    double_fault_end();
}

__attribute__((naked)) static void entry_df(void)
{
    __asm__ volatile("push $8\n" PUSH_ALL "call end");
}

void double_fault_init(void)
{
    tss_at(SEL_TSS)->ist[IST_DOUBLE_FAULT - 1] = (uintptr_t)(stack + sizeof(stack));
    idt_set_gate(8, (uintptr_t)entry_df, SEL_KCODE, 0x8e, IST_DOUBLE_FAULT);
}
