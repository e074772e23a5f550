/* SPDX-License-Identifier: MIT */
/* A new PML4 and a new PDPT: the first GiB is the kernel's, the rest is ring 3's. */
#include <course/07-frames.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>

static pte_t *table(pte_t entry)
{
    return (pte_t *)(entry & PTE_ADDRESS);
}

uintptr_t space_create(void)
{
    const pte_t *kernels = table(paging_kernel_root());
    const uintptr_t root_pa = frame_alloc();
    uintptr_t second_pa;

    if (root_pa == 0) {
        return 0;
    }
    second_pa = frame_alloc();
    if (second_pa == 0) {
        frame_free(root_pa);
        return 0;
    }
    /* Both sides share this entry; that of the kernel's GiB has no user bit. */
    table(root_pa)[0] = second_pa | PTE_PRESENT | PTE_WRITE | PTE_USER;
    table(second_pa)[0] = table(kernels[0])[0];
    return root_pa;
}
