/* SPDX-License-Identifier: MIT */
/* The areas of a process: which there are, and what happens when one is touched. */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <course/10-memory.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

/* BEGIN SOLUTION 10.1: a list in the order of addresses */
static bool is_page(uintptr_t va)
{
    return va % PAGE_BYTES == 0;
}

/* Where in the list an area that starts at va belongs. */
static struct area **place_of(const struct process *process, uintptr_t va)
{
    struct area **link = &process->memory->areas;

    while (*link && (*link)->start < va) {
        link = &(*link)->next;
    }
    return link;
}
/* END SOLUTION 10.1 */

int memory_start(struct process *process, uintptr_t heap_start)
{
    /* BEGIN SOLUTION 10.1: the stack's area, and a heap of no bytes */
    int error;

    process->memory = kzalloc(sizeof(*process->memory));
    if (!process->memory) {
        return E_NOMEM;
    }
    process->memory->heap_start = process->memory->heap_end = heap_start;
    error =
        area_add(process, USER_STACK_TOP - STACK_BYTES, USER_STACK_TOP, SPACE_WRITE);
    if (error != E_OK) {
        kfree(process->memory);
        process->memory = NULL;
    }
    return error;
    /* END SOLUTION 10.1 */
}

int area_add(struct process *process, uintptr_t start, uintptr_t end, unsigned rights)
{
    /* BEGIN SOLUTION 10.1: only the area below and the one above can be in the way */
    const struct area *other;
    struct area **link;
    struct area *area;

    if (!is_page(start) || !is_page(end) || start < USER_BASE || start >= end ||
        end > USER_END) {
        return E_INVAL;
    }
    other = area_after(process, start);
    if (area_find(process, start) || (other && other->start < end)) {
        return E_INVAL;
    }
    area = kzalloc(sizeof(*area));
    if (!area) {
        return E_NOMEM;
    }
    link = place_of(process, start);
    *area = (struct area){.start = start, .end = end, .rights = rights, .next = *link};
    *link = area;
    return E_OK;
    /* END SOLUTION 10.1 */
}

const struct area *area_find(const struct process *process, uintptr_t va)
{
    /* BEGIN SOLUTION 10.1: start is in it, end is not */
    const struct area *area = process->memory->areas;

    while (area && (va < area->start || va >= area->end)) {
        area = area->next;
    }
    return area;
    /* END SOLUTION 10.1 */
}

const struct area *area_after(const struct process *process, uintptr_t va)
{
    /* BEGIN SOLUTION 10.1: the first that does not start before va */
    return *place_of(process, va);
    /* END SOLUTION 10.1 */
}

bool area_fault(struct trap_frame *frame)
{
    /* BEGIN SOLUTION 10.2: look before anything is changed */
    const struct thread *thread = thread_current();
    struct process *process = thread ? thread->process : NULL;
    const uintptr_t va = read_cr2();
    const struct area *area;
    uintptr_t frame_pa;

    if (frame->vector != VEC_PF || (frame->error & PF_PRESENT) || !process ||
        !process->memory) {
        return false;
    }
    area = area_find(process, va);
    if (!area || ((frame->error & PF_WRITE) && !(area->rights & SPACE_WRITE)) ||
        ((frame->error & PF_FETCH) && !(area->rights & SPACE_EXEC))) {
        return false;
    }
    frame_pa = frame_alloc();
    if (frame_pa == 0) {
        return false;
    }
    if (space_map(process->space.root_pa, va & ~(uintptr_t)(PAGE_BYTES - 1), frame_pa,
                  area->rights) != E_OK) {
        frame_free(frame_pa);
        return false;
    }
    return true;
    /* END SOLUTION 10.2 */
}

void memory_end(struct process *process)
{
    /* BEGIN SOLUTION 10.1: the areas, then what holds them */
    while (process->memory->areas) {
        struct area *area = process->memory->areas;

        process->memory->areas = area->next;
        kfree(area);
    }
    kfree(process->memory);
    process->memory = NULL;
    /* END SOLUTION 10.1 */
}
