/* SPDX-License-Identifier: MIT */
/* The instructions that C does not know, and what C keeps of the registers. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <x86.h>

/* Registers that a C function preserves, besides rsp: rbx rbp r12 r13 r14 r15. */
#define PRESERVED_REGISTERS 6

#endif
