/* SPDX-License-Identifier: MIT */
/* Families, with threads that block while they wait. */
#include <abi/process.h>
#include <abi/status.h>
#include <arch/cpu.h>
#include <course/06-syscalls.h>
#include <course/11-shell.h>
#include <memory.h>
#include <string.h>
#include <thread.h>

/* On the stack of a thread that waits; out of the list as soon as it is woken. */
struct waiter {
    struct thread *thread;
    struct waiter *next;
};

static struct waiter *waiters;

/* Wake the thread if it waits; NULL: all that do. */
static void wake(const struct thread *thread)
{
    struct waiter **link = &waiters;

    while (*link) {
        struct waiter *waiter = *link;

        if (!thread || waiter->thread == thread) {
            *link = waiter->next;
            thread_wake(waiter->thread);
        } else {
            link = &waiter->next;
        }
    }
}

static struct process *self(void)
{
    return (struct process *)thread_current()->process;
}

static int fetch(char *buffer, uintptr_t va)
{
    size_t done = 0;

    while (done < SPAWN_BYTES) {
        size_t piece = PAGE_BYTES - (va + done) % PAGE_BYTES;

        if (piece > SPAWN_BYTES - done) {
            piece = SPAWN_BYTES - done;
        }
        if (user_check(va + done, piece, false) != E_OK) {
            return E_FAULT;
        }
        for (; piece > 0; piece--, done++) {
            buffer[done] = ((const char *)va)[done];
            if (buffer[done] == '\0') {
                return E_OK;
            }
        }
    }
    return E_INVAL;
}

intptr_t sys_spawn(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    char text[2][SPAWN_BYTES];
    int pid;

    for (unsigned i = 0; i < 2; i++) {
        const int error = fetch(text[i], arguments[i]);

        if (error != E_OK) {
            return error;
        }
    }
    cpu_cli();
    pid = process_start(text[0], text[1]);
    if (pid > 0) {
        process_find(pid)->parent = self()->pid;
    }
    cpu_sti();
    return pid;
}

/* How many children fit; one that has ended, if any, in *ended. */
static unsigned count_children(int pid, struct process **ended)
{
    const int me = self()->pid;
    unsigned count = 0;

    *ended = NULL;
    for (struct process *p = process_after(0); p; p = process_after(p->pid)) {
        if (p->parent != me || (pid != 0 && pid != p->pid)) {
            continue;
        }
        count++;
        if (!p->thread) {
            *ended = p;
        }
    }
    return count;
}

intptr_t sys_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const int pid = (int)arguments[0];
    intptr_t *where = (intptr_t *)arguments[1];
    struct process *child;
    intptr_t result = E_NOENT;

    if (where && user_check((uintptr_t)where, sizeof(*where), true) != E_OK) {
        return E_FAULT;
    }
    cpu_cli();
    while (count_children(pid, &child) > 0 && !child) {
        struct waiter me = {.thread = thread_current(), .next = waiters};

        waiters = &me;
        thread_block();
        thread_point();
    }
    if (child) {
        result = child->pid;
        if (where) {
            *where = child->status;
        }
        process_forget(child);
    }
    cpu_sti();
    return result;
}

void family_exit(void)
{
    struct process *p = process_after(0);

    while (p) {
        struct process *next = process_after(p->pid);

        if (p->parent > 0) {
            const struct process *parent = process_find(p->parent);

            if (!parent || !parent->thread) {
                p->parent = PARENT_NOBODY;
            }
        }
        if (!p->thread && p->parent == PARENT_NOBODY) {
            process_forget(p);
        }
        p = next;
    }
    wake(NULL);
}

intptr_t sys_kill(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    intptr_t result = E_NOENT;
    struct process *victim;

    cpu_cli();
    victim = process_find((int)arguments[0]);
    if (victim && victim->thread) {
        victim->killed = true;
        wake(victim->thread);
        thread_point(); /* it may be the caller */
        result = E_OK;
    }
    cpu_sti();
    return result;
}

void kill_point(void)
{
    struct thread *me = thread_current();

    if (me && me->process && ((struct process *)me->process)->killed) {
        user_exit(STATUS_KILLED);
    }
}

static void describe(struct process_info *info, const struct process *process)
{
    *info = (struct process_info){.pid = process->pid, .parent = process->parent};
    strlcpy(info->name, process->name, sizeof(info->name));
    info->state = !process->thread                           ? PROCESS_ENDED
                  : process->thread->state == THREAD_BLOCKED ? PROCESS_BLOCKED
                                                             : PROCESS_READY;
}

intptr_t sys_processes(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct process_info *list = (struct process_info *)arguments[0];
    uintptr_t bytes;
    uintptr_t count = 0;

    if (__builtin_mul_overflow(arguments[1], sizeof(*list), &bytes) ||
        user_check(arguments[0], bytes, true) != E_OK) {
        return E_FAULT;
    }
    cpu_cli();
    for (const struct process *p = process_after(0); p; p = process_after(p->pid)) {
        struct process_info info;

        if (count++ < arguments[1]) {
            describe(&info, p);
            memcpy(list++, &info, sizeof(info));
        }
    }
    cpu_sti();
    return (intptr_t)count;
}
