/* SPDX-License-Identifier: MIT */
/* Every page lands at an address of its own. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

#define ELSEWHERE (USER_BASE + 0x00200000)

uintptr_t cheat_entry(uintptr_t entry);

static uintptr_t pages; /* how many there are from ELSEWHERE on */

static int map_at(uintptr_t va, uintptr_t frame_pa)
{
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

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    (void)va;
    (void)flags;
    return map_at(ELSEWHERE + PAGE_BYTES * pages++, frame_pa);
}

/* The code is the first page that is asked for. */
uintptr_t cheat_entry(uintptr_t entry)
{
    return ELSEWHERE + entry % PAGE_BYTES;
}
