/* SPDX-License-Identifier: MIT */
/*
 * Segments: the slots of the GDT, the selectors that name them, the bits of a
 * descriptor. The only place where a selector is derived.
 *
 *   31            24 23  20 19    16 15             8 7             0
 *  +----------------+------+--------+----------------+---------------+
 *  |  base 31..24   | G DB | limit  |  access byte   |  base 23..16  |  bytes 4-7
 *  |                | L A  | 19..16 | P DPL S  type  |               |
 *  +----------------+------+--------+----------------+---------------+
 *  |          base 15..0            |          limit 15..0           |  bytes 0-3
 *  +--------------------------------+--------------------------------+
 *
 * Source: SDM 3A "Segment Descriptors" (3.4.5).
 */
#ifndef ARCH_SEGMENT_H
#define ARCH_SEGMENT_H

#include <types.h>

/* The slots of the GDT, in the order that sysenter and sysexit demand. */
#define GDT_INDEX_NULL 0
#define GDT_INDEX_KCODE 1
#define GDT_INDEX_KDATA 2
#define GDT_INDEX_UCODE 3
#define GDT_INDEX_UDATA 4
#define GDT_INDEX_TSS 5
#define GDT_INDEX_DF_TSS 6 /* the TSS of the double-fault task */
#define GDT_SLOTS 8

/* A selector: index in bits 15..3, table in bit 2 (0: GDT), RPL in bits 1..0. */
#define SEL(index, rpl) (((index) << 3) | (rpl))
#define SEL_RPL(selector) ((selector)&3)

#define SEL_KCODE SEL(GDT_INDEX_KCODE, 0)
#define SEL_KDATA SEL(GDT_INDEX_KDATA, 0)
#define SEL_UCODE SEL(GDT_INDEX_UCODE, 3)
#define SEL_UDATA SEL(GDT_INDEX_UDATA, 3)
#define SEL_TSS SEL(GDT_INDEX_TSS, 0)
#define SEL_DF_TSS SEL(GDT_INDEX_DF_TSS, 0)

/* The access byte. */
#define DESC_PRESENT 0x80
#define DESC_DPL(level) ((level) << 5)
#define DESC_SEGMENT 0x10 /* S: code or data; clear for system descriptors */
#define DESC_CODE 0x08    /* executable */
#define DESC_READ 0x02    /* code: readable */
#define DESC_WRITE 0x02   /* data: writable */
#define DESC_TSS 0x09     /* system type: available 32-bit TSS */

/* The four flags above the limit, as a number from 0 to 15. */
#define DESC_PAGES 0x8 /* G: the limit counts pages of 4 KiB */
#define DESC_32BIT 0x4 /* D/B */

/* The operand of lgdt and lidt. */
struct table_ptr {
    uint16_t limit; /* offset of the table's last byte */
    uintptr_t base; /* linear address of its first */
} PACKED;
_Static_assert(sizeof(struct table_ptr) == 2 + sizeof(uintptr_t), "lgdt operand");

/* The table itself, and the operand with which the core loaded it. */
extern uint64_t gdt[GDT_SLOTS];
extern struct table_ptr gdt_ptr;

#endif
