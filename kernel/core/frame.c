/* SPDX-License-Identifier: MIT */
/* Page frames from a fixed pool; weak, until a stage brings an allocator of its own. */
#include <memory.h>
#include <panic.h>
#include <string.h>

#define FRAME_POOL_END (FRAME_POOL_BASE + FRAME_POOL_BYTES)
#define FREE_MAGIC 0xf4eef4a3u

/* What stands in a frame while nobody owns it. */
struct free_frame {
    struct free_frame *next;
    uintptr_t magic; /* depends on the address; shows a frame that is freed twice */
};

static struct free_frame *free_list;
static uintptr_t untouched_pa = FRAME_POOL_BASE; /* from here on never handed out */

static uintptr_t magic_of(const struct free_frame *frame)
{
    return (uintptr_t)frame ^ FREE_MAGIC;
}

WEAK uintptr_t frame_alloc(void)
{
    void *frame = free_list;

    if (frame != NULL) {
        free_list = free_list->next;
    } else if (untouched_pa < FRAME_POOL_END) {
        frame = (void *)untouched_pa;
        untouched_pa += PAGE_BYTES;
    } else {
        return 0;
    }
    memset(frame, 0, PAGE_BYTES);
    return (uintptr_t)frame;
}

WEAK void frame_free(uintptr_t frame_pa)
{
    struct free_frame *frame = (struct free_frame *)frame_pa;

    if (frame_pa % PAGE_BYTES != 0 || frame_pa < FRAME_POOL_BASE ||
        frame_pa >= untouched_pa) {
        panic("frame_free: %p is no frame that frame_alloc returned", (void *)frame);
    }
    if (frame->magic == magic_of(frame)) {
        panic("frame_free: the frame at %p is already free", (void *)frame);
    }
    frame->next = free_list;
    frame->magic = magic_of(frame);
    free_list = frame;
}
