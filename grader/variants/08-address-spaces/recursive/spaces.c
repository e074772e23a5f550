/* SPDX-License-Identifier: MIT */
/* Spaces by recursion over the levels. */
#include <arch/cpu.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <string.h>
#include <task.h>
#include <thread.h>

static pte_t *table_of(pte_t entry)
{
    return (pte_t *)(uintptr_t)(entry & PTE_ADDRESS);
}

static bool valid(uintptr_t va)
{
    return va >= USER_BASE && va <= USER_END - PAGE_BYTES && (va & (PAGE_BYTES - 1)) == 0;
}

static int map_below(pte_t *table, unsigned level, uintptr_t va, pte_t wanted)
{
    pte_t *entry = &table[pte_index(va, level)];

    if (level == 1) {
        if (*entry & PTE_PRESENT) {
            return E_INVAL;
        }
        *entry = wanted;
        return E_OK;
    }
    if (!(*entry & PTE_PRESENT)) {
        const uintptr_t new_pa = frame_alloc();

        if (!new_pa) {
            return E_NOMEM;
        }
        *entry = new_pa | PTE_PRESENT;
    }
    *entry |= PTE_USER | PTE_WRITE;
    return map_below(table_of(*entry), level - 1, va, wanted);
}

int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights)
{
    pte_t wanted = frame_pa | PTE_PRESENT | PTE_USER;

    if (rights & SPACE_WRITE) {
        wanted |= PTE_WRITE;
    }
    if (!(rights & SPACE_EXEC)) {
        wanted |= paging_no_execute();
    }
    return valid(va) ? map_below((pte_t *)root_pa, PAGING_LEVELS, va, wanted) : E_INVAL;
}

static uintptr_t unmap_below(pte_t *table, unsigned level, uintptr_t va)
{
    pte_t *entry = &table[pte_index(va, level)];
    const pte_t was = *entry;

    if (!(was & PTE_PRESENT)) {
        return 0;
    }
    if (level > 1) {
        return unmap_below(table_of(was), level - 1, va);
    }
    *entry = was & ~PTE_PRESENT; /* the address may stay: nobody looks at it */
    write_cr3(read_cr3());
    return (uintptr_t)table_of(was);
}

uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va)
{
    return valid(va) ? unmap_below((pte_t *)root_pa, PAGING_LEVELS, va) : 0;
}

/* From entry `from` on all of it is the space's; below its first one, a part may be. */
static void destroy_below(pte_t *table, unsigned level, bool from_base)
{
    const unsigned from = from_base ? pte_index(USER_BASE, level) : 0;

    for (unsigned i = from; i < PAGING_ENTRIES; i++) {
        if (!(table[i] & PTE_PRESENT)) {
            continue;
        }
        if (level == 1) {
            frame_free((uintptr_t)table_of(table[i]));
        } else {
            destroy_below(table_of(table[i]), level - 1, from_base && i == from);
        }
    }
    frame_free((uintptr_t)table);
}

void space_destroy(uintptr_t root_pa)
{
    destroy_below((pte_t *)root_pa, PAGING_LEVELS, true);
}

void space_switch(struct thread *prev, struct thread *next)
{
    (void)prev;
    if (next->process) {
        write_cr3(((const struct space *)next->process)->root_pa);
    } else {
        write_cr3(paging_kernel_root());
    }
}

/* Maps the page and, if that went well, those above it; otherwise takes it out again. */
static bool stack_from(uintptr_t root_pa, uintptr_t va)
{
    uintptr_t frame_pa;

    if (va == USER_STACK_TOP) {
        return true;
    }
    frame_pa = frame_alloc();
    if (frame_pa == 0) {
        return false;
    }
    if (space_map(root_pa, va, frame_pa, SPACE_WRITE) != E_OK) {
        frame_free(frame_pa);
        return false;
    }
    if (stack_from(root_pa, va + PAGE_BYTES)) {
        return true;
    }
    frame_free(space_unmap(root_pa, va));
    return false;
}

uintptr_t user_stack_create(void)
{
    const uintptr_t low = USER_STACK_TOP - USER_STACK_PAGES * PAGE_BYTES;

    return stack_from(read_cr3(), low) ? USER_STACK_TOP : 0;
}
