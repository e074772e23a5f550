/* SPDX-License-Identifier: MIT */
/* A task gate, written where the CPU looks for it. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>

static union {
    struct tss tss;
    uint32_t words[26];
} task;

static void start(void)
{
    struct trap_frame frame;
    const struct tss *failed = tss_at(task.words[0] & 0xffff);

    memset(&frame, 0, sizeof(frame));
    frame.vector = VEC_DF;
    frame.cs = failed->cs;
    frame.ip = failed->eip;
    fault_report(&frame);
    double_fault_end();
}

void double_fault_init(void)
{
    uint64_t slot[TSS_DESC_SLOTS];
    struct table_ptr idt;
    uint32_t *gate;

    for (unsigned word = 18; word <= 23; word++) {
        task.words[word] = SEL_KDATA; /* es cs ss ds fs gs */
    }
    task.tss.cs = SEL_KCODE;
    task.tss.cr3 = read_cr3();
    task.tss.eip = (uintptr_t)start;
    task.tss.eflags = cpu_flags() & 2;
    task.tss.esp = kstack_alloc();
    task.tss.iomap_base = sizeof(task);
    tss_encode((uintptr_t)&task, sizeof(task) - 1, slot);
    gdt[GDT_INDEX_DF_TSS] = slot[0];
    gdt_reload(GDT_INDEX_DF_TSS + 1);
    __asm__ volatile("sidt %0" : "=m"(idt));
    gate = (uint32_t *)(idt.base + 8 * VEC_DF);
    gate[0] = (uint32_t)SEL_DF_TSS << 16;
    gate[1] = 0x8500;
}
