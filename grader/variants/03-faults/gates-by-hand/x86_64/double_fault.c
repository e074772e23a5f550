/* SPDX-License-Identifier: MIT */
/* An interrupt gate with an IST slot, written where the CPU looks for it. */
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/03-faults.h>
#include <memory.h>
#include <string.h>

struct table_image {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void start(void)
{
    struct trap_frame frame;
    const uint64_t *top = (const uint64_t *)tss_at(SEL_TSS)->ist[2];

    memset(&frame, 0, sizeof(frame));
    frame.vector = VEC_DF;
    frame.ss = top[-1];
    frame.sp = top[-2];
    frame.flags = top[-3];
    frame.cs = top[-4];
    frame.ip = top[-5];
    frame.error = top[-6];
    fault_report(&frame);
    double_fault_end();
}

void double_fault_init(void)
{
    const uint64_t offset = (uintptr_t)start;
    struct table_image idt;
    uint64_t *gate;

    tss_at(SEL_TSS)->ist[2] = kstack_alloc();
    __asm__ volatile("sidt %0" : "=m"(idt));
    gate = (uint64_t *)(idt.base + 16 * VEC_DF);
    gate[0] = (offset & 0xffff) | (uint64_t)SEL_KCODE << 16 | 3ull << 32 |
              0x8eull << 40 | (offset >> 16 & 0xffff) << 48;
    gate[1] = offset >> 32;
}
