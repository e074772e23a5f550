/* SPDX-License-Identifier: MIT */
/* The user's side of int 0x80: every register by name. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

static inline intptr_t syscall0(uintptr_t number)
{
    register intptr_t result __asm__("eax") = (intptr_t)number;

    __asm__ __volatile__("int $128" : "+r"(result) : : "memory");
    return result;
}

static inline intptr_t syscall1(uintptr_t number, uintptr_t a)
{
    register intptr_t result __asm__("eax") = (intptr_t)number;
    register uintptr_t ebx __asm__("ebx") = a;

    __asm__ __volatile__("int $128" : "+r"(result), "+r"(ebx) : : "memory");
    return result;
}

static inline intptr_t syscall2(uintptr_t number, uintptr_t a, uintptr_t b)
{
    register intptr_t result __asm__("eax") = (intptr_t)number;
    register uintptr_t ebx __asm__("ebx") = a;
    register uintptr_t ecx __asm__("ecx") = b;

    __asm__ __volatile__("int $128" : "+r"(result), "+r"(ebx), "+r"(ecx) : : "memory");
    return result;
}

static inline intptr_t syscall3(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c)
{
    register intptr_t result __asm__("eax") = (intptr_t)number;
    register uintptr_t ebx __asm__("ebx") = a;
    register uintptr_t ecx __asm__("ecx") = b;
    register uintptr_t edx __asm__("edx") = c;

    __asm__ __volatile__("int $128"
                         : "+r"(result), "+r"(ebx), "+r"(ecx), "+r"(edx)
                         :
                         : "memory");
    return result;
}

static inline intptr_t syscall4(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d)
{
    register intptr_t result __asm__("eax") = (intptr_t)number;
    register uintptr_t ebx __asm__("ebx") = a;
    register uintptr_t ecx __asm__("ecx") = b;
    register uintptr_t edx __asm__("edx") = c;
    register uintptr_t esi __asm__("esi") = d;

    __asm__ __volatile__("int $128"
                         : "+r"(result), "+r"(ebx), "+r"(ecx), "+r"(edx), "+r"(esi)
                         :
                         : "memory");
    return result;
}

static inline intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                uintptr_t d, uintptr_t e)
{
    register intptr_t result __asm__("eax") = (intptr_t)number;
    register uintptr_t ebx __asm__("ebx") = a;
    register uintptr_t ecx __asm__("ecx") = b;
    register uintptr_t edx __asm__("edx") = c;
    register uintptr_t esi __asm__("esi") = d;
    register uintptr_t edi __asm__("edi") = e;

    __asm__ __volatile__("int $128"
                         : "+r"(result), "+r"(ebx), "+r"(ecx), "+r"(edx), "+r"(esi),
                           "+r"(edi)
                         :
                         : "memory");
    return result;
}

#endif
