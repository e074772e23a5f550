/* SPDX-License-Identifier: MIT */
/* The way of a system call through the kernel: gate, dispatcher, pointer check. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/06-syscalls.h>
#include <memmap.h>
#include <task.h>

void syscall_init(void)
{
    /* TASK 6.1: a gate that ring 3 may use, to syscall_entry */
    TASK_OPEN("6.1");
}

intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* TASK 6.2: refuse what is no call, serve the rest with interrupts on */
    TASK_OPEN("6.2");
}

int user_check(uintptr_t va, size_t bytes, bool write)
{
    /* TASK 6.3: the range first, without overflow; then page after page */
    TASK_OPEN("6.3");
}
