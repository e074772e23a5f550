/* SPDX-License-Identifier: MIT */
/* Page frames: free ones are ranges in a list, which lies in these frames. */
#include <course/07-frames.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

#define FRAMES (IDENTITY_END / PAGE_BYTES)

struct node {
    struct node *next; /* the next range, at a higher address */
    size_t frames;
};

static struct node *head;
static bool ours[FRAMES];

static uintptr_t begin_of(const struct node *node)
{
    return (uintptr_t)node;
}

static uintptr_t end_of(const struct node *node)
{
    return begin_of(node) + node->frames * PAGE_BYTES;
}

/* All frames that the bytes from base_pa to last_pa touch, or that lie whole in them. */
static void mark(uint64_t base_pa, uint64_t last_pa, bool whole, bool mine)
{
    uint64_t frame = base_pa / PAGE_BYTES, end;

    if (whole && base_pa % PAGE_BYTES != 0) {
        frame++;
    }
    end = last_pa / PAGE_BYTES;
    if (!whole || last_pa % PAGE_BYTES == PAGE_BYTES - 1) {
        end++;
    }
    for (; frame < end && frame < FRAMES; frame++) {
        ours[frame] = mine && frame >= KERNEL_BASE / PAGE_BYTES;
    }
}

static void mark_all_unusable(const struct memory_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!ranges[i].usable && ranges[i].bytes > 0) {
            mark(ranges[i].base_pa, ranges[i].base_pa + (ranges[i].bytes - 1), false,
                 false);
        }
    }
}

/* From each usable range on as far as usable ranges go without a hole. */
static void mark_usable(const struct memory_range *map, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t last_pa;
        bool grown = true;

        if (!map[i].usable || map[i].bytes == 0) {
            continue;
        }
        last_pa = map[i].base_pa + (map[i].bytes - 1);
        while (grown && last_pa < IDENTITY_END) {
            grown = false;
            for (size_t j = 0; j < count; j++) {
                if (map[j].usable && map[j].bytes > 0 &&
                    map[j].base_pa <= last_pa + 1 &&
                    map[j].base_pa + (map[j].bytes - 1) > last_pa) {
                    last_pa = map[j].base_pa + (map[j].bytes - 1);
                    grown = true;
                }
            }
        }
        mark(map[i].base_pa, last_pa, true, true);
    }
}

void frames_init(const struct memory_range *map, size_t map_count,
                 const struct memory_range *reserved, size_t reserved_count)
{
    memset(ours, 0, sizeof(ours));
    mark_usable(map, map_count);
    mark_all_unusable(map, map_count);
    mark_all_unusable(reserved, reserved_count);
    head = NULL;
    for (size_t frame = FRAMES; frame-- > 0;) {
        struct node *node = (struct node *)(frame * PAGE_BYTES);

        if (!ours[frame]) {
            continue;
        }
        if (head && begin_of(head) == begin_of(node) + PAGE_BYTES) {
            node->frames = head->frames + 1;
            node->next = head->next;
        } else {
            node->frames = 1;
            node->next = head;
        }
        head = node;
    }
}

size_t frame_ranges(struct frame_range *ranges, size_t room)
{
    size_t count = 0;

    for (const struct node *node = head; node; node = node->next, count++) {
        if (count < room) {
            ranges[count].base_pa = begin_of(node);
            ranges[count].frames = node->frames;
        }
    }
    return count;
}

/* Its last frames, so that the node stays where it is; or all of it. */
static uintptr_t cut(struct node **place, size_t frames)
{
    struct node *node = *place;
    const uintptr_t base_pa = end_of(node) - frames * PAGE_BYTES;

    node->frames -= frames;
    if (node->frames == 0) {
        *place = node->next;
    }
    return (uintptr_t)memset((void *)base_pa, 0, frames * PAGE_BYTES);
}

uintptr_t frames_alloc(size_t frames)
{
    for (struct node **place = &head; *place && frames > 0; place = &(*place)->next) {
        if ((*place)->frames >= frames) {
            return cut(place, frames);
        }
    }
    return 0;
}

uintptr_t frame_alloc(void)
{
    return frames_alloc(1);
}

/* Panics unless all of them are ours. */
static void expect_ours(uintptr_t base_pa, size_t frames)
{
    const size_t first = base_pa / PAGE_BYTES;

    if (base_pa % PAGE_BYTES != 0 || first >= FRAMES || frames > FRAMES - first) {
        panic("there are no %zu frames at %p", frames, (void *)base_pa);
    }
    for (size_t i = 0; i < frames; i++) {
        if (!ours[first + i]) {
            panic("%p is not to be handed out", (void *)(base_pa + i * PAGE_BYTES));
        }
    }
}

void frames_free(uintptr_t base_pa, size_t frames)
{
    struct node **place = &head, *before = NULL, *node = (struct node *)base_pa;

    if (frames == 0) {
        return;
    }
    expect_ours(base_pa, frames);
    while (*place && begin_of(*place) < base_pa) {
        before = *place;
        place = &(*place)->next;
    }
    if ((before && end_of(before) > base_pa) ||
        (*place && begin_of(*place) < base_pa + frames * PAGE_BYTES)) {
        panic("of %zu frames at %p some are free", frames, (void *)base_pa);
    }
    node->next = *place;
    node->frames = frames;
    *place = node;
    if (node->next && end_of(node) == begin_of(node->next)) {
        node->frames += node->next->frames;
        node->next = node->next->next;
    }
    if (before && end_of(before) == begin_of(node)) {
        before->frames += node->frames;
        before->next = node->next;
    }
}

void frame_free(uintptr_t frame_pa)
{
    frames_free(frame_pa, 1);
}
