/* SPDX-License-Identifier: MIT */
/* The demo: every program that the boot loader brought, one after the other. */
#include <abi/status.h>
#include <arch/cpu.h>
#include <console.h>
#include <course/09-programs.h>
#include <fault.h>
#include <init.h>
#include <multiboot.h>

static void wait_for(int pid)
{
    struct process *process = process_find(pid);

    while (process->thread) {
        cpu_idle();
    }
    cpu_cli();
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

    for (size_t i = 0; (module = module_at(i)) != NULL; i++) {
        int pid;

        cpu_cli();
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
