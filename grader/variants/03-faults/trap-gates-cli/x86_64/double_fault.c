/* SPDX-License-Identifier: MIT */
/* The double fault builds a whole frame on a page frame of its own. */
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/03-faults.h>
#include <memory.h>

void double_fault_task(void);
void double_fault_step(const struct trap_frame *frame);

void double_fault_step(const struct trap_frame *frame)
{
    fault_report(frame);
    double_fault_end();
}

void double_fault_init(void)
{
    struct tss *tss = tss_at(SEL_TSS);
    const uintptr_t page = frame_alloc();

    tss->ist[0] = page + PAGE_BYTES;
    idt_set_gate(VEC_DF, (uintptr_t)double_fault_task, SEL_KCODE, 0x8e, 1);
}
