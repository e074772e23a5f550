/* SPDX-License-Identifier: MIT */
/* The calls; who sleeps has a slot in an array. */
#include <arch/cpu.h>
#include <console.h>
#include <course/06-syscalls.h>
#include <thread.h>

#define SLOTS 32

static struct {
    struct thread *thread;
    uint64_t wake;
} slots[SLOTS];

intptr_t sys_write(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    if (user_check(arguments[0], arguments[1], false)) {
        return E_FAULT;
    }
    for (uintptr_t at = arguments[0]; at != arguments[0] + arguments[1]; at++) {
        kprintf("%c", *(const char *)at);
    }
    return (intptr_t)arguments[1];
}

intptr_t sys_read(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    int c;

    if (user_check(arguments[0], arguments[1], true)) {
        return E_FAULT;
    }
    if (!arguments[1]) {
        return 0;
    }
    while ((c = console_poll()) == -1) {
        thread_yield();
    }
    *(char *)arguments[0] = (char)c;
    return 1;
}

intptr_t sys_yield(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    thread_yield();
    return E_OK;
}

intptr_t sys_exit(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    cpu_cli();
    user_exit((intptr_t)arguments[0]);
}

intptr_t sys_thread_id(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    return (intptr_t)thread_current()->id;
}

intptr_t sys_time(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    return (intptr_t)(tick_count() * 1000u / TICK_HZ);
}

intptr_t sys_sleep(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const uint64_t ticks = ((uint64_t)arguments[0] * TICK_HZ + 999) / 1000;

    if (ticks == 0) {
        return 0;
    }
    cpu_cli();
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].thread == NULL) {
            slots[i].thread = thread_current();
            slots[i].wake = tick_count() + ticks + 1;
            thread_block();
            break;
        }
    }
    cpu_sti();
    return 0;
}

void sleep_tick(uint64_t ticks)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].thread != NULL && ticks >= slots[i].wake) {
            struct thread *thread = slots[i].thread;

            slots[i].thread = NULL;
            thread_wake(thread);
        }
    }
}
