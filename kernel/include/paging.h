/* SPDX-License-Identifier: MIT */
/* Access to the page tables of the active address space. */
#ifndef PAGING_H
#define PAGING_H

#include <arch/paging.h>
#include <types.h>

/*
 * The entry that serves va at this level of the tree that CR3 names: level 1 is the
 * page table, PAGING_LEVELS the top. NULL if an entry above is absent. The caller may
 * read and write the entry, and must call tlb_flush_page when it changed a present one.
 * Source: SDM 3A "32-Bit Paging" (4.3), "4-Level Paging" (4.5).
 */
pte_t *pte_slot(uintptr_t va, unsigned level);

/* Map the kernel and switch paging on: identity, supervisor, page 0 absent, CR0.WP. */
void paging_init(void);

/* The tree that the kernel came up with: it maps the kernel and what user_map added. */
uintptr_t paging_kernel_root(void);

/* The bit of an entry that forbids execution, or 0 on a CPU that has none. */
pte_t paging_no_execute(void);

/* Make one page of the kernel's own area absent: a guard page. va is page-aligned. */
void paging_guard(uintptr_t va);

#endif
