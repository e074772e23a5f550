/* SPDX-License-Identifier: MIT */
/* A list of areas in no order. */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <course/10-memory.h>
#include <memory.h>
#include <task.h>
#include <thread.h>

int memory_start(struct process *process, uintptr_t heap_start)
{
    struct memory *memory = kmalloc(sizeof(*memory));
    struct area *stack = kmalloc(sizeof(*stack));

    if (!memory || !stack) {
        kfree(stack);
        kfree(memory);
        return E_NOMEM;
    }
    stack->start = USER_STACK_TOP - STACK_BYTES;
    stack->end = USER_STACK_TOP;
    stack->rights = SPACE_WRITE;
    stack->next = NULL;
    memory->areas = stack;
    memory->heap_start = heap_start;
    memory->heap_end = heap_start;
    process->memory = memory;
    return E_OK;
}

int area_add(struct process *process, uintptr_t start, uintptr_t end, unsigned rights)
{
    struct area *area;

    if (start % PAGE_BYTES || end % PAGE_BYTES || start < USER_BASE || end > USER_END ||
        end <= start) {
        return E_INVAL;
    }
    for (area = process->memory->areas; area; area = area->next) {
        if (start < area->end && area->start < end) {
            return E_INVAL;
        }
    }
    area = kmalloc(sizeof(*area));
    if (!area) {
        return E_NOMEM;
    }
    area->start = start;
    area->end = end;
    area->rights = rights;
    area->next = process->memory->areas;
    process->memory->areas = area;
    return E_OK;
}

const struct area *area_find(const struct process *process, uintptr_t va)
{
    const struct area *area;

    for (area = process->memory->areas; area; area = area->next) {
        if (va - area->start < area->end - area->start) {
            return area;
        }
    }
    return NULL;
}

const struct area *area_after(const struct process *process, uintptr_t va)
{
    const struct area *found = NULL;

    for (const struct area *a = process->memory->areas; a; a = a->next) {
        if (a->start >= va && (!found || a->start < found->start)) {
            found = a;
        }
    }
    return found;
}

static bool mends(struct process *process, uintptr_t va, uintptr_t error)
{
    const struct area *area = area_find(process, va);
    const uintptr_t page = va / PAGE_BYTES;
    uintptr_t frame_pa;
    unsigned wanted = 0;

    wanted |= error & PF_WRITE ? SPACE_WRITE : 0;
    wanted |= error & PF_FETCH ? SPACE_EXEC : 0;
    if (!area || (area->rights & wanted) != wanted || (frame_pa = frame_alloc()) == 0) {
        return false;
    }
    if (space_map(process->space.root_pa, page * PAGE_BYTES, frame_pa, area->rights)) {
        frame_free(frame_pa); /* no frame for a table, or a page is there */
        return false;
    }
    return true;
}

bool area_fault(struct trap_frame *frame)
{
    struct thread *thread = thread_current();
    struct process *process;

    if (!thread || frame->vector != VEC_PF) {
        return false;
    }
    process = thread->process;
    return process && process->memory && mends(process, read_cr2(), frame->error);
}

void memory_end(struct process *process)
{
    struct area *area = process->memory->areas;

    while (area) {
        struct area *next = area->next;

        kfree(area);
        area = next;
    }
    kfree(process->memory);
    process->memory = NULL;
}
