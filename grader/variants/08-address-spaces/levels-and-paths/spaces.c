/* SPDX-License-Identifier: MIT */
/* Spaces by paths: the entries that lead to a page, one for each level. */
#include <arch/cpu.h>
#include <course/07-frames.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <panic.h>
#include <task.h>
#include <thread.h>

struct path {
    unsigned lowest;                 /* the lowest level that could be reached */
    pte_t *entry[PAGING_LEVELS + 1]; /* by level, from lowest on */
};

#define INDEX_BITS (sizeof(pte_t) == 4 ? 10 : 9)

static uintptr_t bytes_of(unsigned level)
{
    return (uintptr_t)PAGE_BYTES << INDEX_BITS * (level - 1);
}

static bool present(const pte_t *entry)
{
    return (*entry & PTE_PRESENT) != 0;
}

static struct path path_to(uintptr_t root_pa, uintptr_t va)
{
    struct path path = {.lowest = PAGING_LEVELS};

    path.entry[PAGING_LEVELS] = (pte_t *)root_pa + pte_index(va, PAGING_LEVELS);
    while (path.lowest > 1 && present(path.entry[path.lowest])) {
        pte_t *table = (pte_t *)(uintptr_t)(*path.entry[path.lowest] & PTE_ADDRESS);

        path.lowest--;
        path.entry[path.lowest] = table + pte_index(va, path.lowest);
    }
    return path;
}

int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights)
{
    static const pte_t write[] = {[0] = 0, [SPACE_WRITE] = PTE_WRITE};
    const pte_t no_execute[] = {[0] = paging_no_execute(), [SPACE_EXEC] = 0};
    struct path path;

    if (va < USER_BASE || va >= USER_END || va % PAGE_BYTES) {
        return E_INVAL;
    }
    for (;;) {
        uintptr_t table_pa;

        path = path_to(root_pa, va);
        if (path.lowest == 1) {
            break;
        }
        table_pa = frame_alloc();
        if (table_pa == 0) {
            return E_NOMEM;
        }
        *path.entry[path.lowest] = table_pa | PTE_PRESENT | PTE_WRITE | PTE_USER;
    }
    if (present(path.entry[1])) {
        return E_INVAL;
    }
    *path.entry[1] = frame_pa | PTE_PRESENT | PTE_USER | write[rights & SPACE_WRITE] |
                     no_execute[rights & SPACE_EXEC];
    return E_OK;
}

uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va)
{
    const struct path path = path_to(root_pa, va);
    uintptr_t frame_pa = 0;

    if (va >= USER_BASE && va < USER_END && va % PAGE_BYTES == 0 && path.lowest == 1 &&
        present(path.entry[1])) {
        frame_pa = (uintptr_t)(*path.entry[1] & PTE_ADDRESS);
        *path.entry[1] = 0;
        tlb_flush_page(va);
    }
    return frame_pa;
}

/* Frees what the entries of one level name; all levels below are done. */
static void free_level(uintptr_t root_pa, unsigned level)
{
    uintptr_t va = USER_BASE;

    while (va < USER_END) {
        const struct path path = path_to(root_pa, va);
        const unsigned at = path.lowest > level ? path.lowest : level;

        if (path.lowest <= level && present(path.entry[level])) {
            frame_free((uintptr_t)(*path.entry[level] & PTE_ADDRESS));
            *path.entry[level] = 0;
        }
        va = (va / bytes_of(at) + 1) * bytes_of(at);
    }
}

void space_destroy(uintptr_t root_pa)
{
    for (unsigned level = 1; level <= PAGING_LEVELS; level++) {
        free_level(root_pa, level);
    }
    frame_free(root_pa);
}

void space_switch(struct thread *prev, struct thread *next)
{
    uintptr_t root_pa = paging_kernel_root();

    (void)prev;
    if (next->process) {
        root_pa = ((struct space *)next->process)->root_pa;
    }
    if (root_pa != read_cr3()) {
        write_cr3(root_pa);
    }
}

uintptr_t user_stack_create(void)
{
    const uintptr_t low = USER_STACK_TOP - USER_STACK_PAGES * PAGE_BYTES;
    const uintptr_t frames_pa = frames_alloc(USER_STACK_PAGES);
    const uintptr_t root_pa = read_cr3();
    unsigned done = 0;

    while (frames_pa != 0 && done < USER_STACK_PAGES &&
           space_map(root_pa, low + done * PAGE_BYTES, frames_pa + done * PAGE_BYTES,
                     SPACE_WRITE) == E_OK) {
        done++;
    }
    if (done == USER_STACK_PAGES) {
        return USER_STACK_TOP;
    }
    while (done-- > 0) {
        space_unmap(root_pa, low + done * PAGE_BYTES);
    }
    if (frames_pa != 0) {
        frames_free(frames_pa, USER_STACK_PAGES);
    }
    return 0;
}
