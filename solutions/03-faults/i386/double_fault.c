/* SPDX-License-Identifier: MIT */
/* #DF as a task of its own: the CPU switches to a TSS whose stack is surely good. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>
#include <task.h>

/* BEGIN SOLUTION 3.4: the TSS of the double-fault task, and where it starts. The CPU
 * jumps there: where C looks for the return address lies the error code, so that the
 * function takes no argument and must not return. */
static struct tss df_tss;

static void double_fault_start(void)
{
    /* The CPU wrote the registers of the task that failed into that task's TSS. */
    const struct tss *failed = tss_at(df_tss.link);
    struct trap_frame frame;

    memset(&frame, 0, sizeof(frame));
    frame.vector = VEC_DF;
    frame.ip = failed->eip;
    frame.cs = failed->cs;
    frame.flags = failed->eflags;
    frame.sp = failed->esp;
    frame.ss = failed->ss;
    fault_report(&frame);
    double_fault_end();
}
/* END SOLUTION 3.4 */

void double_fault_init(void)
{
    /* BEGIN SOLUTION 3.4: fill the TSS, its descriptor, a task gate that names it */
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
    /* END SOLUTION 3.4 */
}
