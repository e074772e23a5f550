/* SPDX-License-Identifier: MIT */
/* Page frames: which ones are free, one at a time, and many side by side. */
#include <course/07-frames.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

/* TASK 7.1: for each frame the allocator knows: is it ours, is it free? */

void frames_init(const struct memory_range *map, size_t map_count,
                 const struct memory_range *reserved, size_t reserved_count)
{
    /* TASK 7.1: frames that are RAM as a whole and touch nothing else */
    TASK_OPEN("7.1");
}

size_t frame_ranges(struct frame_range *ranges, size_t room)
{
    /* TASK 7.1: a range ends where a frame is not free */
    TASK_OPEN("7.1");
}

uintptr_t frame_alloc(void)
{
    /* TASK 7.2: the first one that is free */
    TASK_OPEN("7.2");
}

void frame_free(uintptr_t frame_pa)
{
    /* TASK 7.2: refuse what is not handed out */
    TASK_OPEN("7.2");
}

uintptr_t frames_alloc(size_t frames)
{
    /* TASK 7.3: the first run that is long enough */
    TASK_OPEN("7.3");
}

void frames_free(uintptr_t base_pa, size_t frames)
{
    /* TASK 7.3: all of them, or none */
    TASK_OPEN("7.3");
}
