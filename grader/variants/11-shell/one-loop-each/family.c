/* SPDX-License-Identifier: MIT */
/* Families: each function is one loop over all processes. */
#include <abi/process.h>
#include <abi/status.h>
#include <arch/cpu.h>
#include <course/06-syscalls.h>
#include <course/11-shell.h>
#include <memory.h>
#include <string.h>
#include <thread.h>

#define EACH_PROCESS(p)                                                                \
    for (struct process *p = process_after(0); p != NULL; p = process_after(p->pid))

intptr_t sys_spawn(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const int me = ((struct process *)thread_current()->process)->pid;
    char *text;
    intptr_t result = E_NOMEM;

    cpu_cli(); /* nobody may end this thread while it has memory */
    text = kmalloc((size_t)2 * SPAWN_BYTES);
    if (text == NULL) {
        goto out;
    }
    for (int which = 0; which < 2; which++) {
        size_t at = 0;

        do {
            result = at == SPAWN_BYTES ? E_INVAL
                                       : user_check(arguments[which] + at, 1, false);
            if (result != E_OK) {
                goto out;
            }
            text[which * SPAWN_BYTES + at] = ((const char *)arguments[which])[at];
        } while (text[which * SPAWN_BYTES + at++] != '\0');
    }
    result = process_start(text, text + SPAWN_BYTES);
    if (result > 0) {
        process_find((int)result)->parent = me;
    }
out:
    if (text != NULL) {
        kfree(text);
    }
    cpu_sti();
    return result;
}

intptr_t sys_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const int me = ((struct process *)thread_current()->process)->pid;
    intptr_t result = 0;

    if (arguments[1] != 0 && user_check(arguments[1], sizeof(intptr_t), true) != E_OK) {
        return E_FAULT;
    }
    while (result == 0) {
        struct process *ended = NULL;
        bool any = false;

        cpu_cli();
        EACH_PROCESS(p)
        {
            if (p->parent == me &&
                ((uint32_t)arguments[0] == 0 || (int)arguments[0] == p->pid)) {
                any = true;
                ended = p->thread == NULL ? p : ended;
            }
        }
        if (ended != NULL) {
            result = ended->pid;
            if (arguments[1] != 0) {
                memcpy((void *)arguments[1], &ended->status, sizeof(ended->status));
            }
            process_forget(ended);
        } else if (!any) {
            result = E_NOENT;
        }
        cpu_sti();
        if (result == 0) {
            thread_yield();
        }
    }
    return result;
}

void family_exit(void)
{
    EACH_PROCESS(child)
    {
        bool lost = child->parent != PARENT_KERNEL;

        EACH_PROCESS(p)
        {
            lost = lost && (p->pid != child->parent || p->thread == NULL);
        }
        if (lost) {
            child->parent = PARENT_NOBODY;
        }
    }
    /* After each one that is forgotten the list is looked through anew. */
    for (bool again = true; again;) {
        again = false;
        EACH_PROCESS(p)
        {
            if (p->thread == NULL && p->parent == PARENT_NOBODY) {
                process_forget(p);
                again = true;
                break;
            }
        }
    }
}

intptr_t sys_kill(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    intptr_t result = E_NOENT;

    cpu_cli();
    EACH_PROCESS(p)
    {
        if (p->pid == (int)arguments[0] && p->thread != NULL) {
            p->killed = true;
            result = E_OK;
        }
    }
    kill_point();
    cpu_sti();
    return result;
}

void kill_point(void)
{
    if (thread_current() != NULL && thread_current()->process != NULL) {
        const struct process *process = thread_current()->process;

        if (process->killed) {
            user_exit(STATUS_KILLED);
        }
    }
}

intptr_t sys_processes(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct process_info *next = (struct process_info *)arguments[0];
    uintptr_t room = arguments[1];
    intptr_t count = 0;

    if (room >= UINTPTR_MAX / sizeof(*next) ||
        user_check(arguments[0], room * sizeof(*next), true) != E_OK) {
        return E_FAULT;
    }
    cpu_cli();
    EACH_PROCESS(p)
    {
        count++;
        if (room == 0) {
            continue;
        }
        room--;
        next->pid = p->pid;
        next->parent = p->parent;
        if (p->thread == NULL) {
            next->state = PROCESS_ENDED;
        } else {
            next->state = p->thread->state == THREAD_BLOCKED;
        }
        for (size_t i = 0, end = 0; i < sizeof(next->name); i++) {
            end = end || p->name[i] == '\0' || i + 1 == sizeof(next->name);
            next->name[i] = end ? '\0' : p->name[i];
        }
        next++;
    }
    cpu_sti();
    return count;
}
