/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of a flat user program, and how it gets its arguments.
 *
 *   base - page   word argc, words argv[0] to argv[argc - 1], a word 0, the texts
 *   base          struct program_header, code, constants, data
 *   end           one past the last byte, zeroed data included
 */
#ifndef ABI_PROGRAM_H
#define ABI_PROGRAM_H

#include <stdint.h>

#define PROGRAM_MAGIC 0x42414c474e4952ull /* "RINGLAB" and a NUL */

struct program_header {
    uint64_t magic;
    uintptr_t base;
    uintptr_t entry;
    uintptr_t end;
};

#endif
