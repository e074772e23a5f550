/* SPDX-License-Identifier: MIT */
/* Maps nine pages, then refuses. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

#define PAGES 9

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    static unsigned calls;
    pte_t *slot;

    if (++calls > PAGES) {
        return E_INVAL;
    }
    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        slot = pte_slot(va, level);
        if (!(*slot & PTE_PRESENT)) {
            *slot = frame_alloc() | PTE_PRESENT | PTE_WRITE;
        }
        *slot |= PTE_USER;
    }
    slot = pte_slot(va, 1);
    *slot = frame_pa | PTE_PRESENT | PTE_USER | (flags & 1) * PTE_WRITE;
    return E_OK;
}
