/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 08-address-spaces: a tree of page tables for each process.
 * Source: SDM 3A "32-Bit Paging" (4.3), "4-Level Paging" (4.5), "Access Rights" (4.6),
 * "Invalidation of TLBs and Paging-Structure Caches" (4.10.4).
 *
 * A space is named by root_pa, the address of its topmost table, as CR3 takes it. Every
 * table is a frame below IDENTITY_END, so any tree can be read and written, whether CR3
 * names it or not.
 */
#ifndef COURSE_08_ADDRESS_SPACES_H
#define COURSE_08_ADDRESS_SPACES_H

#include <course/05-threads.h>
#include <types.h>

/* What struct thread's `process` points to begins so; NULL: a thread of the kernel. */
struct space {
    uintptr_t root_pa;
};

/* Rights of a page in ring 3, besides reading. */
#define SPACE_WRITE 0x1
#define SPACE_EXEC 0x2 /* without it, paging_no_execute() forbids it, where it can */

/*
 * Task 8.1. A new space: the kernel's part is the one of paging_kernel_root(), served
 * by the same tables below USER_BASE, and nothing of it is ring 3's; from USER_BASE on
 * nothing is mapped. Returns root_pa, or 0 when no frame is left, and then every frame
 * that it took is free again. Context: interrupts off.
 */
uintptr_t space_create(void);

/*
 * Task 8.2. Let ring 3 see the frame at va in this space. va: page-aligned, USER_BASE
 * to below USER_END; rights: SPACE_* bits. New tables come from frame_alloc and belong
 * to this space alone. Returns E_OK; E_INVAL if va is no such address or has a frame
 * already; E_NOMEM if no frame is left for a table; tables made until then may stay,
 * space_destroy frees them. Context: interrupts off.
 */
int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights);

/*
 * Task 8.2. Take the page at va out of this space; the CPU, too, forgets it. Returns
 * the frame that ring 3 saw there, which is the caller's now, or 0 if there was none or
 * va is not ring 3's. Context: interrupts off.
 */
uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va);

/*
 * Task 8.3. The end of a space that CR3 does not name: every frame that ring 3 saw in
 * it, and every table that space_create and space_map took, is free again. The kernel's
 * tables live on. Context: interrupts off.
 */
void space_destroy(uintptr_t root_pa);

/*
 * Task 8.4. Called by dispatch() before each switch. Lets the CPU use the tree that
 * next needs: that of its space, or paging_kernel_root() for a thread of the kernel.
 * prev may have ended. Context: interrupts off.
 */
void space_switch(struct thread *prev, struct thread *next);

/*
 * Task 8.4, in place of the core's. A stack in the space that CR3 names:
 * USER_STACK_PAGES pages below USER_STACK_TOP, the same addresses in each space, to
 * read and write. Returns USER_STACK_TOP, or 0 if memory is short or something is
 * mapped there: then all pages are as before, and the frames that it took for some are
 * free again. Context: interrupts off.
 */
uintptr_t user_stack_create(void);

#endif
