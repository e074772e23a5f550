/* SPDX-License-Identifier: MIT */
/* Page frames: a buddy system. */
#include <course/07-frames.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

#define FRAMES (IDENTITY_END / PAGE_BYTES)
#define ORDERS 15 /* the last one holds all frames in one block */
_Static_assert(FRAMES == 1 << (ORDERS - 1), "one block of the highest order");

enum kind {
    FOREIGN, /* nobody's to hand out */
    TAKEN,
    INSIDE, /* of a free block, behind its first frame */
    HEAD    /* the first frame of a free block */
};

static uint8_t kind[FRAMES], order_of[FRAMES];
static uint16_t next[FRAMES], prev[FRAMES];
static uint16_t first[ORDERS]; /* of each list; frame 0 is never free: the end */

static void push(size_t frame, unsigned order)
{
    kind[frame] = HEAD;
    order_of[frame] = (uint8_t)order;
    prev[frame] = 0;
    next[frame] = first[order];
    if (first[order] != 0) {
        prev[first[order]] = (uint16_t)frame;
    }
    first[order] = (uint16_t)frame;
}

static void unlink(size_t frame)
{
    if (prev[frame] != 0) {
        next[prev[frame]] = next[frame];
    } else {
        first[order_of[frame]] = next[frame];
    }
    if (next[frame] != 0) {
        prev[next[frame]] = prev[frame];
    }
    kind[frame] = INSIDE;
}

/* Put one frame back, and join it with its buddy as long as that is free. */
static void put_back(size_t frame)
{
    unsigned order = 0;

    kind[frame] = INSIDE;
    while (order < ORDERS - 1) {
        const size_t buddy = frame ^ (size_t)1 << order;

        if (kind[buddy] != HEAD || order_of[buddy] != order) {
            break;
        }
        unlink(buddy);
        frame &= ~((size_t)1 << order);
        order++;
    }
    push(frame, order);
}

enum answer {
    NONE,
    SOME,
    WHOLE
};

/* How much of a frame usable ranges cover: from its first byte, range by range. */
static enum answer usable(const struct memory_range *map, size_t count, size_t frame)
{
    const uint64_t end = (uint64_t)(frame + 1) * PAGE_BYTES;
    uint64_t at = (uint64_t)frame * PAGE_BYTES;

    for (size_t i = 0; i < count; i++) {
        if (map[i].usable && at >= map[i].base_pa &&
            at - map[i].base_pa < map[i].bytes) {
            const uint64_t left = map[i].bytes - (at - map[i].base_pa);

            if (left >= end - at) {
                return WHOLE;
            }
            at += left;
            i = (size_t)-1; /* from the first one again */
        }
    }
    return at == (uint64_t)frame * PAGE_BYTES ? NONE : SOME;
}

static bool taken_by(const struct memory_range *ranges, size_t count, size_t frame)
{
    const uint64_t at = (uint64_t)frame * PAGE_BYTES;

    for (size_t i = 0; i < count; i++) {
        const struct memory_range *range = &ranges[i];

        if (range->usable || range->bytes == 0) {
            continue;
        }
        if (range->base_pa >= at ? range->base_pa - at < PAGE_BYTES
                                 : at - range->base_pa < range->bytes) {
            return true;
        }
    }
    return false;
}

void frames_init(const struct memory_range *map, size_t map_count,
                 const struct memory_range *reserved, size_t reserved_count)
{
    memset(kind, FOREIGN, sizeof(kind));
    memset(first, 0, sizeof(first));
    for (size_t frame = KERNEL_BASE / PAGE_BYTES; frame < FRAMES; frame++) {
        if (usable(map, map_count, frame) == WHOLE &&
            !taken_by(map, map_count, frame) &&
            !taken_by(reserved, reserved_count, frame)) {
            put_back(frame);
        }
    }
}

size_t frame_ranges(struct frame_range *ranges, size_t room)
{
    size_t count = 0, frame = 0;

    while (frame < FRAMES) {
        const size_t begin = frame;

        for (; frame < FRAMES && kind[frame] == HEAD; frame += 1u << order_of[frame]) {
        }
        if (frame == begin) {
            frame++;
        } else if (count++ < room) {
            ranges[count - 1] = (struct frame_range){begin * PAGE_BYTES, frame - begin};
        }
    }
    return count;
}

uintptr_t frames_alloc(size_t frames)
{
    unsigned order = 0, from;
    size_t frame;

    if (frames == 0 || frames > FRAMES) {
        return 0;
    }
    while ((size_t)1 << order < frames) {
        order++;
    }
    for (from = order; from < ORDERS && first[from] == 0; from++) {
    }
    if (from == ORDERS) {
        return 0;
    }
    frame = first[from];
    unlink(frame);
    for (size_t i = 0; i < (size_t)1 << from; i++) {
        kind[frame + i] = TAKEN;
    }
    for (size_t i = frames; i < (size_t)1 << from; i++) {
        put_back(frame + i);
    }
    memset((void *)(frame * PAGE_BYTES), 0, frames * PAGE_BYTES);
    return frame * PAGE_BYTES;
}

uintptr_t frame_alloc(void)
{
    return frames_alloc(1);
}

void frames_free(uintptr_t base_pa, size_t frames)
{
    const size_t frame = base_pa / PAGE_BYTES;

    if (frames > 0 && (base_pa % PAGE_BYTES != 0 || base_pa >= IDENTITY_END)) {
        panic("no frame begins at %p", (void *)base_pa);
    }
    for (size_t i = 0; i < frames; i++) {
        if (frame + i >= FRAMES || kind[frame + i] != TAKEN) {
            panic("frame %zu of %zu from %p on is not handed out", i, frames,
                  (void *)base_pa);
        }
    }
    for (size_t i = 0; i < frames; i++) {
        put_back(frame + i);
    }
}

void frame_free(uintptr_t frame_pa)
{
    frames_free(frame_pa, 1);
}
