/* SPDX-License-Identifier: MIT */
/* The heap's area is made anew whenever it gets another end. */
#include <arch/cpu.h>
#include <course/10-memory.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

static uintptr_t pages_up(uintptr_t va)
{
    const uintptr_t over = va % PAGE_BYTES;

    return over ? va + (PAGE_BYTES - over) : va;
}

/* The heap's area, out of the list; NULL if there is none. */
static struct area *take_out(struct memory *memory)
{
    for (struct area **link = &memory->areas; *link; link = &(*link)->next) {
        if ((*link)->start == memory->heap_start) {
            struct area *area = *link;

            *link = area->next;
            return area;
        }
    }
    return NULL;
}

static int renew(struct process *process, uintptr_t end)
{
    struct memory *memory = process->memory;
    struct area *old = take_out(memory);

    if (end > memory->heap_start) {
        if (area_add(process, memory->heap_start, end, SPACE_WRITE) != E_OK) {
            if (old) {
                old->next = memory->areas;
                memory->areas = old;
            }
            return E_NOMEM;
        }
    }
    kfree(old);
    return E_OK;
}

static void give_back(struct process *process, uintptr_t from, uintptr_t to)
{
    while (to > from) {
        uintptr_t frame_pa;

        to -= PAGE_BYTES;
        frame_pa = space_unmap(process->space.root_pa, to);
        if (frame_pa) {
            frame_free(frame_pa);
        }
    }
}

intptr_t sys_heap(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const intptr_t bytes = (intptr_t)arguments[0];
    struct process *process = thread_current()->process;
    struct memory *memory = process->memory;
    const uintptr_t from = memory->heap_end;
    const uintptr_t to = from + (uintptr_t)bytes;
    intptr_t result = (intptr_t)from;

    if (bytes < 0 && (to > from || to < memory->heap_start)) {
        return E_INVAL;
    }
    if (bytes > 0 && (to < from || to > PROGRAM_HIGH)) {
        return E_NOMEM;
    }
    cpu_cli();
    if (pages_up(to) != pages_up(from) && renew(process, pages_up(to)) != E_OK) {
        result = E_NOMEM;
    } else {
        memory->heap_end = to;
        if (to < from) {
            give_back(process, pages_up(to), pages_up(from));
            memset((void *)to, 0, pages_up(to) - to); /* it may come for that */
        }
    }
    cpu_sti();
    return result;
}
