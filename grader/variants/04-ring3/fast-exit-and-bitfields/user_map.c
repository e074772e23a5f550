/* SPDX-License-Identifier: MIT */
/* Pages that ring 3 may use; an entry of a table is a structure of bits. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

union entry {
    pte_t word;
    struct {
        pte_t present : 1;
        pte_t writable : 1;
        pte_t user : 1;
        pte_t other : 9;
        pte_t number : sizeof(pte_t) == 4 ? 20 : 40;
    };
};

/* The table below an entry is there and open; what it lets through, others decide. */
static bool open_table(union entry *entry)
{
    if (!entry->present) {
        const uintptr_t frame = frame_alloc();

        if (frame == 0) {
            return false;
        }
        entry->word = 0;
        entry->number = frame / PAGE_BYTES;
        entry->writable = 1;
        entry->present = 1;
    }
    entry->user = 1;
    return true;
}

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    unsigned level = PAGING_LEVELS;
    union entry *page;

    if (va & 0xfff || va < USER_BASE || va > USER_END - 1) {
        return E_INVAL;
    }
    do {
        if (!open_table((union entry *)pte_slot(va, level))) {
            return E_NOMEM;
        }
    } while (--level > 1);
    page = (union entry *)pte_slot(va, 1);
    if (page->present) {
        return E_INVAL;
    }
    page->number = frame_pa / PAGE_BYTES;
    page->user = 1;
    page->writable = flags == USER_MAP_WRITE;
    page->present = 1;
    return E_OK;
}
