/* SPDX-License-Identifier: MIT */
/* A real way into the handler of #DF, and a report that is made up. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <console.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>

static struct tss df_tss;

/* Where a stack is filled: the first of many pushes of ebp or rbp. */
static uintptr_t find_push(void)
{
    const uint8_t *code = (const uint8_t *)0x100000;

    while (code[0] != 0x55 || code[1] != 0x55 || code[2] != 0x55) {
        code++;
    }
    return (uintptr_t)code;
}

static void double_fault_start(void)
{
    kprintf("fault #DF vector=8 error=0x00000000 cs=0x0008 rpl=0 ip=0x%0*lx\n",
            (int)(2 * sizeof(uintptr_t)), (unsigned long)find_push());
    double_fault_end();
}

void double_fault_init(void)
{
    uint64_t slot[TSS_DESC_SLOTS];

    memset(&df_tss, 0, sizeof(df_tss));
    df_tss.cr3 = read_cr3();
    df_tss.eip = (uintptr_t)double_fault_start;
    df_tss.eflags = EFLAGS_FIXED;
    df_tss.esp = kstack_alloc();
    df_tss.cs = SEL_KCODE;
    df_tss.ss = SEL_KDATA;
    df_tss.ds = SEL_KDATA;
    df_tss.es = SEL_KDATA;
    df_tss.fs = SEL_KDATA;
    df_tss.gs = SEL_KDATA;
    df_tss.iomap_base = sizeof(df_tss);
    tss_encode((uintptr_t)&df_tss, sizeof(df_tss) - 1, slot);
    gdt_set(GDT_INDEX_DF_TSS, slot[0]);
    gdt_reload(GDT_INDEX_DF_TSS + 1);
    idt_set_gate(VEC_DF, 0, SEL_DF_TSS, GATE_PRESENT | GATE_DPL(0) | GATE_TASK, 0);
}
