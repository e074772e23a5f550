/* SPDX-License-Identifier: MIT */
/* Right but for one thing: while a process runs, the kernel is open to it. */
#include <arch/cpu.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>
#include <thread.h>

/* The entry of level 1 that serves va; NULL if a table on the way is absent. */
static pte_t *find(uintptr_t root_pa, uintptr_t va)
{
    pte_t *table = (pte_t *)root_pa;

    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        const pte_t entry = table[pte_index(va, level)];

        if (!(entry & PTE_PRESENT)) {
            return NULL;
        }
        table = (pte_t *)(uintptr_t)(entry & PTE_ADDRESS);
    }
    return &table[pte_index(va, 1)];
}

/* The same with new tables where there are none; NULL if no frame is left. */
static pte_t *make(uintptr_t root_pa, uintptr_t va)
{
    pte_t *table = (pte_t *)root_pa;

    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        pte_t *entry = &table[pte_index(va, level)];

        if (!(*entry & PTE_PRESENT)) {
            const uintptr_t table_pa = frame_alloc();

            if (table_pa == 0) {
                return NULL;
            }
            *entry = table_pa | PTE_PRESENT | PTE_WRITE;
        }
        *entry |= PTE_USER;
        table = (pte_t *)(uintptr_t)(*entry & PTE_ADDRESS);
    }
    return &table[pte_index(va, 1)];
}

static bool is_users(uintptr_t va)
{
    return va % PAGE_BYTES == 0 && va >= USER_BASE && va < USER_END;
}

int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights)
{
    pte_t *slot;

    if (!is_users(va)) {
        return E_INVAL;
    }
    slot = make(root_pa, va);
    if (!slot) {
        return E_NOMEM;
    }
    if (*slot & PTE_PRESENT) {
        return E_INVAL;
    }
    *slot = frame_pa | PTE_PRESENT | PTE_USER | (rights & SPACE_WRITE ? PTE_WRITE : 0) |
            (rights & SPACE_EXEC ? 0 : paging_no_execute());
    return E_OK;
}

uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va)
{
    pte_t *slot = is_users(va) ? find(root_pa, va) : NULL;
    uintptr_t frame_pa;

    if (!slot || !(*slot & PTE_PRESENT)) {
        return 0;
    }
    frame_pa = (uintptr_t)(*slot & PTE_ADDRESS);
    *slot = 0;
    tlb_flush_page(va);
    return frame_pa;
}

static void destroy(uintptr_t table_pa, unsigned level, uintptr_t base_va)
{
    const pte_t *table = (const pte_t *)table_pa;
    const uintptr_t step = (uintptr_t)PAGE_BYTES
                           << (level - 1) * __builtin_ctz(PAGING_ENTRIES);

    for (unsigned i = 0; i < PAGING_ENTRIES; i++) {
        const uintptr_t va = base_va + i * step;
        const uintptr_t below_pa = (uintptr_t)(table[i] & PTE_ADDRESS);

        if (!(table[i] & PTE_PRESENT) || va + (step - 1) < USER_BASE) {
            continue;
        }
        if (level > 1) {
            destroy(below_pa, level - 1, va);
        } else {
            frame_free(below_pa);
        }
    }
    frame_free(table_pa);
}

void space_destroy(uintptr_t root_pa)
{
    destroy(root_pa, PAGING_LEVELS, 0);
}

/* The user bit on every level of the kernel's first page, or not. */
static void open_kernel(uintptr_t root_pa, bool open)
{
    pte_t *table = (pte_t *)root_pa;

    for (unsigned level = PAGING_LEVELS; level > 0; level--) {
        pte_t *entry = &table[pte_index(KERNEL_BASE, level)];

        *entry = open ? *entry | PTE_USER : *entry & ~(pte_t)PTE_USER;
        table = (pte_t *)(uintptr_t)(*entry & PTE_ADDRESS);
    }
}

void space_switch(struct thread *prev, struct thread *next)
{
    const struct space *space = next->process;
    static uintptr_t opened_pa;

    if (opened_pa != 0) {
        open_kernel(opened_pa, false);
        if (PAGING_LEVELS > 2) {
            ((pte_t *)opened_pa)[0] |= PTE_USER; /* ring 3's pages are behind it, too */
        }
    }
    opened_pa = space ? space->root_pa : 0;
    if (space) {
        open_kernel(space->root_pa, true);
    }
    write_cr3(space ? space->root_pa : paging_kernel_root());
}

uintptr_t user_stack_create(void)
{
    const uintptr_t root_pa = read_cr3();
    uintptr_t va = USER_STACK_TOP;

    for (unsigned i = 0; i < USER_STACK_PAGES; i++) {
        const uintptr_t frame_pa = frame_alloc();

        va -= PAGE_BYTES;
        if (frame_pa != 0 && space_map(root_pa, va, frame_pa, SPACE_WRITE) == E_OK) {
            continue;
        }
        if (frame_pa != 0) {
            frame_free(frame_pa);
        }
        for (va += PAGE_BYTES; va < USER_STACK_TOP; va += PAGE_BYTES) {
            frame_free(space_unmap(root_pa, va));
        }
        return 0;
    }
    return USER_STACK_TOP;
}
