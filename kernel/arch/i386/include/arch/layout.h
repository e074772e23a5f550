/* SPDX-License-Identifier: MIT */
/* The part of the memory map that depends on the word size: user addresses. */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#define USER_BASE 0x40000000u
#define USER_END 0xc0000000u /* one past the last user byte */

#endif
