/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80: the arguments by way of memory. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t call_kernel(const uintptr_t *words)
{
    intptr_t result;

    __asm__ volatile("pushl %%ebx\n\t"
                     "movl 4(%%eax), %%ebx\n\t"
                     "movl 8(%%eax), %%ecx\n\t"
                     "movl 12(%%eax), %%edx\n\t"
                     "movl 16(%%eax), %%esi\n\t"
                     "movl 20(%%eax), %%edi\n\t"
                     "movl (%%eax), %%eax\n\t"
                     "int $0x80\n\t"
                     "popl %%ebx"
                     : "=a"(result)
                     : "a"(words)
                     : "ecx", "edx", "esi", "edi", "memory");
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
