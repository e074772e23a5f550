/* SPDX-License-Identifier: MIT */
/* The demo: a C program in ring 3, brought by the boot loader as a module. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <fault.h>
#include <init.h>
#include <panic.h>
#include <program.h>
#include <thread.h>

static intptr_t exit_status;
static bool ended;
static const char *fault; /* what ended a program instead */

static void note_exit(struct thread *thread, intptr_t status)
{
    (void)thread;
    exit_status = status;
    ended = true;
}

EXIT_HOOK(900, note_exit);

static void note_fault(struct trap_frame *frame)
{
    if (SEL_RPL(frame->cs) == 3) {
        fault = vector_name(frame->vector);
    }
}

FAULT_END(290, note_fault); /* before that of stage 05, which ends the thread */

/* The editor runs as a thread; here is the idle thread, which waits for its end. */
static void demo(void)
{
    const struct module *module = module_find("editor");
    const uintptr_t entry = module ? program_load(module) : 0;

    if (entry == 0) {
        panic("there is no module \"editor\" that can be loaded");
    }
    KASSERT(thread_create_user(entry));
    while (!ended && !fault) {
        cpu_idle();
    }
    cpu_cli();
    if (fault) {
        kprintf("the editor was ended by a fault, %s\n", fault);
    } else {
        kprintf("editor ended with status %d\n", (int)exit_status);
    }
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
