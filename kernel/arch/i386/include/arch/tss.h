/* SPDX-License-Identifier: MIT */
/*
 * The task state segment of 32-bit mode. The CPU reads ss0:esp0 from it when it comes
 * from ring 3 to ring 0; the other registers matter only for a switch through a task
 * gate. Source: SDM 3A "Task-State Segment (TSS)" (7.2.1), "I/O Permission Bit Map"
 * (SDM 1, 19.5.2).
 */
#ifndef ARCH_TSS_H
#define ARCH_TSS_H

#include <types.h>

#define TSS_DESC_SLOTS 1 /* a descriptor of 8 bytes */

struct tss {
    uint32_t link; /* selector of the task that was interrupted */
    uint32_t esp0;
    uint32_t ss0;
    uint32_t esp1;
    uint32_t ss1;
    uint32_t esp2;
    uint32_t ss2;
    uint32_t cr3;
    uint32_t eip;
    uint32_t eflags;
    uint32_t eax;
    uint32_t ecx;
    uint32_t edx;
    uint32_t ebx;
    uint32_t esp;
    uint32_t ebp;
    uint32_t esi;
    uint32_t edi;
    uint32_t es;
    uint32_t cs;
    uint32_t ss;
    uint32_t ds;
    uint32_t fs;
    uint32_t gs;
    uint32_t ldt;
    uint16_t trap;       /* bit 0: debug trap on a switch to this task */
    uint16_t iomap_base; /* offset of the I/O bitmap; beyond the limit there is none */
} PACKED;
_Static_assert(sizeof(struct tss) == 104, "32-bit TSS");
_Static_assert(offsetof(struct tss, esp0) == 4, "esp0");
_Static_assert(offsetof(struct tss, iomap_base) == 102, "I/O map base");

/* Provided: the TSS whose descriptor in the GDT this selector names. */
struct tss *tss_at(uint16_t selector);

#endif
