/* SPDX-License-Identifier: MIT */
/* A new tree: the same text for any number of levels. */
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>

/* How many bytes the entries of a table below this level serve. */
static uintptr_t span(unsigned level)
{
    uintptr_t bytes = PAGE_BYTES;

    while (--level > 0) {
        bytes *= PAGING_ENTRIES;
    }
    return bytes;
}

static uintptr_t copy(uintptr_t kernels_pa, unsigned level)
{
    const pte_t *kernels = (const pte_t *)kernels_pa;
    const unsigned border = pte_index(USER_BASE, level);
    const uintptr_t table_pa = frame_alloc();
    pte_t *table = (pte_t *)table_pa;

    if (table_pa == 0) {
        return 0;
    }
    for (unsigned i = 0; i < border; i++) {
        table[i] = kernels[i];
    }
    if (USER_BASE % span(level) != 0) {
        const uintptr_t below_pa =
            copy((uintptr_t)(kernels[border] & PTE_ADDRESS), level - 1);

        if (below_pa == 0) {
            frame_free(table_pa);
            return 0;
        }
        table[border] = below_pa | PTE_PRESENT | PTE_WRITE;
    }
    return table_pa;
}

uintptr_t space_create(void)
{
    return copy(paging_kernel_root(), PAGING_LEVELS);
}
