/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 07: random memory maps; a trace of random requests, with a word of the
 * scenario's own in each frame; the machine's memory to its last frame; wrong frees.
 */
#include "common.h"

#include <course/07-frames.h>
#include <init.h>
#include <memory.h>
#include <panic.h>
#include <string.h>

#define MAPS 12
#define RANGES 128
#define RESULTS 512
#define FRAMES (IDENTITY_END / PAGE_BYTES)
#define DIRT 0xa5

/* Module "maps": for each map how many ranges, and then those. */
struct map_range {
    uint64_t base_pa;
    uint64_t bytes;
    uint32_t map;  /* number of the map */
    uint32_t kind; /* as below */
} PACKED;
#define KIND_USABLE 0   /* of the memory map */
#define KIND_FIRMWARE 1 /* of the memory map, not usable */
#define KIND_RESERVED 2

/* Module "requests". */
struct request {
    uint32_t kind;
    uint32_t slot;  /* which result */
    uint32_t first; /* of the frames in that result */
    uint32_t frames;
} PACKED;
#define REQUEST_ONE 0   /* frame_alloc */
#define REQUEST_MANY 1  /* frames_alloc(frames) */
#define REQUEST_CLEAN 2 /* one or many, and nobody writes to them or frees them */
#define REQUEST_FREE 3  /* frame_free of one frame of the result `slot` */
#define REQUEST_FREES 4 /* frames_free of a part of it */
#define REQUEST_JOIN 5  /* frees all frames, neighbours in one call */

struct frame_range scenario_ranges[MAPS][RANGES];
uint32_t scenario_range_counts[MAPS];
uintptr_t scenario_results[RESULTS];
uint32_t scenario_result_count;
uint32_t scenario_dirty[2]; /* frames not zeroed: of frame_alloc, of frames_alloc */
uint32_t scenario_spoiled;  /* frames whose word had changed when they were freed */
uint32_t scenario_frames[2][FRAMES]; /* frames by number, in the order of allocation */
uint32_t scenario_frame_counts[2];
uint32_t scenario_wrong; /* the wrong call comes now */

static uintptr_t key; /* what stands in a frame: its address and this */
static bool owned[FRAMES];

static struct memory_range map[RANGES], reserved[RANGES];
static size_t map_count, reserved_count;

/* frames_init with the ranges of one map, or with those of the module "map". */
static void init(uint32_t number)
{
    const struct module *module = module_find("maps");
    const struct map_range *range = scenario_module("maps", sizeof(*range));

    map_count = reserved_count = 0;
    for (size_t left = module->bytes / sizeof(*range); left > 0; left--, range++) {
        const struct memory_range one = {range->base_pa, range->bytes,
                                         range->kind == KIND_USABLE};

        if (range->map == number) {
            if (range->kind == KIND_RESERVED) {
                reserved[reserved_count++] = one;
            } else {
                map[map_count++] = one;
            }
            KASSERT(map_count < RANGES && reserved_count < RANGES);
        }
    }
    frames_init(map, map_count, reserved, reserved_count);
}

static void note_ranges(uint32_t number)
{
    scenario_range_counts[number] = frame_ranges(scenario_ranges[number], RANGES);
}

static void maps(void)
{
    for (uint32_t number = 0; number < MAPS; number++) {
        init(number);
        note_ranges(number);
    }
}

/* Half of the ranges, then their number alone. */
static void room(void)
{
    const size_t half = cmdline_hex("room", 0);

    init(0);
    memset(scenario_ranges, DIRT, sizeof(scenario_ranges));
    scenario_range_counts[0] = frame_ranges(scenario_ranges[0], half);
    scenario_range_counts[1] = frame_ranges(NULL, 0);
}

static bool plausible(uintptr_t base_pa, size_t frames)
{
    return base_pa % PAGE_BYTES == 0 && base_pa >= KERNEL_BASE &&
           base_pa < IDENTITY_END && frames <= (IDENTITY_END - base_pa) / PAGE_BYTES;
}

/* Exactly one frame is the business of task 7.2, also if it stays clean. */
static bool by_frame_alloc(const struct request *request)
{
    return request->kind == REQUEST_ONE ||
           (request->kind == REQUEST_CLEAN && request->frames == 1);
}

/* Look whether a frame is zeroed, and write the scenario's word into it. */
static void take(uintptr_t frame_pa, bool of_many)
{
    uintptr_t *word = (uintptr_t *)frame_pa;
    uintptr_t bits = 0;

    for (size_t i = 0; i < PAGE_BYTES / sizeof(*word); i++) {
        bits |= word[i];
    }
    scenario_dirty[of_many] += bits != 0;
    word[0] = word[PAGE_BYTES / sizeof(*word) - 1] = frame_pa ^ key;
    word[PAGE_BYTES / sizeof(*word) / 2] = frame_pa ^ key;
    owned[frame_pa / PAGE_BYTES] = true;
}

static void give(uintptr_t frame_pa)
{
    const uintptr_t *word = (const uintptr_t *)frame_pa;

    scenario_spoiled += word[0] != (frame_pa ^ key) ||
                        word[PAGE_BYTES / sizeof(*word) / 2] != (frame_pa ^ key) ||
                        word[PAGE_BYTES / sizeof(*word) - 1] != (frame_pa ^ key);
    owned[frame_pa / PAGE_BYTES] = false;
}

static void allocate(const struct request *request)
{
    uintptr_t base_pa;

    KASSERT(scenario_result_count < RESULTS);
    base_pa = by_frame_alloc(request) ? frame_alloc() : frames_alloc(request->frames);
    scenario_results[scenario_result_count++] = base_pa;
    if (base_pa == 0 || request->kind == REQUEST_CLEAN) {
        return;
    }
    if (!plausible(base_pa, request->frames)) {
        scenario_finish(); /* the grader sees the result */
    }
    for (size_t i = 0; i < request->frames; i++) {
        take(base_pa + i * PAGE_BYTES, !by_frame_alloc(request));
    }
}

static void release(uintptr_t base_pa, size_t frames, bool one)
{
    for (size_t i = 0; i < frames; i++) {
        give(base_pa + i * PAGE_BYTES);
    }
    if (one) {
        frame_free(base_pa);
    } else {
        frames_free(base_pa, frames);
    }
}

static void join(void)
{
    for (size_t frame = 0; frame < FRAMES; frame++) {
        size_t end = frame;

        while (end < FRAMES && owned[end]) {
            end++;
        }
        if (end > frame) {
            release(frame * PAGE_BYTES, end - frame, false);
            frame = end;
        }
    }
}

/* The frames of map 0 are dirty before the first of them is asked for. */
static void soil(void)
{
    struct frame_range ranges[RANGES];
    const size_t count = frame_ranges(ranges, RANGES);

    for (size_t i = 0; i < count && i < RANGES; i++) {
        if (plausible(ranges[i].base_pa, ranges[i].frames)) {
            memset((void *)ranges[i].base_pa, DIRT, ranges[i].frames * PAGE_BYTES);
        }
    }
}

/* Requests from the module; then what is free. */
static void trace(void)
{
    const struct module *module = module_find("requests");
    const struct request *request = scenario_module("requests", sizeof(*request));

    key = (uintptr_t)cmdline_hex("key", 0);
    init(0);
    soil();
    init(0);
    for (size_t left = module->bytes / sizeof(*request); left > 0; left--, request++) {
        const uintptr_t base_pa = scenario_results[request->slot % RESULTS];

        if (request->kind <= REQUEST_CLEAN) {
            allocate(request);
        } else if (request->kind == REQUEST_JOIN) {
            join();
        } else if (base_pa != 0) {
            release(base_pa + request->first * PAGE_BYTES, request->frames,
                    request->kind == REQUEST_FREE);
        }
    }
    note_ranges(0);
}

/* The machine's own frames, as the stage's glue found them. */
static void machine(void)
{
    note_ranges(0);
}

/* The same: all of them are handed out, and all of them again. */
static void exhaust(void)
{
    const uint64_t step = cmdline_hex("step", 1);

    key = (uintptr_t)cmdline_hex("key", 0);
    for (unsigned round = 0; round < 2; round++) {
        uintptr_t frame_pa;
        uint32_t count = 0;

        note_ranges(round);
        while (count < FRAMES && (frame_pa = frame_alloc()) != 0) {
            scenario_frames[round][count++] = (uint32_t)(frame_pa / PAGE_BYTES);
            scenario_frame_counts[round] = count;
            if (!plausible(frame_pa, 1) || owned[frame_pa / PAGE_BYTES]) {
                scenario_finish();
            }
            take(frame_pa, false);
        }
        KASSERT(frame_alloc() == 0);
        note_ranges(2 + round);
        for (uint32_t i = 0; round == 0 && i < count; i++) {
            /* In another order: where the steps come by again, the next one. */
            uint32_t nth = (uint32_t)(i * step % count);

            while (!owned[scenario_frames[0][nth]]) {
                nth = (nth + 1) % count;
            }
            release((uintptr_t)scenario_frames[0][nth] * PAGE_BYTES, 1, true);
        }
    }
}

/*
 * Frees something that is not handed out: "wrong" says what. Before that come some
 * calls that are right, as many as "right" says; scenario_wrong is "key" once they are
 * through.
 */
#define WRONG_MANY 4 /* from here on with frames_free */
static void refuse(void)
{
    const uint64_t wrong = cmdline_hex("wrong", 0);
    const bool one = wrong < WRONG_MANY;
    const size_t frames = one ? 1 : 8;
    uintptr_t base_pa = 0;

    init(0);
    for (uint64_t left = cmdline_hex("right", 0) + 1; left > 0; left--) {
        base_pa = one ? frame_alloc() : frames_alloc(frames);
        KASSERT(base_pa != 0);
        if (left > 1 && one) {
            frame_free(base_pa);
        } else if (left > 1) {
            frames_free(base_pa, frames);
        }
    }
    if (wrong == 0) {
        frame_free(base_pa);
    } else if (wrong == WRONG_MANY) {
        frame_free(base_pa + 3 * PAGE_BYTES);
    }
    scenario_wrong = (uint32_t)cmdline_hex("key", 0);
    switch (wrong) {
    case 0:
        frame_free(base_pa);
        break;
    case 1:
        frame_free(base_pa + PAGE_BYTES / 2);
        break;
    case 2:
        frame_free(KERNEL_BASE);
        break;
    case 3:
        frame_free(base_pa + IDENTITY_END);
        break;
    case WRONG_MANY:
        frames_free(base_pa, frames);
        break;
    default:
        frames_free(base_pa, frames + 1);
        break;
    }
}

SCENARIO("frames-maps", 100, maps);
SCENARIO("frames-room", 100, room);
SCENARIO("frames-trace", 100, trace);
SCENARIO("frames-machine", 100, machine);
SCENARIO("frames-exhaust", 100, exhaust);
SCENARIO("frames-refuse", 100, refuse);
