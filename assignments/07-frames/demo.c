/* SPDX-License-Identifier: MIT */
/*
 * The demo: the machine's memory as a map on the screen, one cell for a megabyte's
 * sixteenth, before and after random programs have come and gone.
 */
#include <console.h>
#include <course/07-frames.h>
#include <drivers.h>
#include <init.h>
#include <memory.h>
#include <panic.h>

#define RANGES 32
#define CELL_FRAMES 16 /* of a cell of the map: 64 KiB */
#define CELLS (0x02000000 / PAGE_BYTES / CELL_FRAMES)
#define CELLS_IN_ROW 64
#define TOP_ROW 14
#define PROGRAMS 40

static struct frame_range ranges[RANGES];

static size_t print_ranges(const char *when)
{
    const size_t count = frame_ranges(ranges, RANGES);
    size_t frames = 0;

    kprintf("%s: %zu ranges\n", when, count);
    for (size_t i = 0; i < count && i < RANGES; i++) {
        if (i < 4) {
            kprintf("  %p  %zu frames\n", (void *)ranges[i].base_pa, ranges[i].frames);
        }
        frames += ranges[i].frames;
    }
    return frames;
}

/* '.' a cell with free frames only, '#' with none, '+' with both. */
static void draw(unsigned top)
{
    const size_t count = frame_ranges(ranges, RANGES);

    for (unsigned cell = 0; cell < CELLS; cell++) {
        const size_t low = (size_t)cell * CELL_FRAMES, high = low + CELL_FRAMES;
        size_t free = 0;

        for (size_t i = 0; i < count && i < RANGES; i++) {
            const size_t first = ranges[i].base_pa / PAGE_BYTES;
            const size_t end = first + ranges[i].frames;
            const size_t from = first > low ? first : low;
            const size_t to = end < high ? end : high;

            free += from < to ? to - from : 0;
        }
        vga_put(top + cell / CELLS_IN_ROW, 8 + cell % CELLS_IN_ROW,
                free == CELL_FRAMES ? '.' : (free == 0 ? '#' : '+'),
                free == CELL_FRAMES ? 0x08 : (free == 0 ? 0x0e : 0x0b));
    }
}

static uint32_t next_random(uint32_t bound)
{
    static uint32_t state = 2026;

    state = state * 1664525 + 1013904223; /* Numerical Recipes, "Quick and Dirty" */
    return (state >> 16) % bound;
}

static void demo(void)
{
    static struct frame_range programs[PROGRAMS];
    size_t frames = print_ranges("free at first");
    size_t after;

    kprintf("%zu KiB are free\n", frames * (PAGE_BYTES / 1024));
    for (unsigned step = 0; step < 400; step++) {
        struct frame_range *program = &programs[next_random(PROGRAMS)];

        if (program->frames > 0) {
            frames_free(program->base_pa, program->frames);
            program->frames = 0;
        } else {
            program->frames = 1 + next_random(96);
            program->base_pa = frames_alloc(program->frames);
            KASSERT(program->base_pa);
        }
    }
    kprintf("programs come and go; one cell is 64 KiB, # taken, . free, + both\n");
    draw(TOP_ROW);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        frames_free(programs[i].base_pa, programs[i].frames);
    }
    after = print_ranges("free at last");
    kprintf(after == frames ? "every frame came back\n" : "%zu frames are lost\n",
            frames - after);
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
