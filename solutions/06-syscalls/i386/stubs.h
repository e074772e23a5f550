/* SPDX-License-Identifier: MIT */
/* The user's side of a system call: number in eax, arguments in ebx ecx edx esi edi. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>
#include <task.h>

static inline intptr_t syscall0(uintptr_t number)
{
    /* BEGIN SOLUTION 6.5: int 0x80, with the number in eax; the result comes in eax */
    intptr_t result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number) : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    /* BEGIN SOLUTION 6.5: one argument, in ebx */
    intptr_t result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a) : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    /* BEGIN SOLUTION 6.5: two arguments */
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall3(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c)
{
    /* BEGIN SOLUTION 6.5: three arguments */
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    /* BEGIN SOLUTION 6.5: four arguments */
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    /* BEGIN SOLUTION 6.5: five arguments */
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

#endif
