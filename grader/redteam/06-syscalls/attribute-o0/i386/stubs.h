/* SPDX-License-Identifier: MIT */
/* Stubs that lie about their clobbers: attributes make the caller -O0. */
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


/* The functions of the probe are declared before they are defined: with -O0. */
#define PLAIN __attribute__((optimize("O0")))
static void results_unused(uintptr_t) PLAIN;
static void every_stub(uintptr_t) PLAIN;
static void memory_seen(uintptr_t) PLAIN;
static void registers_kept(uintptr_t) PLAIN;
int main(int argc, char *argv[]) PLAIN;

#endif
