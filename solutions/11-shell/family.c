/* SPDX-License-Identifier: MIT */
/* Processes and those who started them: spawn, wait, kill, and what there is. */
#include <abi/process.h>
#include <abi/status.h>
#include <arch/cpu.h>
#include <course/06-syscalls.h>
#include <course/11-shell.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* BEGIN SOLUTION 11.1: who calls, and what it points to */
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
/* END SOLUTION 11.1 */

intptr_t sys_spawn(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 11.1: copy first; nobody may change the strings meanwhile */
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
    /* END SOLUTION 11.1 */
}

/* BEGIN SOLUTION 11.1: a child that fits, an ended one if there is any */
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
/* END SOLUTION 11.1 */

intptr_t sys_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 11.1: look, and let others run, until one has ended */
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
    /* END SOLUTION 11.1 */
}

void family_exit(void)
{
    /* BEGIN SOLUTION 11.2: first who has lost a parent, then who has nobody left */
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
    /* END SOLUTION 11.2 */
}

intptr_t sys_kill(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 11.3: the others end at their next point, this one here */
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
    /* END SOLUTION 11.3 */
}

void kill_point(void)
{
    /* BEGIN SOLUTION 11.3: whoever is here may end here */
    const struct process *process = thread_current()->process;

    if (process && process->killed) {
        user_exit(STATUS_KILLED);
    }
    /* END SOLUTION 11.3 */
}

intptr_t sys_processes(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 11.4: a product that does not overflow, then one after another */
    struct process_info *info = (struct process_info *)arguments[0];
    const size_t room = arguments[1];
    size_t count = 0;

    if (room > SIZE_MAX / sizeof(*info) ||
        user_check(arguments[0], room * sizeof(*info), true) != E_OK) {
        return E_FAULT;
    }
    cpu_cli();
    for (struct process *p = process_after(0); p; p = process_after(p->pid), count++) {
        if (count < room) {
            memset(&info[count], 0, sizeof(*info));
            info[count].pid = p->pid;
            info[count].parent = p->parent;
            info[count].state = PROCESS_READY;
            if (!p->thread) {
                info[count].state = PROCESS_ENDED;
            } else if (p->thread->state == THREAD_BLOCKED) {
                info[count].state = PROCESS_BLOCKED;
            }
            strlcpy(info[count].name, p->name, sizeof(info[count].name));
        }
    }
    cpu_sti();
    return (intptr_t)count;
    /* END SOLUTION 11.4 */
}
