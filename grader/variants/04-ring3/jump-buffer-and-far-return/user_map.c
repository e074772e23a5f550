/* SPDX-License-Identifier: MIT */
/* Pages that ring 3 may use: first see that it can be done, then do it. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

static bool is_user_page(uintptr_t va)
{
    return (va & (PAGE_BYTES - 1)) == 0 && va - USER_BASE < USER_END - USER_BASE;
}

static bool is_mapped(uintptr_t va)
{
    for (unsigned level = PAGING_LEVELS; level >= 1; level--) {
        const pte_t *entry = pte_slot(va, level);

        if (entry == NULL || (*entry & PTE_PRESENT) == 0) {
            return false;
        }
    }
    return true;
}

/* The lowest level that has an entry for va, so what is missing is below it. */
static unsigned lowest_level(uintptr_t va)
{
    unsigned level = 1;

    while (pte_slot(va, level) == NULL) {
        level++;
    }
    return level;
}

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    static const pte_t rights[] = {PTE_PRESENT | PTE_USER,
                                   PTE_PRESENT | PTE_USER | PTE_WRITE};
    unsigned level;

    if (!is_user_page(va) || is_mapped(va)) {
        return E_INVAL;
    }
    while ((level = lowest_level(va)) > 1) {
        const uintptr_t table_pa = frame_alloc();

        if (!table_pa) {
            return E_NOMEM;
        }
        *pte_slot(va, level) = table_pa + rights[1];
    }
    for (level = 2; level <= PAGING_LEVELS; level++) {
        *pte_slot(va, level) |= rights[1];
    }
    *pte_slot(va, 1) = frame_pa + rights[flags & USER_MAP_WRITE];
    write_cr3(read_cr3());
    return E_OK;
}
