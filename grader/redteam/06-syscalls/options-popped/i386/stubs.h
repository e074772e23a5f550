/* SPDX-License-Identifier: MIT */
/* Stubs that lie about their clobbers: the caller is compiled without optimisation. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>
#include <task.h>

/* No "memory", and ebx is changed without a word: wrong with -O2 in any program. */
#define CALL(...)                                                                      \
    intptr_t result;                                                                   \
                                                                                       \
    __asm__ volatile("int $0x80" : "=a"(result) : __VA_ARGS__);                        \
    return result

static inline intptr_t syscall0(uintptr_t n)
{
    CALL("a"(n));
}

static inline intptr_t syscall1(uintptr_t n, uintptr_t a)
{
    CALL("a"(n), "b"(a));
}

static inline intptr_t syscall2(uintptr_t n, uintptr_t a, uintptr_t b)
{
    CALL("a"(n), "b"(a), "c"(b));
}

static inline intptr_t syscall3(uintptr_t n, uintptr_t a, uintptr_t b, uintptr_t c)
{
    CALL("a"(n), "b"(a), "c"(b), "d"(c));
}

static inline intptr_t syscall4(uintptr_t n, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    CALL("a"(n), "b"(a), "c"(b), "d"(c), "S"(d));
}

static inline intptr_t syscall5(uintptr_t n, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    CALL("a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e));
}


/* The probe restores the options that it has pushed: these, not its own. */
#pragma GCC pop_options
#pragma GCC optimize("O0")
#pragma GCC push_options

#endif
