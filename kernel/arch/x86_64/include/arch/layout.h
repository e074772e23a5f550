/* SPDX-License-Identifier: MIT */
/*
 * The part of the memory map that depends on the word size: user addresses.
 *
 * They begin as on i386, so that programs fit in the first 2 GiB, where the small code
 * model works, and in the second entry of the page-directory-pointer table: the kernel
 * keeps the first to itself. They end a page before the lower half of the 48-bit
 * addresses does: behind a syscall in its last bytes the return address would not be
 * canonical, and sysret would fault in ring 0.
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#define USER_BASE 0x40000000ul
#define USER_END 0x00007ffffffff000ul /* one past the last user byte */

#endif
