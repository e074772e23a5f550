/* SPDX-License-Identifier: MIT */
/* The demo: a C program in ring 3, brought by the boot loader as a module. */
#include <arch/cpu.h>
#include <console.h>
#include <init.h>
#include <panic.h>
#include <program.h>
#include <thread.h>

static intptr_t exit_status;
static bool ended;

static void note_exit(struct thread *thread, intptr_t status)
{
    (void)thread;
    exit_status = status;
    ended = true;
}

EXIT_HOOK(900, note_exit);

/* The editor runs as a thread; here is the idle thread, which waits for its end. */
static void demo(void)
{
    const struct module *module = module_find("editor");
    const uintptr_t entry = module ? program_load(module) : 0;

    if (entry == 0) {
        panic("there is no module \"editor\" that can be loaded");
    }
    KASSERT(thread_create_user(entry));
    while (!ended) {
        cpu_idle();
    }
    cpu_cli();
    kprintf("editor ended with status %d\n", (int)exit_status);
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
