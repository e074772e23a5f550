/* SPDX-License-Identifier: MIT */
/*
 * When stage 07 comes to life: the machine's own memory, before anybody asks for any.
 */
#include <course/07-frames.h>
#include <init.h>

static void frames_stage_init(void)
{
    size_t map_count, reserved_count;
    const struct memory_range *map = memory_map(&map_count);
    const struct memory_range *reserved = memory_reserved(&reserved_count);

    frames_init(map, map_count, reserved, reserved_count);
}

INIT(060, frames_stage_init);
