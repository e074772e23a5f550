/* SPDX-License-Identifier: MIT */
/* The heap, whose area lies in the array of areas.c. */
#include <arch/cpu.h>
#include <course/10-memory.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* As in areas.c. */
struct own {
    struct memory memory;
    size_t count;
    size_t room;
};

#define UP(va) (((va) + (PAGE_BYTES - 1)) / PAGE_BYTES * PAGE_BYTES)

/* The area goes from the heap's begin to `to` from now on; it may have been none. */
static int set_area(struct process *process, uintptr_t to)
{
    struct own *own = (struct own *)process->memory;
    const uintptr_t start = own->memory.heap_start;
    struct area *area = (struct area *)area_find(process, start);
    const struct area *next;

    if (!area) {
        next = area_after(process, start);
        if (next && next->start < to) {
            return E_NOMEM;
        }
        return to == start ? E_OK : area_add(process, start, to, SPACE_WRITE);
    }
    next = area_after(process, area->end);
    if (next && next->start < to) {
        return E_NOMEM;
    }
    for (uintptr_t va = to; va < area->end; va += PAGE_BYTES) {
        const uintptr_t frame_pa = space_unmap(process->space.root_pa, va);

        if (frame_pa) {
            frame_free(frame_pa);
        }
    }
    area->end = to;
    if (to == start) {
        const size_t behind = own->count - (size_t)(area + 1 - own->memory.areas);

        memmove(area, area + 1, behind * sizeof(*area));
        own->count--;
    }
    return E_OK;
}

/* The bytes from the heap's end up to the page may be old ones. */
static void clear_last_page(uintptr_t end)
{
    if (end % PAGE_BYTES != 0 && user_page_query(end, true)) {
        memset((void *)end, 0, UP(end) - end);
    }
}

static intptr_t move(struct process *process, intptr_t bytes)
{
    struct memory *memory = process->memory;
    const uintptr_t old_end = memory->heap_end;
    uintptr_t end;
    int error;

    if (bytes < 0) {
        const uintptr_t less = -(uintptr_t)bytes;

        if (less > old_end - memory->heap_start) {
            return E_INVAL;
        }
        end = old_end - less;
    } else {
        if ((uintptr_t)bytes > PROGRAM_HIGH - old_end) {
            return E_NOMEM;
        }
        end = old_end + (uintptr_t)bytes;
    }
    error = set_area(process, UP(end));
    if (error == E_OK) {
        if (bytes > 0) {
            clear_last_page(old_end);
        }
        memory->heap_end = end;
    }
    return error == E_OK ? (intptr_t)old_end : error;
}

intptr_t sys_heap(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    intptr_t result;

    cpu_cli();
    result = move(thread_current()->process, (intptr_t)arguments[0]);
    cpu_sti();
    return result;
}
