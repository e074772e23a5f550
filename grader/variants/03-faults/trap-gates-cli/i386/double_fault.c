/* SPDX-License-Identifier: MIT */
/* The task of the double fault starts in NASM; its stack and TSS share a page frame. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <memory.h>

void double_fault_task(void);
void double_fault_step(void);

void double_fault_step(void)
{
    struct tss *own = tss_at(read_tr());
    struct tss *failed = tss_at((uint16_t)own->link);
    struct trap_frame frame = {0};

    frame.vector = VEC_DF;
    frame.ip = failed->eip;
    frame.cs = failed->cs;
    fault_report(&frame);
    double_fault_end();
}

void double_fault_init(void)
{
    const uintptr_t frame_pa = frame_alloc();
    struct tss *tss = (struct tss *)frame_pa;
    uint64_t descriptor[TSS_DESC_SLOTS];

    tss->es = tss->ss = tss->ds = tss->fs = tss->gs = SEL_KDATA;
    tss->cs = SEL_KCODE;
    tss->cr3 = read_cr3();
    tss->eip = (uint32_t)double_fault_task;
    tss->esp = frame_pa + PAGE_BYTES;
    tss->iomap_base = sizeof(*tss);
    tss_encode((uintptr_t)tss, sizeof(*tss) - 1, descriptor);
    gdt_set(GDT_INDEX_DF_TSS, descriptor[0]);
    gdt_reload(GDT_INDEX_DF_TSS + 1);
    idt_set_gate(VEC_DF, (uintptr_t)double_fault_task, SEL_DF_TSS,
                 GATE_PRESENT | GATE_TASK, 0);
}
