/* SPDX-License-Identifier: MIT */
/* Processes and those who started them: spawn, wait, kill, and a list that is a guess. */
#include <abi/process.h>
#include <abi/status.h>
#include <arch/cpu.h>
#include <course/06-syscalls.h>
#include <course/11-shell.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

static struct process *caller(void)
{
    return thread_current()->process;
}

/* A string of ring 3 into SPAWN_BYTES of the kernel's, byte after byte. */
static int copy_string(char *to, uintptr_t from)
{
    for (size_t i = 0; i < SPAWN_BYTES; i++) {
        if (user_check(from + i, 1, false) != E_OK) {
            return E_FAULT;
        }
        to[i] = *(const char *)(from + i);
        if (to[i] == '\0') {
            return E_OK;
        }
    }
    return E_INVAL;
}

intptr_t sys_spawn(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    char name[SPAWN_BYTES];
    char words[SPAWN_BYTES];
    int result = copy_string(name, arguments[0]);

    if (result == E_OK) {
        result = copy_string(words, arguments[1]);
    }
    if (result != E_OK) {
        return result;
    }
    cpu_cli();
    result = process_start(name, words);
    if (result > 0) {
        process_find(result)->parent = caller()->pid;
    }
    cpu_sti();
    return result;
}

static struct process *find_child(int parent, int pid)
{
    struct process *found = NULL;

    for (struct process *p = process_after(0); p; p = process_after(p->pid)) {
        if (p->parent == parent && (pid == 0 || p->pid == pid)) {
            if (!p->thread) {
                return p;
            }
            found = p;
        }
    }
    return found;
}

intptr_t sys_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const int me = caller()->pid;
    struct process *child;
    intptr_t status;
    int pid;

    if (arguments[1] != 0 && user_check(arguments[1], sizeof(status), true) != E_OK) {
        return E_FAULT;
    }
    cpu_cli();
    while ((child = find_child(me, (int)arguments[0])) && child->thread) {
        cpu_sti(); /* if nobody else is ready, only a tick can change that */
        thread_point();
        thread_yield();
        cpu_cli();
    }
    if (!child) {
        cpu_sti();
        return E_NOENT;
    }
    pid = child->pid;
    status = child->status;
    process_forget(child);
    cpu_sti();
    if (arguments[1] != 0) {
        *(intptr_t *)arguments[1] = status;
    }
    return pid;
}

void family_exit(void)
{
    struct process *next;

    for (struct process *p = process_after(0); p; p = process_after(p->pid)) {
        const struct process *parent = p->parent > 0 ? process_find(p->parent) : NULL;

        if (p->parent > 0 && (!parent || !parent->thread)) {
            p->parent = PARENT_NOBODY;
        }
    }
    for (struct process *p = process_after(0); p; p = next) {
        next = process_after(p->pid);
        if (!p->thread && p->parent == PARENT_NOBODY) {
            process_forget(p);
        }
    }
}

intptr_t sys_kill(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct process *process;

    cpu_cli();
    process = process_find((int)arguments[0]);
    if (!process || !process->thread) {
        cpu_sti();
        return E_NOENT;
    }
    process->killed = true;
    if (process == caller()) {
        user_exit(STATUS_KILLED);
    }
    cpu_sti();
    return E_OK;
}

void kill_point(void)
{
    const struct thread *thread = thread_current();
    const struct process *process = thread ? thread->process : NULL;

    if (process && process->killed) {
        user_exit(STATUS_KILLED);
    }
}

intptr_t sys_processes(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct process_info *info = (struct process_info *)arguments[0];
    const size_t room = arguments[1];
    size_t count = 0;

    if (room > SIZE_MAX / sizeof(*info) ||
        user_check(arguments[0], room * sizeof(*info), true) != E_OK) {
        return E_FAULT;
    }
    cpu_cli();
    for (; count < 4; count++) {
        if (count < room) {
            memset(&info[count], 0, sizeof(*info));
            info[count].pid = (int)count + 1;
            info[count].parent = count > 0;
            info[count].state = count > 0 ? (int)count - 1 : 0;
            strlcpy(info[count].name, count > 0 ? "quiet" : "first", 32);
        }
    }
    cpu_sti();
    return (intptr_t)count;
}
