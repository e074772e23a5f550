/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries of 32-bit paging: two levels of 1024 entries.
 *
 *   31                    22 21                  12 11                   0
 *  +------------------------+----------------------+----------------------+
 *  | directory (level 2)    |  table (level 1)     |  offset in the page  |
 *  +------------------------+----------------------+----------------------+
 *
 * Source: SDM 3A "32-Bit Paging" (4.3).
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <types.h>

typedef uint32_t pte_t;

#define PAGING_LEVELS 2
#define PAGING_ENTRIES 1024

#define PTE_PRESENT 0x001u
#define PTE_WRITE 0x002u
#define PTE_USER 0x004u
#define PTE_LARGE 0x080u
#define PTE_ADDRESS 0xfffff000u /* the frame that the entry names */

/* Which entry of a table of this level, 1 to PAGING_LEVELS, serves va. */
static inline unsigned pte_index(uintptr_t va, unsigned level)
{
    return (va >> (12 + 10 * (level - 1))) & (PAGING_ENTRIES - 1);
}

#endif
