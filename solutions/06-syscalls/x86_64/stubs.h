/* SPDX-License-Identifier: MIT */
/* The user's side of a system call: number in rax, arguments in rdi rsi rdx r10 r8. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>
#include <task.h>

static inline intptr_t syscall0(uintptr_t number)
{
    /* BEGIN SOLUTION 6.5: int 0x80, with the number in rax; the result comes in rax */
    intptr_t result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number) : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    /* BEGIN SOLUTION 6.5: one argument, in rdi */
    intptr_t result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "D"(a) : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    /* BEGIN SOLUTION 6.5: two arguments */
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b)
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
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    /* BEGIN SOLUTION 6.5: four arguments */
    register uintptr_t fourth __asm__("r10") = d; /* no constraint names r10 */
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    /* BEGIN SOLUTION 6.5: five arguments */
    register uintptr_t fourth __asm__("r10") = d;
    register uintptr_t fifth __asm__("r8") = e;
    intptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "memory");
    return result;
    /* END SOLUTION 6.5 */
}

#endif
