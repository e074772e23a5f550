/* SPDX-License-Identifier: MIT */
/* Where stage 08 hooks in: at each switch, and at the end of whoever has a space. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <course/08-address-spaces.h>
#include <fault.h>
#include <init.h>
#include <paging.h>
#include <thread.h>

SWITCH_HOOK(100, space_switch);

/* Last of all: nobody may need the space any more. */
static void space_end(struct thread *thread, intptr_t status)
{
    struct space *space = thread->process;

    (void)status;
    if (space) {
        cpu_cli();
        write_cr3(paging_kernel_root());
        thread->process = NULL;
        space_destroy(space->root_pa);
        space->root_pa = 0;
    }
}

EXIT_HOOK(950, space_end);

/* A fault of ring 3 ends its thread as an exit does, so that the space goes with it. */
static void space_fault_end(struct trap_frame *frame)
{
    if (SEL_RPL(frame->cs) == 3 && thread_current()->process) {
        user_exit(-(intptr_t)frame->vector);
    }
}

FAULT_END(250, space_fault_end);
