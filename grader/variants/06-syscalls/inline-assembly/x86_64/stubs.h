/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80: every register by name. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t syscall0(uintptr_t number)
{
    register intptr_t result __asm__("rax") = (intptr_t)number;

    __asm__ __volatile__("int $128" : "+r"(result) : : "memory");
    return result;
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    register intptr_t result __asm__("rax") = (intptr_t)number;
    register uintptr_t rdi __asm__("rdi") = a;

    __asm__ __volatile__("int $128" : "+r"(result), "+r"(rdi) : : "memory");
    return result;
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    register intptr_t result __asm__("rax") = (intptr_t)number;
    register uintptr_t rdi __asm__("rdi") = a;
    register uintptr_t rsi __asm__("rsi") = b;

    __asm__ __volatile__("int $128" : "+r"(result), "+r"(rdi), "+r"(rsi) : : "memory");
    return result;
}

static inline intptr_t syscall3(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c)
{
    register intptr_t result __asm__("rax") = (intptr_t)number;
    register uintptr_t rdi __asm__("rdi") = a;
    register uintptr_t rsi __asm__("rsi") = b;
    register uintptr_t rdx __asm__("rdx") = c;

    __asm__ __volatile__("int $128"
                         : "+r"(result), "+r"(rdi), "+r"(rsi), "+r"(rdx)
                         :
                         : "memory");
    return result;
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    register intptr_t result __asm__("rax") = (intptr_t)number;
    register uintptr_t rdi __asm__("rdi") = a;
    register uintptr_t rsi __asm__("rsi") = b;
    register uintptr_t rdx __asm__("rdx") = c;
    register uintptr_t r10 __asm__("r10") = d;

    __asm__ __volatile__("int $128"
                         : "+r"(result), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10)
                         :
                         : "memory");
    return result;
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    register intptr_t result __asm__("rax") = (intptr_t)number;
    register uintptr_t rdi __asm__("rdi") = a;
    register uintptr_t rsi __asm__("rsi") = b;
    register uintptr_t rdx __asm__("rdx") = c;
    register uintptr_t r10 __asm__("r10") = d;
    register uintptr_t r8 __asm__("r8") = e;

    __asm__ __volatile__("int $128"
                         : "+r"(result), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10),
                           "+r"(r8)
                         :
                         : "memory");
    return result;
}

#endif
