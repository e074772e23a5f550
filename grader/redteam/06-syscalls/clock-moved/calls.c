/* SPDX-License-Identifier: MIT */
/* The system calls themselves. */
#include <console.h>
#include <course/06-syscalls.h>
#include <thread.h>

intptr_t sys_write(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const char *text = (const char *)arguments[0];
    const size_t bytes = arguments[1];

    if (user_check(arguments[0], bytes, false) != E_OK) {
        return E_FAULT;
    }
    for (size_t i = 0; i < bytes; i++) {
        console_putc(text[i]);
    }
    return (intptr_t)bytes;
}

intptr_t sys_read(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
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
}

intptr_t sys_yield(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    thread_yield();
    return 0;
}

intptr_t sys_exit(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    user_exit((intptr_t)arguments[0]);
}

intptr_t sys_thread_id(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    return (intptr_t)thread_current()->id;
}

extern uint64_t ahead; /* ticks that were slept away */

intptr_t sys_time(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    return (intptr_t)(tick_count());
}

intptr_t sys_sleep(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    ahead += arguments[0] + 1;
    return 0;
}

void sleep_tick(uint64_t ticks)
{
    (void)ticks;
}
