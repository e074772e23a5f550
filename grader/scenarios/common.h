/* SPDX-License-Identifier: MIT */
/*
 * What the scenarios share. Their numbers come from the grader as Multiboot modules,
 * and their results lie in arrays of the image, which the grader reads from outside.
 */
#ifndef SCENARIOS_COMMON_H
#define SCENARIOS_COMMON_H

#include <arch/trap.h>
#include <memory.h>
#include <multiboot.h>
#include <types.h>

/* The module's first byte; panics if it is missing or shorter than bytes. */
const void *scenario_module(const char *name, size_t bytes);

/* Map a frame of its own for ring 3 at va, without any code of the stages. */
void *scenario_user_page(uintptr_t va);

/* End the scenario from any place, as if its function had returned. */
__attribute__((noreturn)) void scenario_finish(void);

/*
 * Go to ring 3 by a far return: interrupts off, user data in SS DS ES FS GS, and the
 * general registers as they happen to be.
 */
__attribute__((noreturn)) void scenario_far_ring3(uintptr_t entry, uintptr_t stack);

/* A gate to an entry of the grader's own; dpl is the ring that may use int. */
void scenario_gate(unsigned vector, void (*entry)(void), unsigned dpl);

/*
 * Call fn, whose only parameter is an integer of any width, with marks in the registers
 * that a function has to preserve; afterwards bit n of scenario_clobbered is set if the
 * nth of them has changed, and bit 31 if the stack pointer has. The registers, in
 * order: ebx esi edi ebp; rbx rbp r12 r13 r14 r15.
 */
void scenario_call(void (*fn)(void), uintptr_t arg);
extern uint32_t scenario_clobbered;

/* Entries (common.asm): halt at once; skip one byte; end the scenario; count a tick. */
void scenario_entry_landing(void);
void scenario_entry_skip_byte(void);
void scenario_entry_finish(void);
void scenario_entry_tick(void);

/* Let the timer interrupt at hz through scenario_entry_tick. */
void scenario_timer_start(unsigned hz);
void scenario_timer_stop(void);

/* All frames but so many, in front of a list through themselves. */
static inline uintptr_t take_more_frames(uintptr_t list, unsigned left)
{
    uintptr_t frame_pa;

    while ((frame_pa = frame_alloc()) != 0) {
        *(uintptr_t *)frame_pa = list;
        list = frame_pa;
    }
    for (; left > 0; left--) {
        frame_pa = list;
        list = *(const uintptr_t *)list;
        frame_free(frame_pa);
    }
    return list;
}

static inline uintptr_t take_frames(unsigned left)
{
    return take_more_frames(0, left);
}

static inline void give_frames(uintptr_t list)
{
    while (list != 0) {
        const uintptr_t frame_pa = list;

        list = *(const uintptr_t *)list;
        frame_free(frame_pa);
    }
}

#endif
