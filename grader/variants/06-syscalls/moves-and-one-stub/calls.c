/* SPDX-License-Identifier: MIT */
/* The calls; sleepers on the heap, the one to wake first at the front. */
#include <arch/cpu.h>
#include <console.h>
#include <course/06-syscalls.h>
#include <memory.h>
#include <thread.h>

struct alarm {
    uint64_t at;
    struct thread *who;
    struct alarm *later;
};

static struct alarm *alarms;

static bool bad(const uintptr_t *arguments, bool write)
{
    return user_check(arguments[0], arguments[1], write) != E_OK;
}

intptr_t sys_write(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const char *next = (const char *)arguments[0];
    size_t left = arguments[1];

    if (bad(arguments, false)) {
        return E_FAULT;
    }
    while (left-- > 0) {
        console_putc(*next++);
    }
    return (intptr_t)arguments[1];
}

intptr_t sys_read(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    char *const first = (char *)arguments[0];
    char *next = first;

    if (bad(arguments, true)) {
        return E_FAULT;
    }
    while (next == first && arguments[1] > 0) {
        int c;

        while (next < first + arguments[1] && (c = console_poll()) >= 0) {
            *next++ = (char)c;
        }
        if (next == first) {
            cpu_idle();
        }
    }
    return next - first;
}

intptr_t sys_yield(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    return thread_yield(), (void)arguments, 0;
}

intptr_t sys_exit(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    for (;;) {
        user_exit((intptr_t)arguments[0]);
    }
}

intptr_t sys_thread_id(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const struct thread *me = thread_current();

    (void)arguments;
    return (intptr_t)me->id;
}

intptr_t sys_time(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    return (intptr_t)tick_count(); /* TICK_HZ is 1000 */
}

intptr_t sys_sleep(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct alarm *alarm;
    struct alarm **place = &alarms;

    if (arguments[0] == 0) {
        return 0;
    }
    alarm = kmalloc(sizeof(*alarm));
    if (!alarm) {
        return E_NOMEM;
    }
    cpu_cli();
    alarm->who = thread_current();
    alarm->at = tick_count() + 1 + arguments[0];
    while (*place && (*place)->at <= alarm->at) {
        place = &(*place)->later;
    }
    alarm->later = *place;
    *place = alarm;
    thread_block();
    cpu_sti();
    kfree(alarm);
    return 0;
}

void sleep_tick(uint64_t ticks)
{
    for (; alarms && alarms->at <= ticks; alarms = alarms->later) {
        thread_wake(alarms->who);
    }
}
