/* SPDX-License-Identifier: MIT */
/* Pages that ring 3 may use. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>
#include <task.h>

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    /* BEGIN SOLUTION 4.1: the user bit on every level, new tables where none is */
    const pte_t writable = flags & USER_MAP_WRITE ? PTE_WRITE : 0;
    pte_t *slot;

    if (va % PAGE_BYTES != 0 || va < USER_BASE || va >= USER_END) {
        return E_INVAL;
    }
    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        slot = pte_slot(va, level);
        if (!(*slot & PTE_PRESENT)) {
            uintptr_t table_pa = frame_alloc();

            if (table_pa == 0) {
                return E_NOMEM;
            }
            *slot = table_pa | PTE_PRESENT | PTE_WRITE;
        }
        *slot |= PTE_USER;
    }
    slot = pte_slot(va, 1);
    if (*slot & PTE_PRESENT) {
        return E_INVAL;
    }
    *slot = frame_pa | PTE_PRESENT | PTE_USER | writable;
    tlb_flush_page(va);
    return E_OK;
    /* END SOLUTION 4.1 */
}
