/* SPDX-License-Identifier: MIT */
/* Areas in an array, behind the struct memory that the contract knows. */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <course/10-memory.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

#define FEW 4

/* memory is first; memory.areas names the array, which has room for `room`. */
struct own {
    struct memory memory;
    size_t count;
    size_t room;
};

static struct own *own_of(const struct process *process)
{
    return (struct own *)process->memory;
}

int memory_start(struct process *process, uintptr_t heap_start)
{
    struct own *own = kzalloc(sizeof(*own));

    process->memory = NULL;
    if (!own) {
        return E_NOMEM;
    }
    own->room = FEW;
    own->memory.areas = kmalloc(FEW * sizeof(struct area));
    if (!own->memory.areas) {
        kfree(own);
        return E_NOMEM;
    }
    own->memory.heap_start = heap_start;
    own->memory.heap_end = heap_start;
    process->memory = &own->memory;
    return area_add(process, USER_STACK_TOP - STACK_BYTES, USER_STACK_TOP, SPACE_WRITE);
}

/* How many areas begin below va. */
static size_t below(const struct own *own, uintptr_t va)
{
    size_t low = 0, high = own->count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (own->memory.areas[middle].start < va) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int make_room(struct own *own)
{
    struct area *larger;

    if (own->count < own->room) {
        return E_OK;
    }
    larger = kmalloc(2 * own->room * sizeof(*larger));
    if (!larger) {
        return E_NOMEM;
    }
    memcpy(larger, own->memory.areas, own->count * sizeof(*larger));
    kfree(own->memory.areas);
    own->memory.areas = larger;
    own->room *= 2;
    return E_OK;
}

int area_add(struct process *process, uintptr_t start, uintptr_t end, unsigned rights)
{
    struct own *own = own_of(process);
    const size_t at = below(own, start);
    struct area *areas = own->memory.areas;

    if ((start | end) & (PAGE_BYTES - 1) || end <= start || start < USER_BASE ||
        end > USER_END || (at > 0 && areas[at - 1].end > start) ||
        (at < own->count && areas[at].start < end)) {
        return E_INVAL;
    }
    if (make_room(own) != E_OK) {
        return E_NOMEM;
    }
    areas = own->memory.areas;
    memmove(&areas[at + 1], &areas[at], (own->count - at) * sizeof(*areas));
    own->count++;
    areas[at].start = start;
    areas[at].end = end;
    areas[at].rights = rights;
    areas[at].next = NULL;
    return E_OK;
}

const struct area *area_find(const struct process *process, uintptr_t va)
{
    const struct own *own = own_of(process);
    const size_t at = below(own, va);

    if (at < own->count && own->memory.areas[at].start == va) {
        return &own->memory.areas[at];
    }
    return at > 0 && va < own->memory.areas[at - 1].end ? &own->memory.areas[at - 1]
                                                        : NULL;
}

const struct area *area_after(const struct process *process, uintptr_t va)
{
    const struct own *own = own_of(process);
    const size_t at = below(own, va);

    return at < own->count ? &own->memory.areas[at] : NULL;
}

static bool allows(const struct area *area, uintptr_t error)
{
    if (error & PF_PRESENT) {
        return false;
    }
    if (error & PF_WRITE) {
        return area->rights & SPACE_WRITE;
    }
    return !(error & PF_FETCH) || (area->rights & SPACE_EXEC);
}

bool area_fault(struct trap_frame *frame)
{
    const uintptr_t va = read_cr2();
    struct process *process;
    const struct area *area;
    uintptr_t frame_pa;

    if (frame->vector != VEC_PF || va < USER_BASE || va >= USER_END ||
        !thread_current() || !thread_current()->process) {
        return false;
    }
    process = thread_current()->process;
    area = process->memory ? area_find(process, va) : NULL;
    if (!area || !allows(area, frame->error)) {
        return false;
    }
    frame_pa = frame_alloc();
    if (frame_pa == 0) {
        return false;
    }
    if (space_map(process->space.root_pa, va / PAGE_BYTES * PAGE_BYTES, frame_pa,
                  area->rights) == E_OK) {
        return true;
    }
    frame_free(frame_pa);
    return false;
}

void memory_end(struct process *process)
{
    struct own *own = own_of(process);

    process->memory = NULL;
    kfree(own->memory.areas);
    kfree(own);
}
