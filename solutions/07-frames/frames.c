/* SPDX-License-Identifier: MIT */
/* Page frames: which ones are free, one at a time, and many side by side. */
#include <course/07-frames.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

/* BEGIN SOLUTION 7.1: for each frame the allocator knows: is it ours, is it free? */
#define FRAMES (IDENTITY_END / PAGE_BYTES)
#define WORD_BITS 32
_Static_assert(FRAMES % WORD_BITS == 0, "whole words");

typedef uint32_t frame_set[FRAMES / WORD_BITS]; /* bit n: the frame n */

static frame_set managed; /* those that frames_init found */
static frame_set used;    /* of these: those that are handed out */

static bool contains(const frame_set set, size_t frame)
{
    return (set[frame / WORD_BITS] >> frame % WORD_BITS & 1) != 0;
}

static void put(frame_set set, size_t frame, bool in)
{
    const uint32_t bit = (uint32_t)1 << frame % WORD_BITS;

    if (in) {
        set[frame / WORD_BITS] |= bit;
    } else {
        set[frame / WORD_BITS] &= ~bit;
    }
}

static bool is_free(size_t frame)
{
    return contains(managed, frame) && !contains(used, frame);
}

/* Bytes from first to last. */
static bool touches(const struct memory_range *range, uint64_t first, uint64_t last)
{
    return range->bytes != 0 && range->base_pa <= last &&
           range->base_pa + (range->bytes - 1) >= first;
}

static bool touches_any(const struct memory_range *ranges, size_t count, bool usable,
                        uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].usable == usable && touches(&ranges[i], first, last)) {
            return true;
        }
    }
    return false;
}

/* How far from address on usable ranges reach without a hole. */
static uint64_t usable_end(const struct memory_range *map, size_t count,
                           uint64_t address, uint64_t enough)
{
    bool further = true;

    while (further && address < enough) {
        further = false;
        for (size_t i = 0; i < count; i++) {
            if (map[i].usable && touches(&map[i], address, address)) {
                address = map[i].base_pa + (map[i].bytes - 1);
                if (address >= enough) {
                    return enough;
                }
                address++;
                further = true;
            }
        }
    }
    return address;
}
/* END SOLUTION 7.1 */

void frames_init(const struct memory_range *map, size_t map_count,
                 const struct memory_range *reserved, size_t reserved_count)
{
    /* BEGIN SOLUTION 7.1: frames that are RAM as a whole and touch nothing else */
    memset(managed, 0, sizeof(managed));
    memset(used, 0, sizeof(used));
    for (size_t frame = KERNEL_BASE / PAGE_BYTES; frame < FRAMES; frame++) {
        const uint64_t first = (uint64_t)frame * PAGE_BYTES;
        const uint64_t last = first + PAGE_BYTES - 1;

        if (usable_end(map, map_count, first, last + 1) > last &&
            !touches_any(map, map_count, false, first, last) &&
            !touches_any(reserved, reserved_count, false, first, last)) {
            put(managed, frame, true);
        }
    }
    /* END SOLUTION 7.1 */
}

size_t frame_ranges(struct frame_range *ranges, size_t room)
{
    /* BEGIN SOLUTION 7.1: a range ends where a frame is not free */
    size_t count = 0;

    for (size_t frame = 0; frame < FRAMES;) {
        const size_t first = frame;

        while (frame < FRAMES && is_free(frame)) {
            frame++;
        }
        if (frame == first) {
            frame++;
            continue;
        }
        if (count < room) {
            ranges[count] = (struct frame_range){.base_pa = first * PAGE_BYTES,
                                                 .frames = frame - first};
        }
        count++;
    }
    return count;
    /* END SOLUTION 7.1 */
}

uintptr_t frame_alloc(void)
{
    /* BEGIN SOLUTION 7.2: the first one that is free */
    for (size_t word = 0; word < FRAMES / WORD_BITS; word++) {
        const uint32_t free = managed[word] & ~used[word];

        if (free != 0) {
            const size_t frame = word * WORD_BITS + (size_t)__builtin_ctz(free);

            put(used, frame, true);
            return (uintptr_t)memset((void *)(frame * PAGE_BYTES), 0, PAGE_BYTES);
        }
    }
    return 0;
    /* END SOLUTION 7.2 */
}

void frame_free(uintptr_t frame_pa)
{
    /* BEGIN SOLUTION 7.2: refuse what is not handed out */
    const size_t frame = frame_pa / PAGE_BYTES;

    if (frame_pa % PAGE_BYTES != 0 || frame >= FRAMES || !contains(used, frame)) {
        panic("frame_free: %p is no frame that is handed out", (void *)frame_pa);
    }
    put(used, frame, false);
    /* END SOLUTION 7.2 */
}

uintptr_t frames_alloc(size_t frames)
{
    /* BEGIN SOLUTION 7.3: the first run that is long enough */
    size_t run = 0;

    for (size_t frame = 0; frame < FRAMES && frames > 0; frame++) {
        run = is_free(frame) ? run + 1 : 0;
        if (run == frames) {
            const uintptr_t base_pa = (frame + 1 - frames) * PAGE_BYTES;

            for (size_t i = frame + 1 - frames; i <= frame; i++) {
                put(used, i, true);
            }
            return (uintptr_t)memset((void *)base_pa, 0, frames * PAGE_BYTES);
        }
    }
    return 0;
    /* END SOLUTION 7.3 */
}

void frames_free(uintptr_t base_pa, size_t frames)
{
    /* BEGIN SOLUTION 7.3: all of them, or none */
    const size_t first = base_pa / PAGE_BYTES;

    if (frames == 0) {
        return;
    }
    if (base_pa % PAGE_BYTES != 0 || first >= FRAMES || frames > FRAMES - first) {
        panic("frames_free: %zu frames at %p", frames, (void *)base_pa);
    }
    for (size_t i = 0; i < frames; i++) {
        if (!contains(used, first + i)) {
            panic("frames_free: frame %zu of %zu at %p is not handed out", i, frames,
                  (void *)base_pa);
        }
    }
    for (size_t i = 0; i < frames; i++) {
        put(used, first + i, false);
    }
    /* END SOLUTION 7.3 */
}
