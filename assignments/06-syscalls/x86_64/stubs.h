/* SPDX-License-Identifier: MIT */
/* The user's side of a system call: number in rax, arguments in rdi rsi rdx r10 r8. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>
#include <task.h>

static inline intptr_t syscall0(uintptr_t number)
{
    /* TASK 6.5: int 0x80, with the number in rax; the result comes in rax */
    TASK_OPEN("6.5");
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    /* TASK 6.5: one argument, in rdi */
    TASK_OPEN("6.5");
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    /* TASK 6.5: two arguments */
    TASK_OPEN("6.5");
}

static inline intptr_t syscall3(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c)
{
    /* TASK 6.5: three arguments */
    TASK_OPEN("6.5");
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    /* TASK 6.5: four arguments */
    TASK_OPEN("6.5");
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    /* TASK 6.5: five arguments */
    TASK_OPEN("6.5");
}

#endif
