/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 05-threads: kernel and user threads that take turns.
 * Source: SDM 3A "Stack Switching" (5.8.5), "Exception and Interrupt Handling" (6.12),
 * and the data sheet of the 8259A on the end of interrupt.
 */
#ifndef COURSE_05_THREADS_H
#define COURSE_05_THREADS_H

#include <types.h>

enum thread_state {
    THREAD_READY,   /* waits for its turn */
    THREAD_RUNNING, /* there is exactly one */
    THREAD_BLOCKED, /* waits for thread_wake */
    THREAD_ENDED,   /* never runs again */
};

/*
 * A thread has a kernel stack; a user thread has a stack in ring 3 as well. While it
 * does not run, sp is where its kernel stack stands, and everything else that it needs
 * lies on that stack. The structure is valid until the thread has ended and another one
 * runs; then it may be freed, and nobody may use a pointer to it.
 */
struct thread {
    uintptr_t sp;         /* kernel stack pointer while not running; thread_switch's */
    uintptr_t kernel_top; /* top of its kernel stack; 0: the stack it was born on */
    unsigned id;          /* 0: the idle thread; others from 1, never used again */
    enum thread_state state;
    void (*function)(void *argument); /* kernel threads */
    void *argument;
    uintptr_t user_entry; /* user threads; 0: a kernel thread */
    uintptr_t user_stack;
    struct thread *next; /* free for the scheduler's queue */
    void *process;       /* free for later stages */
};

/*
 * Task 5.1, in NASM. Leave prev and go on in next: keeps on prev's stack what C expects
 * a function to preserve, notes the stack in prev->sp, takes next->sp. Before it
 * leaves, the CPU learns where next wants traps from ring 3 to land (next->kernel_top,
 * if it is not 0). Returns in next's context. Context: interrupts off.
 */
void thread_switch(struct thread *prev, struct thread *next);

/*
 * Task 5.2. A new thread, ready, at the end of the queue. The kernel thread calls
 * function(argument) with interrupts on, and ends when that returns. The user thread
 * starts in ring 3 at entry, on a stack of user_stack_create. NULL if memory is short.
 * Context: any in the kernel.
 */
struct thread *thread_create_kernel(void (*function)(void *argument), void *argument);
struct thread *thread_create_user(uintptr_t entry);

/*
 * Task 5.3. The scheduler: round robin, first in, first out.
 *
 * thread_init: whoever calls is from now on the idle thread (id 0), which runs when no
 * other is ready and is in no queue. thread_current: the running one. thread_yield: to
 * the end of the queue, the next one runs; returns at once if there is none.
 * thread_block: as yield, but the caller runs again only after thread_wake.
 * thread_wake: makes a blocked thread ready; does nothing to others. thread_exit: the
 * caller never runs again. The idle thread may only yield. They switch through
 * dispatch(). Context: any in the kernel; interrupts are as before when they return.
 */
void thread_init(void);
struct thread *thread_current(void);
void thread_yield(void);
void thread_block(void);
void thread_wake(struct thread *thread);
__attribute__((noreturn)) void thread_exit(void);

/*
 * Task 5.4, in NASM. The entry of the timer's gate: keeps every register, loads the
 * kernel's data segments, clears DF, calls timer_interrupt() and returns to what was
 * interrupted, whenever that thread has its turn again.
 */
void timer_entry(void);

/*
 * Task 5.4. Tell the interrupt controller that the interrupt is taken (pic_eoi(0)),
 * call tick_dispatch(), and let the next thread run. Context: interrupts off, on the
 * kernel stack of the thread that was interrupted.
 */
void timer_interrupt(void);

#endif
