/* SPDX-License-Identifier: MIT */
/* The TSS of the double fault lies on the heap; the descriptor is written by hand. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/01-gdt.h>
#include <course/03-faults.h>
#include <memory.h>

static struct tss *task;

static void on_double_fault(void)
{
    const struct tss *old = tss_at(SEL_TSS);
    const struct trap_frame frame = {
        .vector = VEC_DF,
        .ip = old->eip,
        .cs = old->cs,
        .flags = old->eflags,
        .sp = old->esp,
        .ss = old->ss,
        .ebp = old->ebp,
    };

    fault_report(&frame);
    double_fault_end();
}

void double_fault_init(void)
{
    const uint64_t limit = sizeof(*task) - 1;
    uint64_t base;

    task = kzalloc(sizeof(*task));
    task->esp0 = task->esp = kstack_alloc();
    task->ss0 = task->ss = SEL_KDATA;
    task->ds = task->es = task->fs = task->gs = SEL_KDATA;
    task->cs = SEL_KCODE;
    task->eip = (uintptr_t)on_double_fault;
    task->cr3 = read_cr3();
    base = (uintptr_t)task;
    gdt_set(GDT_INDEX_DF_TSS,
            limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24) << 56);
    gdt_reload(GDT_SLOTS);
    idt_set_gate(VEC_DF, 0, SEL_DF_TSS, 0x85, 0);
}
