/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries of 4-level paging: tables of 512 entries.
 *
 *   63      48 47     39 38     30 29     21 20     12 11         0
 *  +----------+---------+---------+---------+---------+------------+
 *  | as bit   |  PML4   |  PDPT   |directory|  table  | offset in  |
 *  | 47       | level 4 | level 3 | level 2 | level 1 | the page   |
 *  +----------+---------+---------+---------+---------+------------+
 *
 * Source: SDM 3A "4-Level Paging" (4.5).
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <types.h>

typedef uint64_t pte_t;

#define PAGING_LEVELS 4
#define PAGING_ENTRIES 512

#define PTE_PRESENT 0x001ul
#define PTE_WRITE 0x002ul
#define PTE_USER 0x004ul
#define PTE_LARGE 0x080ul
#define PTE_ADDRESS 0x000ffffffffff000ul /* the frame that the entry names */
#define PTE_NX 0x8000000000000000ul      /* not to execute; reserved without EFER.NXE */

/* Which entry of a table of this level, 1 to PAGING_LEVELS, serves va. */
static inline unsigned pte_index(uintptr_t va, unsigned level)
{
    return (va >> (12 + 9 * (level - 1))) & (PAGING_ENTRIES - 1);
}

#endif
