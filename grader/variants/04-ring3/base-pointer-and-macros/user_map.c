/* SPDX-License-Identifier: MIT */
/* Pages that ring 3 may use: a table says what each level gets. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

#define TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define PAGE (PTE_PRESENT | PTE_USER)

static pte_t *slots[PAGING_LEVELS + 1];

/* Fills slots[], from the top down as far as tables can be had. */
static int find_slots(uintptr_t va)
{
    for (int level = PAGING_LEVELS; level > 0; --level) {
        slots[level] = pte_slot(va, (unsigned)level);
        if (level == 1 || *slots[level] & PTE_PRESENT) {
            continue;
        }
        *slots[level] = frame_alloc();
        if (*slots[level] == 0) {
            return E_NOMEM;
        }
        *slots[level] |= TABLE;
    }
    return *slots[1] & PTE_PRESENT ? E_INVAL : E_OK;
}

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    const struct {
        bool wrong;
        int error;
    } tests[] = {
        {va << (8 * sizeof(va) - 12) != 0, E_INVAL},
        {va / PAGE_BYTES < USER_BASE / PAGE_BYTES, E_INVAL},
        {va / PAGE_BYTES >= USER_END / PAGE_BYTES, E_INVAL},
    };
    int error;

    for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (tests[i].wrong) {
            return tests[i].error;
        }
    }
    error = find_slots(va);
    if (error != E_OK) {
        return error;
    }
    *slots[1] = frame_pa | PAGE | (flags ? PTE_WRITE : 0);
    for (unsigned level = 2; level <= PAGING_LEVELS; level++) {
        *slots[level] |= TABLE;
        tlb_flush_page(va);
    }
    return E_OK;
}
