/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t syscall0(uintptr_t number)
{
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory", "cc");
    return (intptr_t)number;
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    __asm__ volatile("int $0x80" : "+a"(number) : "D"(a) : "memory", "cc");
    return (intptr_t)number;
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    __asm__ volatile("int $0x80" : "+a"(number) : "D"(a), "S"(b) : "memory", "cc");
    return (intptr_t)number;
}

static inline intptr_t syscall3(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c)
{
    __asm__ volatile("int $0x80"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c)
                     : "memory", "cc");
    return (intptr_t)number;
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    register uintptr_t r10 __asm__("r10") = d;

    __asm__ volatile("int $0x80"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "memory", "cc");
    return (intptr_t)number;
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    register uintptr_t r10 __asm__("r10") = d;
    register uintptr_t r8 __asm__("r8") = e;

    __asm__ volatile("int $0x80"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "memory", "cc");
    return (intptr_t)number;
}

#endif
