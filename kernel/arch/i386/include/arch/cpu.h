/* SPDX-License-Identifier: MIT */
/* The instructions that C does not know, and what C keeps of the registers. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <x86.h>

/* Registers that a C function preserves, besides the stack pointer: ebx esi edi ebp. */
#define PRESERVED_REGISTERS 4

#endif
