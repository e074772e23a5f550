/* SPDX-License-Identifier: MIT */
/* The system calls, through the stubs of stage 06. */
#include <abi/calls.h>
#include <stdlib.h>
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

int poll(void)
{
    return (int)syscall0(SYS_POLL);
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

void abort(void)
{
    __builtin_trap();
}

void *heap_grow(intptr_t bytes)
{
    const intptr_t old_end = syscall1(SYS_HEAP, (uintptr_t)bytes);

    /* i386 has user addresses that are negative numbers: only the errors are none. */
    return (uintptr_t)old_end > (uintptr_t)-4096 ? NULL : (void *)old_end;
}

int spawn(const char *name, const char *words)
{
    return (int)syscall2(SYS_SPAWN, (uintptr_t)name, (uintptr_t)words);
}

int wait(int pid, intptr_t *status)
{
    return (int)syscall2(SYS_WAIT, (uintptr_t)(intptr_t)pid, (uintptr_t)status);
}

int kill(int pid)
{
    return (int)syscall1(SYS_KILL, (uintptr_t)(intptr_t)pid);
}

intptr_t processes(struct process_info *list, size_t count)
{
    return syscall2(SYS_PROCESSES, (uintptr_t)list, count);
}

intptr_t frames_free(void)
{
    return syscall1(SYS_FRAMES, FRAMES_FREE);
}

intptr_t frames_all(void)
{
    return syscall1(SYS_FRAMES, FRAMES_ALL);
}

int screen_put(unsigned column, unsigned row, unsigned char c, unsigned char attribute)
{
    return (int)syscall2(SYS_SCREEN, column << 16 | row, (unsigned)attribute << 8 | c);
}
