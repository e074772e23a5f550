/* SPDX-License-Identifier: MIT */
/* 32-bit paging: the kernel's identity map, and the way to any entry. */
#include <arch/cpu.h>
#include <memmap.h>
#include <panic.h>
#include <paging.h>

#define CR0_WP 0x00010000u
#define CR0_PG 0x80000000u

#define TABLE_SPAN (PAGING_ENTRIES * PAGE_BYTES) /* what one page table maps */
#define IDENTITY_TABLES (IDENTITY_END / TABLE_SPAN)
_Static_assert(IDENTITY_END % TABLE_SPAN == 0, "whole page tables");

extern char boot_stack_guard[];
extern char image_text_start[];
extern char image_text_end[];

static pte_t directory[PAGING_ENTRIES] __attribute__((aligned(PAGE_BYTES)));
static pte_t identity[IDENTITY_TABLES][PAGING_ENTRIES]
    __attribute__((aligned(PAGE_BYTES)));

pte_t *pte_slot(uintptr_t va, unsigned level)
{
    pte_t *table = (pte_t *)(read_cr3() & PTE_ADDRESS);

    KASSERT(level >= 1 && level <= PAGING_LEVELS);
    for (unsigned above = PAGING_LEVELS; above > level; above--) {
        pte_t entry = table[pte_index(va, above)];

        if (!(entry & PTE_PRESENT)) {
            return NULL;
        }
        table = (pte_t *)(entry & PTE_ADDRESS);
    }
    return &table[pte_index(va, level)];
}

/* Code and constants are read-only, also for the kernel: CR0.WP is set. */
static pte_t identity_entry(uintptr_t pa)
{
    if (pa >= (uintptr_t)image_text_start && pa < (uintptr_t)image_text_end) {
        return pa | PTE_PRESENT;
    }
    return pa | PTE_PRESENT | PTE_WRITE;
}

void paging_init(void)
{
    uint32_t cr0;

    for (uintptr_t pa = 0; pa < IDENTITY_END; pa += PAGE_BYTES) {
        identity[pa / TABLE_SPAN][pte_index(pa, 1)] = identity_entry(pa);
    }
    for (unsigned i = 0; i < IDENTITY_TABLES; i++) {
        directory[i] = (uintptr_t)identity[i] | PTE_PRESENT | PTE_WRITE;
    }
    identity[0][0] = 0;
    write_cr3((uintptr_t)directory);
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 |= CR0_WP | CR0_PG;
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
    paging_guard((uintptr_t)boot_stack_guard);
}

void paging_guard(uintptr_t va)
{
    KASSERT(va % PAGE_BYTES == 0 && va < IDENTITY_END);
    *pte_slot(va, 1) = 0;
    tlb_flush_page(va);
}

uintptr_t paging_kernel_root(void)
{
    return (uintptr_t)directory;
}

pte_t paging_no_execute(void)
{
    return 0; /* two levels have no such bit */
}
