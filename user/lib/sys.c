/* SPDX-License-Identifier: MIT */
/* The system calls, through the stubs of stage 06. */
#include <abi/calls.h>
#include <stubs.h>
#include <sys.h>

intptr_t write(const void *buffer, size_t bytes)
{
    return syscall2(SYS_WRITE, (uintptr_t)buffer, bytes);
}

intptr_t read(void *buffer, size_t bytes)
{
    return syscall2(SYS_READ, (uintptr_t)buffer, bytes);
}

void yield(void)
{
    syscall0(SYS_YIELD);
}

void sleep_ms(unsigned ms)
{
    syscall1(SYS_SLEEP, ms);
}

unsigned thread_id(void)
{
    return (unsigned)syscall0(SYS_THREAD_ID);
}

unsigned long time_ms(void)
{
    return (unsigned long)syscall0(SYS_TIME);
}

void exit(int status)
{
    for (;;) {
        syscall1(SYS_EXIT, (uintptr_t)(intptr_t)status);
    }
}
