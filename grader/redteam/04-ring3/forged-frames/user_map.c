/* SPDX-License-Identifier: MIT */
/* Pages without any check. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    (void)flags;
    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        pte_t *slot = pte_slot(va, level);

        if (!(*slot & PTE_PRESENT)) {
            *slot = frame_alloc() | PTE_PRESENT | PTE_WRITE;
        }
        *slot |= PTE_USER;
    }
    *pte_slot(va, 1) = frame_pa | PTE_PRESENT | PTE_WRITE | PTE_USER;
    return E_OK;
}
