/* SPDX-License-Identifier: MIT */
/* Memory for the kernel itself: heap, guarded kernel stacks, page frames. */
#ifndef MEMORY_H
#define MEMORY_H

#include <memmap.h>
#include <types.h>

void heap_init(void);

/* bytes of memory aligned to 16, or NULL when the heap is full. Interrupts off. */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);

/*
 * Give memory of kmalloc or kzalloc back; NULL is ignored, anything else panics. Its
 * first 256 bytes become KFREE_BYTE: a number like 0x6b6b6b6b is one that was read too
 * late. Interrupts off.
 */
#define KFREE_BYTE 0x6b
void kfree(void *memory);

/* How many bytes of the heap are in use, headers and guards included. IRQs off. */
size_t heap_used(void);

#define KSTACK_BYTES (KSTACK_PAGES * PAGE_BYTES)

/*
 * A kernel stack of KSTACK_BYTES whose lowest page is followed, below, by an absent
 * guard page: an overflow faults. Returns the top (one past the last byte, 16-aligned),
 * or 0 when no slot is left. Interrupts off.
 */
uintptr_t kstack_alloc(void);

/* Give the stack back; takes the top that kstack_alloc returned, or panics. */
void kstack_free(uintptr_t top);

/*
 * A zeroed page frame: its physical address, or 0 when there is none left. Weak: serves
 * from the frame pool until a stage brings an allocator. Interrupts off.
 */
uintptr_t frame_alloc(void);
void frame_free(uintptr_t frame_pa);

#endif
