/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80: one stub that does it, and five that call it. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    intptr_t result;

    __asm__ volatile("push %%ebp\n\t"
                     "int $0x80\n\t"
                     "pop %%ebp"
                     : "=a"(result)
                     : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory", "cc");
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
