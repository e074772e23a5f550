/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 07-frames: who owns which page frame.
 * Source: Multiboot Specification 0.6.96, "Boot information format" (3.3), mmap_*;
 * Intel SDM 3A "Paging" (4.1) on frames of 4 KiB.
 *
 * Physical addresses below IDENTITY_END are also the kernel's virtual ones: a frame can
 * be read and written at its physical address.
 */
#ifndef COURSE_07_FRAMES_H
#define COURSE_07_FRAMES_H

#include <memmap.h>
#include <multiboot.h>
#include <types.h>

/* Frames that lie side by side. */
struct frame_range {
    uintptr_t base_pa; /* page-aligned */
    size_t frames;     /* at least 1 */
};

/*
 * Task 7.1. Begin anew: free are exactly the frames that lie whole inside the usable
 * ranges of map, from KERNEL_BASE to below IDENTITY_END, and share no byte with a range
 * of map that is not usable, nor with one of reserved. Usable ranges that adjoin or
 * overlap are one. Ranges come in any order, may overlap, may begin and end anywhere up
 * to 2^64, and may have 0 bytes; base_pa + bytes is at most 2^64. map_count and
 * reserved_count: ranges in each. Frames handed out before are forgotten. Frames that
 * are not free are neither read nor written. Context: interrupts off.
 */
void frames_init(const struct memory_range *map, size_t map_count,
                 const struct memory_range *reserved, size_t reserved_count);

/*
 * Task 7.1. The free frames as ranges: ascending, disjoint, and each as long as it can
 * be. Stores the first `room` of them; returns how many there are. ranges may be NULL
 * if room is 0. Changes nothing. Context: interrupts off.
 */
size_t frame_ranges(struct frame_range *ranges, size_t room);

/*
 * Task 7.2. Also in memory.h, where the core asks for them. frame_alloc: a frame that
 * was free, filled with zeroes, or 0 when none is free. frame_free: frame_pa is free
 * again; panics if that is no frame that is handed out. Context: interrupts off.
 */
uintptr_t frame_alloc(void);
void frame_free(uintptr_t frame_pa);

/*
 * Task 7.3. As many frames side by side, filled with zeroes; the address of the first.
 * With p the least power of two that is not below `frames`: must succeed if somewhere p
 * free frames lie side by side from a multiple of p frames on, and may otherwise. Then,
 * or if frames is 0, the result is 0 and nothing has changed. Context: interrupts off.
 */
uintptr_t frames_alloc(size_t frames);

/*
 * Task 7.3. Give frames back that lie side by side, from whatever calls they came:
 * free neighbours are one range again. Panics if one of them is not handed out; 0
 * frames are ignored. Context: interrupts off.
 */
void frames_free(uintptr_t base_pa, size_t frames);

#endif
