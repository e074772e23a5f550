/* SPDX-License-Identifier: MIT */
/* When stage 05 comes to life: the idle thread and the timer; faults end a thread. */
#include <arch/segment.h>
#include <arch/trap.h>
#include <drivers.h>
#include <fault.h>
#include <init.h>
#include <panic.h>
#include <thread.h>

static bool started;

static void threads_stage_init(void)
{
    thread_init();
    started = true;
    idt_set_gate(PIC_VECTOR_BASE, (uintptr_t)timer_entry, SEL_KCODE,
                 GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT, 0);
    KASSERT(pit_set_hz(TICK_HZ) == E_OK);
    pic_unmask(0);
}

static void thread_fault_end(struct trap_frame *frame)
{
    if (started && SEL_RPL(frame->cs) == 3 && thread_current()->user_entry) {
        thread_exit();
    }
}

INIT(500, threads_stage_init);
FAULT_END(300, thread_fault_end);
