/* SPDX-License-Identifier: MIT */
/* Naked entries of all faults, and the task of the double fault on a static stack. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <string.h>

/* Everything that is not the CPU's; the vector and the error code lie above. */
#define REST                                                                           \
    "pushal\n"                                                                         \
    "push %ds\n"                                                                       \
    "push %es\n"                                                                       \
    "push %fs\n"                                                                       \
    "push %gs\n"                                                                       \
    "cld\n"                                                                            \
    "mov $0x10, %ax\n"                                                                 \
    "mov %ax, %ds\n"                                                                   \
    "mov %ax, %es\n"                                                                   \
    "mov %ax, %fs\n"                                                                   \
    "mov %ax, %gs\n"                                                                   \
    "mov %esp, %ebp\n"                                                                 \
    "and $-16, %esp\n"                                                                 \
    "sub $12, %esp\n"                                                                  \
    "push %ebp\n"                                                                      \
    "call fault_dispatch\n"                                                            \
    "mov %ebp, %esp\n"                                                                 \
    "pop %gs\n"                                                                        \
    "pop %fs\n"                                                                        \
    "pop %es\n"                                                                        \
    "pop %ds\n"                                                                        \
    "popal\n"                                                                          \
    "add $8, %esp\n"                                                                   \
    "iretl"

#define ENTRY(name, first)                                                             \
    __attribute__((naked)) void name(void)                                             \
    {                                                                                  \
        __asm__ volatile(first REST);                                                  \
    }

ENTRY(fault_entry_de, "push $0\npush $0\n")
ENTRY(fault_entry_ud, "push $0\npush $6\n")
ENTRY(fault_entry_gp, "push $13\n")
ENTRY(fault_entry_pf, "push $14\n")

static struct tss second;
static uint8_t stack[8192] __attribute__((aligned(16)));

static void take_over(void)
{
    const struct tss *first = tss_at(second.link);
    struct trap_frame frame = {.vector = 8, .ip = first->eip, .cs = first->cs};

    fault_report(&frame);
    double_fault_end();
}

void double_fault_init(void)
{
    uint64_t descriptor;

    second = (struct tss){
        .cr3 = read_cr3(),
        .eip = (uintptr_t)take_over,
        .eflags = 2,
        .esp = (uintptr_t)(stack + sizeof(stack) - 4),
        .cs = SEL_KCODE,
        .ss = SEL_KDATA,
        .ds = SEL_KDATA,
        .es = SEL_KDATA,
        .iomap_base = 0xffff,
    };
    tss_encode((uintptr_t)&second, 0x67, &descriptor);
    gdt_set(GDT_INDEX_DF_TSS, descriptor);
    gdt_reload(GDT_INDEX_DF_TSS + 1);
    idt_set_gate(8, 0, SEL_DF_TSS, GATE_PRESENT | GATE_TASK, 0);
}
