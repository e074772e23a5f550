/* SPDX-License-Identifier: MIT */
/* Page frames: tables of ranges, in order. */
#include <course/07-frames.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

#define FRAMES (IDENTITY_END / PAGE_BYTES)
#define MOST (FRAMES / 2 + 1) /* no more ranges fit with a hole between them */

struct span {
    uint16_t first, end; /* frames: first to below end */
};

struct table {
    size_t count;
    struct span spans[MOST];
};

static struct table ours, spare;

static void insert(struct table *table, size_t at, uint16_t first, uint16_t end)
{
    KASSERT(table->count < MOST);
    for (size_t i = table->count++; i > at; i--) {
        table->spans[i] = table->spans[i - 1];
    }
    table->spans[at] = (struct span){first, end};
}

static void delete(struct table *table, size_t at)
{
    table->count--;
    for (size_t i = at; i < table->count; i++) {
        table->spans[i] = table->spans[i + 1];
    }
}

/* The position of the first span that ends behind the frame. */
static size_t find(const struct table *table, size_t frame)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (table->spans[middle].end > frame) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Add frames of which none is in the table. */
static void add(struct table *table, size_t first, size_t end)
{
    const size_t at = find(table, first);
    struct span *span = &table->spans[at];
    const bool joins_next = at < table->count && span->first == end;
    const bool joins_last = at > 0 && span[-1].end == first;

    if (joins_next && joins_last) {
        span[-1].end = span->end;
        delete (table, at);
    } else if (joins_next) {
        span->first = (uint16_t)first;
    } else if (joins_last) {
        span[-1].end = (uint16_t)end;
    } else {
        insert(table, at, (uint16_t)first, (uint16_t)end);
    }
}

/* Take frames away, whether they are in the table or not. */
static void take_away(struct table *table, size_t first, size_t end)
{
    size_t at = find(table, first);

    while (at < table->count && table->spans[at].first < end) {
        struct span *span = &table->spans[at];
        const uint16_t was_end = span->end;

        if (span->first < first) {
            span->end = (uint16_t)first;
            at++;
            if (was_end > end) {
                insert(table, at, (uint16_t)end, was_end);
            }
        } else if (was_end > end) {
            span->first = (uint16_t)end;
        } else {
            delete (table, at);
        }
    }
}

/* Is every one of these frames in the table? */
static bool holds(const struct table *table, size_t first, size_t end)
{
    const size_t at = find(table, first);

    return at < table->count && table->spans[at].first <= first &&
           table->spans[at].end >= end;
}

static bool touches_any(const struct table *table, size_t first, size_t end)
{
    const size_t at = find(table, first);

    return at < table->count && table->spans[at].first < end;
}

static uint64_t last_of(const struct memory_range *range)
{
    return range->base_pa + (range->bytes - 1);
}

/* The lowest address from `from` on that is usable; 2^64 - 1 if there is none. */
static uint64_t next_usable(const struct memory_range *map, size_t count, uint64_t from)
{
    uint64_t found = ~(uint64_t)0;

    for (size_t i = 0; i < count; i++) {
        if (map[i].usable && map[i].bytes > 0 && last_of(&map[i]) >= from) {
            const uint64_t at = map[i].base_pa > from ? map[i].base_pa : from;

            found = at < found ? at : found;
        }
    }
    return found;
}

/* The lowest address from `from` on, up to IDENTITY_END, that is not usable. */
static uint64_t next_hole(const struct memory_range *map, size_t count, uint64_t from)
{
    for (size_t i = 0; i < count && from < IDENTITY_END; i++) {
        if (map[i].usable && map[i].bytes > 0 && map[i].base_pa <= from &&
            last_of(&map[i]) >= from) {
            from = last_of(&map[i]) >= IDENTITY_END ? IDENTITY_END
                                                    : last_of(&map[i]) + 1;
            i = (size_t)-1;
        }
    }
    return from < IDENTITY_END ? from : IDENTITY_END;
}

static void reserve(const struct memory_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!ranges[i].usable && ranges[i].bytes > 0 &&
            ranges[i].base_pa < IDENTITY_END) {
            const uint64_t last = last_of(&ranges[i]) / PAGE_BYTES;

            take_away(&ours, (size_t)(ranges[i].base_pa / PAGE_BYTES),
                      last < FRAMES ? (size_t)last + 1 : FRAMES);
        }
    }
}

void frames_init(const struct memory_range *map, size_t map_count,
                 const struct memory_range *reserved, size_t reserved_count)
{
    uint64_t at = KERNEL_BASE;

    ours.count = 0;
    while ((at = next_usable(map, map_count, at)) < IDENTITY_END) {
        const uint64_t end = next_hole(map, map_count, at);
        const size_t first = (size_t)((at + PAGE_BYTES - 1) / PAGE_BYTES);

        if (first < end / PAGE_BYTES) {
            add(&ours, first, (size_t)(end / PAGE_BYTES));
        }
        at = end;
    }
    reserve(map, map_count);
    reserve(reserved, reserved_count);
    spare = ours;
}

size_t frame_ranges(struct frame_range *ranges, size_t room)
{
    for (size_t i = 0; i < spare.count && i < room; i++) {
        ranges[i].base_pa = (uintptr_t)spare.spans[i].first * PAGE_BYTES;
        ranges[i].frames = (size_t)(spare.spans[i].end - spare.spans[i].first);
    }
    return spare.count;
}

static uintptr_t hand_out(size_t first, size_t frames)
{
    void *memory = (void *)(first * PAGE_BYTES);

    take_away(&spare, first, first + frames);
    memset(memory, 0, frames * PAGE_BYTES);
    return (uintptr_t)memory;
}

uintptr_t frame_alloc(void)
{
    return spare.count == 0 ? 0 : hand_out(spare.spans[spare.count - 1].end - 1u, 1);
}

uintptr_t frames_alloc(size_t frames)
{
    const struct span *best = NULL;
    size_t best_frames = FRAMES + 1;

    for (size_t i = 0; i < spare.count; i++) {
        const struct span *span = &spare.spans[i];
        const size_t have = (size_t)(span->end - span->first);

        if (have >= frames && have < best_frames) {
            best = span;
            best_frames = have;
        }
    }
    return !best || frames == 0 ? 0 : hand_out(best->first, frames);
}

void frames_free(uintptr_t base_pa, size_t frames)
{
    const size_t first = base_pa / PAGE_BYTES;

    if (frames == 0) {
        return;
    }
    if (base_pa % PAGE_BYTES != 0 || frames > FRAMES ||
        !holds(&ours, first, first + frames) ||
        touches_any(&spare, first, first + frames)) {
        panic("%zu frames at %p are not handed out", frames, (void *)base_pa);
    }
    add(&spare, first, first + frames);
}

void frame_free(uintptr_t frame_pa)
{
    frames_free(frame_pa, 1);
}
