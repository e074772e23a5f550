/* SPDX-License-Identifier: MIT */
/* Spaces that keep no empty tables. */
#include <arch/cpu.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>
#include <thread.h>

static pte_t *below(pte_t entry)
{
    return (pte_t *)(uintptr_t)(entry & PTE_ADDRESS);
}

static bool is_empty(const pte_t *table)
{
    for (unsigned i = 0; i < PAGING_ENTRIES; i++) {
        if (table[i] & PTE_PRESENT) {
            return false;
        }
    }
    return true;
}

static bool is_page_of_ring_3(uintptr_t va)
{
    return !(va % PAGE_BYTES || va < USER_BASE || va >= USER_END);
}

/* Free the tables on the way to va that hold nothing, from the lowest on. */
static void tidy(pte_t *table, unsigned level, uintptr_t va)
{
    pte_t *entry = &table[pte_index(va, level)];

    if (level == 1 || !(*entry & PTE_PRESENT)) {
        return;
    }
    tidy(below(*entry), level - 1, va);
    if (is_empty(below(*entry))) {
        frame_free((uintptr_t)below(*entry));
        *entry = 0;
    }
}

int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights)
{
    pte_t *table = (pte_t *)root_pa;
    pte_t entry = PTE_PRESENT | PTE_USER;

    if (!is_page_of_ring_3(va)) {
        return E_INVAL;
    }
    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        pte_t *above = &table[pte_index(va, level)];

        if (!(*above & PTE_PRESENT)) {
            *above = frame_alloc();
            if (*above == 0) {
                tidy((pte_t *)root_pa, PAGING_LEVELS, va);
                tlb_flush_page(va);
                return E_NOMEM;
            }
            *above |= PTE_PRESENT | PTE_WRITE;
        }
        *above |= PTE_USER;
        table = below(*above);
    }
    table += pte_index(va, 1);
    if (*table & PTE_PRESENT) {
        return E_INVAL;
    }
    entry |= frame_pa;
    entry |= rights & SPACE_WRITE ? PTE_WRITE : 0;
    entry |= rights & SPACE_EXEC ? 0 : paging_no_execute();
    *table = entry;
    return E_OK;
}

uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va)
{
    pte_t *table = (pte_t *)root_pa;
    uintptr_t frame_pa;

    if (!is_page_of_ring_3(va)) {
        return 0;
    }
    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        table += pte_index(va, level);
        if (!(*table & PTE_PRESENT)) {
            return 0;
        }
        table = below(*table);
    }
    table += pte_index(va, 1);
    if (!(*table & PTE_PRESENT)) {
        return 0;
    }
    frame_pa = (uintptr_t)below(*table);
    *table = 0;
    tidy((pte_t *)root_pa, PAGING_LEVELS, va);
    tlb_flush_page(va); /* the tables on the way, too */
    return frame_pa;
}

/* The first page of ring 3 below a table whose first entry serves from_va; 0: none. */
static uintptr_t first_page(const pte_t *table, unsigned level, uintptr_t from_va)
{
    uintptr_t step = PAGE_BYTES;

    for (unsigned i = 1; i < level; i++) {
        step *= PAGING_ENTRIES;
    }
    for (unsigned i = 0; i < PAGING_ENTRIES; i++) {
        const uintptr_t va = from_va + i * step;

        if (va + (step - 1) >= USER_BASE && table[i] & PTE_PRESENT) {
            const uintptr_t found_va =
                level == 1 ? va : first_page(below(table[i]), level - 1, va);

            if (found_va != 0) {
                return found_va;
            }
        }
    }
    return 0;
}

void space_destroy(uintptr_t root_pa)
{
    pte_t *root = (pte_t *)root_pa;
    uintptr_t va;

    while ((va = first_page(root, PAGING_LEVELS, 0)) != 0) {
        frame_free(space_unmap(root_pa, va));
    }
    if (PAGING_LEVELS > 2) {
        frame_free((uintptr_t)below(root[0])); /* the kernel is in it */
    }
    frame_free(root_pa);
}

void space_switch(struct thread *prev, struct thread *next)
{
    const struct space *from = prev->process, *to = next->process;

    if (from != to || !to) {
        write_cr3(to ? to->root_pa : paging_kernel_root());
    } else if (read_cr3() != to->root_pa) {
        write_cr3(to->root_pa);
    }
}

uintptr_t user_stack_create(void)
{
    const uintptr_t root_pa = read_cr3();
    uintptr_t va = USER_STACK_TOP;
    bool whole = true;

    while (whole && va > USER_STACK_TOP - USER_STACK_PAGES * PAGE_BYTES) {
        const uintptr_t frame_pa = frame_alloc();

        whole = frame_pa != 0 &&
                space_map(root_pa, va - PAGE_BYTES, frame_pa, SPACE_WRITE) == E_OK;
        if (whole) {
            va -= PAGE_BYTES;
        } else if (frame_pa != 0) {
            frame_free(frame_pa);
        }
    }
    while (!whole && va < USER_STACK_TOP) {
        frame_free(space_unmap(root_pa, va));
        va += PAGE_BYTES;
    }
    return whole ? USER_STACK_TOP : 0;
}
