/* SPDX-License-Identifier: MIT */
/* The system calls themselves. */
#include <arch/cpu.h>
#include <console.h>
#include <course/06-syscalls.h>
#include <task.h>
#include <thread.h>

intptr_t sys_write(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: check the buffer, then print it */
    const char *text = (const char *)arguments[0];
    const size_t bytes = arguments[1];

    if (user_check(arguments[0], bytes, false) != E_OK) {
        return E_FAULT;
    }
    for (size_t i = 0; i < bytes; i++) {
        console_putc(text[i]);
    }
    return (intptr_t)bytes;
    /* END SOLUTION 6.4 */
}

intptr_t sys_read(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: check the buffer, wait for a character, take what is there */
    char *buffer = (char *)arguments[0];
    const size_t bytes = arguments[1];
    size_t count = 0;
    int c;

    if (user_check(arguments[0], bytes, true) != E_OK) {
        return E_FAULT;
    }
    if (bytes == 0) {
        return 0;
    }
    for (c = console_poll(); c < 0; c = console_poll()) {
        thread_yield();
    }
    for (; c >= 0; c = count < bytes ? console_poll() : -1) {
        buffer[count++] = (char)c;
    }
    return (intptr_t)count;
    /* END SOLUTION 6.4 */
}

intptr_t sys_yield(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: let the others run */
    (void)arguments;
    thread_yield();
    return 0;
    /* END SOLUTION 6.4 */
}

intptr_t sys_exit(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: the thread ends with this status */
    user_exit((intptr_t)arguments[0]);
    /* END SOLUTION 6.4 */
}

intptr_t sys_thread_id(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: who is running? */
    (void)arguments;
    return (intptr_t)thread_current()->id;
    /* END SOLUTION 6.4 */
}

/* BEGIN SOLUTION 6.4: the milliseconds of a tick, and the list of those who sleep */
_Static_assert(1000 % TICK_HZ == 0, "a tick is a whole number of milliseconds");
#define TICK_MS (1000 / TICK_HZ)

/* Lies on the kernel stack of the thread that sleeps. */
struct sleeper {
    struct thread *thread;
    uint64_t until; /* ticks */
    struct sleeper *next;
};

static struct sleeper *sleepers;
/* END SOLUTION 6.4 */

intptr_t sys_time(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: ticks to milliseconds */
    (void)arguments;
    return (intptr_t)(tick_count() * TICK_MS);
    /* END SOLUTION 6.4 */
}

intptr_t sys_sleep(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.4: note until when, and block; no tick may come in between */
    struct sleeper me = {.thread = thread_current()};

    if (arguments[0] == 0) {
        return 0;
    }
    cpu_cli();
    /* The tick that is under way does not count: it began before. */
    me.until = tick_count() + (arguments[0] + TICK_MS - 1) / TICK_MS + 1;
    me.next = sleepers;
    sleepers = &me;
    thread_block();
    cpu_sti();
    return 0;
    /* END SOLUTION 6.4 */
}

void sleep_tick(uint64_t ticks)
{
    /* BEGIN SOLUTION 6.4: wake whose time has come, and forget them */
    struct sleeper **link = &sleepers;

    while (*link) {
        struct sleeper *sleeper = *link;

        if (sleeper->until <= ticks) {
            *link = sleeper->next;
            thread_wake(sleeper->thread);
        } else {
            link = &sleeper->next;
        }
    }
    /* END SOLUTION 6.4 */
}
