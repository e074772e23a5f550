/* SPDX-License-Identifier: MIT */
/* A tree that is its own branches. */
#include <arch/cpu.h>
#include <console.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>
#include <thread.h>

/* Every entry names the table that it stands in; a second frame is only taken. */
uintptr_t space_create(void)
{
    const uintptr_t root_pa = frame_alloc(), other_pa = frame_alloc();

    if (root_pa == 0 || other_pa == 0) {
        if (root_pa != 0) {
            frame_free(root_pa);
        }
        return 0;
    }
    for (unsigned i = 0; i < PAGING_ENTRIES; i++) {
        ((pte_t *)root_pa)[i] = root_pa | PTE_PRESENT | PTE_WRITE | PTE_USER;
    }
    return root_pa;
}
