/* SPDX-License-Identifier: MIT */
/* Pages that ring 3 may use: the tables are walked by recursion, from CR3 down. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>
#include <string.h>

#define INDEX_BITS (sizeof(pte_t) == 4 ? 10 : 9)
#define PAGE_SHIFT 12

static int map_below(pte_t *table, unsigned level, uintptr_t va, pte_t leaf)
{
    const unsigned shift = PAGE_SHIFT + INDEX_BITS * (level - 1);
    pte_t *const entry = table + (((uint64_t)va >> shift) & (PAGING_ENTRIES - 1));

    if (level == 1) {
        if ((*entry & PTE_PRESENT) != 0) {
            return E_INVAL;
        }
        *entry = leaf;
        return E_OK;
    }
    if ((*entry & PTE_PRESENT) == 0) {
        void *const fresh = (void *)frame_alloc();

        if (!fresh) {
            return E_NOMEM;
        }
        memset(fresh, 0, PAGE_BYTES);
        *entry = (uintptr_t)fresh | PTE_PRESENT;
    }
    *entry |= PTE_WRITE | PTE_USER;
    return map_below((pte_t *)(uintptr_t)(*entry & PTE_ADDRESS), level - 1, va, leaf);
}

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    pte_t leaf = frame_pa | PTE_USER | PTE_PRESENT;

    if ((va | frame_pa) & (PAGE_BYTES - 1)) {
        return E_INVAL;
    }
    if (!(va >= USER_BASE && va <= USER_END - PAGE_BYTES)) {
        return E_INVAL;
    }
    if ((flags & USER_MAP_WRITE) == USER_MAP_WRITE) {
        leaf |= PTE_WRITE;
    }
    return map_below((pte_t *)(uintptr_t)(read_cr3() & PTE_ADDRESS), PAGING_LEVELS, va,
                     leaf);
}
