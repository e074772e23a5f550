/* SPDX-License-Identifier: MIT */
/*
 * The one memory map of all stages. Physical and virtual addresses are the same
 * below IDENTITY_END; everything there is the kernel's and supervisor-only.
 *
 *   0x00000000  page 0, absent: a null pointer faults
 *   0x00001000  BIOS data, Multiboot information, VGA text at 0xb8000
 *   0x00100000  kernel image, then the modules that the boot loader put behind it
 *   0x00800000  heap
 *   0x00a00000  kernel stacks, an absent guard page under each
 *   0x00c00000  pool of page frames
 *   0x01000000  RAM that no one owns yet
 *   0x04000000  end of the identity map
 *   USER_BASE   user addresses, up to USER_END (arch/layout.h); absent at first
 *   + 0x000fe000  of these: the page of the fast calls
 *   + 0x000ff000  the arguments of a user program
 *   + 0x00100000  the user program itself
 *   0xb0000000  of these: stacks that user_stack_create hands out, 16 MiB
 */
#ifndef MEMMAP_H
#define MEMMAP_H

#include <arch/layout.h>

#define PAGE_BYTES 4096

#define KERNEL_BASE 0x00100000
#define KERNEL_MAX_BYTES 0x00400000

#define HEAP_BASE 0x00800000
#define HEAP_BYTES 0x00200000

#define KSTACK_BASE 0x00a00000
#define KSTACK_SLOTS 64
#define KSTACK_PAGES 4 /* usable pages of a stack, above its guard page */

#define FRAME_POOL_BASE 0x00c00000
#define FRAME_POOL_BYTES 0x00400000

#define IDENTITY_END 0x04000000

#define USER_STACKS_BASE 0xb0000000ul
#define USER_STACKS_BYTES 0x01000000ul
#define USER_STACK_TOP (USER_STACKS_BASE + USER_STACKS_BYTES) /* with a space each */

#define USER_PROGRAM_BASE (USER_BASE + 0x00100000)
#define USER_ARGS_VA (USER_PROGRAM_BASE - PAGE_BYTES)
#define FAST_CALL_VA (USER_ARGS_VA - PAGE_BYTES)

#define VGA_TEXT_PA 0x000b8000

#endif
