/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80: the arguments by way of memory. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t call_kernel(const uintptr_t *words)
{
    intptr_t result;

    __asm__ volatile("movq 8(%%rax), %%rdi\n\t"
                     "movq 16(%%rax), %%rsi\n\t"
                     "movq 24(%%rax), %%rdx\n\t"
                     "movq 32(%%rax), %%r10\n\t"
                     "movq 40(%%rax), %%r8\n\t"
                     "movq (%%rax), %%rax\n\t"
                     "int $0x80"
                     : "=a"(result)
                     : "a"(words)
                     : "rdi", "rsi", "rdx", "r10", "r8", "rcx", "r11", "memory");
    return result;
}

static inline intptr_t syscall0(uintptr_t number)
{
    const uintptr_t words[6] = {number};

    return call_kernel(words);
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    const uintptr_t words[6] = {number, a};

    return call_kernel(words);
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    const uintptr_t words[6] = {number, a, b};

    return call_kernel(words);
}

static inline intptr_t syscall3(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c)
{
    const uintptr_t words[6] = {number, a, b, c};

    return call_kernel(words);
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    const uintptr_t words[6] = {number, a, b, c, d};

    return call_kernel(words);
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    const uintptr_t words[6] = {number, a, b, c, d, e};

    return call_kernel(words);
}

#endif
