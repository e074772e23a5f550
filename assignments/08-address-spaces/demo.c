/* SPDX-License-Identifier: MIT */
/* The demo: one program twice, at one address, and what stands there differs. */
#include <arch/cpu.h>
#include <console.h>
#include <course/08-address-spaces.h>
#include <init.h>
#include <paging.h>
#include <panic.h>
#include <program.h>
#include <thread.h>

#define PROCESSES 2

static struct space spaces[PROCESSES];
static unsigned ended;

static void note_end(struct thread *thread, intptr_t status)
{
    cpu_cli();
    kprintf("thread %u ended with status %d\n", thread->id, (int)status);
    ended++;
}

EXIT_HOOK(900, note_end);

/* Load the program into a space of its own; from its first turn on it runs there. */
static void start(struct space *space, const struct module *module)
{
    struct thread *thread;
    uintptr_t entry;

    space->root_pa = space_create();
    KASSERT(space->root_pa);
    write_cr3(space->root_pa);
    entry = program_load(module);
    KASSERT(entry);
    thread = thread_create_user(entry);
    write_cr3(paging_kernel_root());
    KASSERT(thread);
    thread->process = space;
    kprintf("thread %u has the tree at %p\n", thread->id, (void *)space->root_pa);
}

static void demo(void)
{
    const struct module *module = module_find("same");

    if (!module) {
        panic("there is no module \"same\"");
    }
    cpu_cli();
    for (unsigned i = 0; i < PROCESSES; i++) {
        start(&spaces[i], module);
    }
    while (ended < PROCESSES) {
        cpu_idle();
    }
    cpu_cli();
    kprintf("one address, two values\n");
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
