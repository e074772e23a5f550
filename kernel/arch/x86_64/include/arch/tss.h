/* SPDX-License-Identifier: MIT */
/*
 * The task state segment of long mode. The CPU reads rsp0 from it when it comes from
 * ring 3 to ring 0, and one of the IST stacks when a gate asks for it. There is no ss0:
 * SS becomes the null selector. There is no task switching, and so no saved registers.
 *
 * Its descriptor takes two slots of the GDT, as the base has 64 bits:
 *
 *   31                                                              0
 *  +-----------------------------------------------------------------+
 *  |                                0                                |  bytes 12-15
 *  +-----------------------------------------------------------------+
 *  |                           base 63..32                           |  bytes 8-11
 *  +-----------------------------------------------------------------+
 *  |       a descriptor as in arch/segment.h, with base 31..0        |  bytes 0-7
 *  +-----------------------------------------------------------------+
 *
 * Source: SDM 3A "Task Management in 64-bit Mode" (7.7), "TSS Descriptor in 64-bit
 * mode" (7.2.3), SDM 1 "I/O Permission Bit Map" (19.5.2).
 */
#ifndef ARCH_TSS_H
#define ARCH_TSS_H

#include <types.h>

#define TSS_DESC_SLOTS 2 /* a descriptor of 16 bytes */
#define TSS_IST_SLOTS 7

/* Gates count the IST slots from 1, 0 being none: slot n is ist[n - 1]. */
#define IST_DOUBLE_FAULT 1

struct tss {
    uint32_t reserved0;
    uint64_t rsp0;
    uint64_t rsp1;
    uint64_t rsp2;
    uint64_t reserved1;
    uint64_t ist[TSS_IST_SLOTS]; /* the interrupt stack table: tops of stacks */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base; /* offset of the I/O bitmap; beyond the limit there is none */
} PACKED;
_Static_assert(sizeof(struct tss) == 104, "64-bit TSS");
_Static_assert(offsetof(struct tss, rsp0) == 4, "rsp0");
_Static_assert(offsetof(struct tss, ist) == 36, "IST1");
_Static_assert(offsetof(struct tss, iomap_base) == 102, "I/O map base");

/* Provided: the TSS whose descriptor in the GDT this selector names. */
struct tss *tss_at(uint16_t selector);

#endif
