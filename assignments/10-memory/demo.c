/* SPDX-License-Identifier: MIT */
/* The demo: programs one after the other, and of each the map when it ends. */
#include <abi/status.h>
#include <arch/cpu.h>
#include <console.h>
#include <course/10-memory.h>
#include <fault.h>
#include <init.h>
#include <multiboot.h>
#include <paging.h>
#include <process.h>

static bool is_there(uintptr_t va)
{
    const pte_t *slot = pte_slot(va, 1);

    return slot && (*slot & PTE_PRESENT);
}

static unsigned pages_there(const struct area *area)
{
    unsigned count = 0;

    for (uintptr_t va = area->start; va < area->end; va += PAGE_BYTES) {
        count += is_there(va);
    }
    return count;
}

static void show_area(const struct area *area)
{
    kprintf("  %p to %p  r%c%c  %4u of %4u pages\n", (void *)area->start,
            (void *)area->end, area->rights & SPACE_WRITE ? 'w' : '-',
            area->rights & SPACE_EXEC ? 'x' : '-', pages_there(area),
            (unsigned)((area->end - area->start) / PAGE_BYTES));
}

static int begin(struct process *process, const void *image, size_t bytes)
{
    (void)process;
    (void)image;
    (void)bytes;
    return E_OK;
}

/* In the context of the process, which still has all that it had. */
static void show_map(struct process *process)
{
    const struct area *area = area_after(process, USER_BASE);

    kprintf("%d: %s ends, and has\n", process->pid, process->name);
    while (area) {
        show_area(area);
        area = area_after(process, area->end);
    }
}

PROCESS_HOOK(900, begin, show_map);

static void wait_for(int pid)
{
    struct process *process = process_find(pid);

    while (process->thread) {
        cpu_idle();
        cpu_cli();
    }
    if (STATUS_IS_FAULT(process->status)) {
        kprintf("%d: ended by %s\n", pid,
                vector_name((unsigned)STATUS_VECTOR(process->status)));
    } else {
        kprintf("%d: ended with status %d\n", pid, (int)process->status);
    }
    process_forget(process);
}

static void demo(void)
{
    const struct module *module;

    cpu_cli();
    for (size_t i = 0; (module = module_at(i)) != NULL; i++) {
        int pid;

        kprintf("starting %s %s\n", module->name, module->args);
        pid = process_start(module->name, module->args);
        if (pid > 0) {
            wait_for(pid);
        } else {
            kprintf("%s cannot be started: %d\n", module->name, pid);
        }
    }
    kprintf("all programs have run\n");
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
