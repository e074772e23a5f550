/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80: one stub that does it, and five that call it. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    intptr_t result;

    __asm__ volatile("mov %5, %%r10\n\t"
                     "mov %6, %%r8\n\t"
                     "int $0x80"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "rm"(d), "rm"(e)
                     : "r8", "r10", "memory");
    return result;
}

#define syscall4(number, a, b, c, d) syscall5(number, a, b, c, d, 0)
#define syscall3(number, a, b, c) syscall4(number, a, b, c, 0)
#define syscall2(number, a, b) syscall3(number, a, b, 0)

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    return syscall2(number, a, 0);
}

static inline intptr_t syscall0(uintptr_t number)
{
    return syscall1(number, 0);
}

#endif
