/* SPDX-License-Identifier: MIT */
/* The heap of a process: an area whose end moves. */
#include <arch/cpu.h>
#include <course/10-memory.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* BEGIN SOLUTION 10.3: where pages end, and what lies beyond an end */
static uintptr_t page_up(uintptr_t va)
{
    return (va + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
}

/* The area of the heap, which starts with it; NULL while it is empty. */
static struct area *heap_area(const struct process *process)
{
    return (struct area *)area_find(process, process->memory->heap_start);
}

/* Take the pages from `from` to below `to` out of the space. */
static void drop_pages(const struct process *process, uintptr_t from, uintptr_t to)
{
    for (uintptr_t va = from; va < to; va += PAGE_BYTES) {
        const uintptr_t frame_pa = space_unmap(process->space.root_pa, va);

        if (frame_pa != 0) {
            frame_free(frame_pa);
        }
    }
}

/* Bytes that come again later must be 0; a page that nobody touched is so anyway. */
static void clear_rest(uintptr_t end)
{
    if (end % PAGE_BYTES != 0 && user_page_query(end, true)) {
        memset((void *)end, 0, page_up(end) - end);
    }
}

static void remove_area(struct process *process, struct area *area)
{
    struct area **link = &process->memory->areas;

    while (*link != area) {
        link = &(*link)->next;
    }
    *link = area->next;
    kfree(area);
}

/* Let the area end at the page above end; E_NOMEM if another is in the way. */
static int resize(struct process *process, uintptr_t end)
{
    struct area *area = heap_area(process);
    const uintptr_t start = process->memory->heap_start;
    const struct area *other;

    if (page_up(end) == start) {
        if (area) {
            drop_pages(process, start, area->end);
            remove_area(process, area);
        }
        return E_OK;
    }
    if (!area) {
        return area_add(process, start, page_up(end), SPACE_WRITE) == E_OK ? E_OK
                                                                           : E_NOMEM;
    }
    other = area_after(process, start + PAGE_BYTES);
    if (other && other->start < page_up(end)) {
        return E_NOMEM;
    }
    if (page_up(end) < area->end) {
        drop_pages(process, page_up(end), area->end);
    }
    area->end = page_up(end);
    return E_OK;
}
/* END SOLUTION 10.3 */

intptr_t sys_heap(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 10.3: compare with what is left, so that nothing overflows */
    struct process *process = thread_current()->process;
    struct memory *memory = process->memory;
    const intptr_t bytes = (intptr_t)arguments[0];
    const uintptr_t old_end = memory->heap_end;
    uintptr_t end;
    int error;

    if (bytes >= 0 && (uintptr_t)bytes > PROGRAM_HIGH - old_end) {
        return E_NOMEM;
    }
    if (bytes < 0 && 0 - (uintptr_t)bytes > old_end - memory->heap_start) {
        return E_INVAL;
    }
    end = old_end + (uintptr_t)bytes;
    cpu_cli();
    error = resize(process, end);
    if (error == E_OK) {
        memory->heap_end = end;
        if (bytes < 0) {
            clear_rest(end);
        }
    }
    cpu_sti();
    return error == E_OK ? (intptr_t)old_end : error;
    /* END SOLUTION 10.3 */
}
