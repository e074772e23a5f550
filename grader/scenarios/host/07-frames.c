/* SPDX-License-Identifier: MIT */
/*
 * Stage 07 as a program of the host: physical memory is an area at the same addresses,
 * and what the allocator may not touch is poisoned, so that the sanitizer reports the
 * very line that does. The file that is its argument holds worlds: a header, then the
 * ranges and the requests of the guest's scenario. For each world it prints
 *
 *     ranges N                  then N lines: address and length, as frame_ranges says
 *     result ADDRESS            one for each allocation
 *     dirty N  /  spoiled N
 *     ranges N                  again, in the end
 */
#include <course/07-frames.h>
#include <memory.h>
#include <panic.h>
#include <task.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#define AREA_BYTES (IDENTITY_END - KERNEL_BASE)
#define FRAMES (IDENTITY_END / PAGE_BYTES)
#define RANGES 256
#define RESULTS 4096
#define DIRT 0xa5

struct world {
    uint32_t ranges;
    uint32_t requests;
};

struct map_range {
    uint64_t base_pa;
    uint64_t bytes;
    uint32_t map;
    uint32_t kind;
};

struct request {
    uint32_t kind;
    uint32_t slot;
    uint32_t first;
    uint32_t frames;
};

enum {
    USABLE,
    FIRMWARE,
    RESERVED
};
enum {
    ONE,
    MANY,
    CLEAN,
    FREE,
    FREES,
    JOIN
};

static struct memory_range map[RANGES], reserved[RANGES];
static uintptr_t results[RESULTS];
static bool owned[FRAMES];
static unsigned dirty, spoiled;

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:handle_abort=0:allocator_may_return_null=1:"
           "max_allocation_size_mb=64";
}

/*
 * The sanitizer looks for the stack's end before a call that does not return, and
 * cannot find it in the sandbox.
 */
void __asan_handle_no_return(void);

void __asan_handle_no_return(void)
{
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("panic ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    _Exit(3);
}

void task_open(const char *id)
{
    printf("open %s\n", id);
    fflush(stdout);
    _Exit(4);
}

int kprintf(const char *format, ...)
{
    (void)format;
    return 0;
}

static void poison(uintptr_t base_pa, size_t frames)
{
    ASAN_POISON_MEMORY_REGION((void *)base_pa, frames * PAGE_BYTES);
}

static void unpoison(uintptr_t base_pa, size_t frames)
{
    ASAN_UNPOISON_MEMORY_REGION((void *)base_pa, frames * PAGE_BYTES);
}

static void print_ranges(void)
{
    static struct frame_range ranges[FRAMES];
    const size_t count = frame_ranges(ranges, FRAMES);

    printf("ranges %zu\n", count);
    for (size_t i = 0; i < count && i < FRAMES; i++) {
        printf("%lx %zx\n", (unsigned long)ranges[i].base_pa, ranges[i].frames);
    }
}

/* Only the frames that frame_ranges calls free may be touched from now on. What the
 * allocator may keep in them is asked for before they are closed. */
static void open_free_frames(void)
{
    static struct frame_range ranges[FRAMES];
    const size_t count = frame_ranges(ranges, FRAMES);

    poison(KERNEL_BASE, AREA_BYTES / PAGE_BYTES);
    for (size_t i = 0; i < count && i < FRAMES; i++) {
        unpoison(ranges[i].base_pa, ranges[i].frames);
        for (size_t frame = 0; frame < ranges[i].frames; frame++) {
            __builtin_memset((void *)(ranges[i].base_pa + frame * PAGE_BYTES), DIRT,
                             PAGE_BYTES);
        }
    }
}

static bool take(uintptr_t base_pa, const struct request *request)
{
    const size_t frames = request->kind == ONE ? 1 : request->frames;

    if (base_pa % PAGE_BYTES != 0 || base_pa < KERNEL_BASE || base_pa >= IDENTITY_END ||
        frames > (IDENTITY_END - base_pa) / PAGE_BYTES) {
        return false;
    }
    for (size_t i = 0; i < frames; i++) {
        const uintptr_t frame_pa = base_pa + i * PAGE_BYTES;
        unsigned char *byte = (unsigned char *)frame_pa;

        unpoison(frame_pa, 1);
        for (size_t at = 0; at < PAGE_BYTES; at++) {
            if (byte[at] != 0) {
                dirty++;
                break;
            }
        }
        if (request->kind != CLEAN) {
            owned[frame_pa / PAGE_BYTES] = true;
            __builtin_memset(byte, (int)(frame_pa / PAGE_BYTES % 251 + 1), PAGE_BYTES);
        }
        poison(frame_pa, 1);
    }
    return true;
}

/* frames: side by side, all of them owned. */
static void give(uintptr_t base_pa, size_t frames, bool one)
{
    unpoison(base_pa, frames);
    for (size_t i = 0; i < frames; i++) {
        const uintptr_t frame_pa = base_pa + i * PAGE_BYTES;
        const unsigned char *byte = (const unsigned char *)frame_pa;

        spoiled += byte[0] != frame_pa / PAGE_BYTES % 251 + 1 ||
                   byte[PAGE_BYTES - 1] != frame_pa / PAGE_BYTES % 251 + 1;
        owned[frame_pa / PAGE_BYTES] = false;
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
            give(frame * PAGE_BYTES, end - frame, false);
            frame = end;
        }
    }
}

static void play(const struct request *request, unsigned count)
{
    unsigned given = 0;

    for (; count > 0; count--, request++) {
        const uintptr_t base_pa = results[request->slot % RESULTS];

        if (request->kind <= CLEAN) {
            const bool one = request->kind == ONE ||
                             (request->kind == CLEAN && request->frames == 1);
            const uintptr_t got = one ? frame_alloc() : frames_alloc(request->frames);

            results[given++ % RESULTS] = got;
            printf("result %lx\n", (unsigned long)got);
            if (got != 0 && !take(got, request)) {
                return;
            }
        } else if (request->kind == JOIN) {
            join();
        } else if (base_pa != 0) {
            give(base_pa + request->first * PAGE_BYTES, request->frames,
                 request->kind == FREE);
        }
    }
}

static const char *play_world(const char *data)
{
    const struct world *world = (const void *)data;
    const struct map_range *range = (const void *)(world + 1);
    const struct request *requests = (const void *)(range + world->ranges);
    size_t map_count = 0, reserved_count = 0;

    for (uint32_t i = 0; i < world->ranges && i < RANGES; i++) {
        const struct memory_range one = {range[i].base_pa, range[i].bytes,
                                         range[i].kind == USABLE};

        if (range[i].kind == RESERVED) {
            reserved[reserved_count++] = one;
        } else {
            map[map_count++] = one;
        }
    }
    dirty = spoiled = 0;
    __builtin_memset(owned, 0, sizeof(owned));
    /* Twice: first to learn which frames it calls free, and make them dirty. */
    unpoison(KERNEL_BASE, AREA_BYTES / PAGE_BYTES);
    frames_init(map, map_count, reserved, reserved_count);
    print_ranges();
    fflush(stdout);
    open_free_frames();
    frames_init(map, map_count, reserved, reserved_count);
    play(requests, world->requests);
    printf("dirty %u\nspoiled %u\n", dirty, spoiled);
    print_ranges();
    fflush(stdout);
    return (const char *)(requests + world->requests);
}

int main(int count, char **words)
{
    static _Alignas(8) char data[1 << 20];
    FILE *file = fopen(words[count - 1], "rb");
    const size_t bytes = file ? fread(data, 1, sizeof(data), file) : 0;
    const char *at = data;

    if (file) {
        fclose(file);
    }
    if (mmap((void *)KERNEL_BASE, AREA_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1,
             0) != (void *)KERNEL_BASE) {
        fprintf(stderr, "no memory at 0x%x\n", KERNEL_BASE);
        return 2;
    }
    while (at < data + bytes) {
        at = play_world(at);
    }
    printf("end\n");
    return 0;
}
