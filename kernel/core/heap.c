/* SPDX-License-Identifier: MIT */
/*
 * The kernel heap: first fit over blocks that lie end to end.
 *
 *   +--------------+-------------------+-------+--------------+----
 *   | struct block | memory, wanted    | guard | struct block | ...
 *   +--------------+-------------------+-------+--------------+----
 *   |<------------------ bytes --------------->|
 *
 * The magic word of a header depends on its address and on whether the block is free.
 * The guard is filled with one byte; a change of it shows that the owner wrote too far.
 * Memory that was given back begins with bytes of another value, so that whoever still
 * reads it does not find what stood there.
 */
#include <memory.h>
#include <panic.h>
#include <string.h>

#define HEAP_ALIGN 16
#define MAGIC_USED 0x5ea1ed0au
#define MAGIC_FREE 0xf4eeb10cu
#define GUARD_BYTE 0xa5
#define GUARD_BYTES 8  /* at least; rounding makes it longer */
#define FREED_MOST 256 /* bytes of a block; more of them is only more time */

struct block {
    _Alignas(HEAP_ALIGN) uintptr_t magic;
    size_t bytes;       /* header, memory and guard; a multiple of HEAP_ALIGN */
    size_t wanted;      /* what kmalloc was asked for */
    struct block *prev; /* the block below, NULL for the first */
};
_Static_assert(sizeof(struct block) % HEAP_ALIGN == 0, "memory behind it is aligned");
_Static_assert(HEAP_BASE % HEAP_ALIGN == 0 && HEAP_BYTES % HEAP_ALIGN == 0, "heap");

/* A remainder below this is not worth a block of its own. */
#define BLOCK_LEAST (sizeof(struct block) + HEAP_ALIGN)

static uintptr_t magic_of(const struct block *block, uintptr_t kind)
{
    return (uintptr_t)block ^ kind;
}

static bool is_free(const struct block *block)
{
    return block->magic == magic_of(block, MAGIC_FREE);
}

static bool is_used(const struct block *block)
{
    return block->magic == magic_of(block, MAGIC_USED);
}

static void *memory_of(struct block *block)
{
    return block + 1;
}

/* The block above, or NULL; panics if a header was overwritten. */
static struct block *next_of(struct block *block)
{
    uintptr_t next = (uintptr_t)block + block->bytes;

    if (!is_free(block) && !is_used(block)) {
        panic("heap: the header of the block at %p is overwritten", memory_of(block));
    }
    return next < HEAP_BASE + HEAP_BYTES ? (struct block *)next : NULL;
}

static struct block *first_block(void)
{
    return (struct block *)HEAP_BASE;
}

size_t heap_used(void)
{
    size_t used = 0;

    for (struct block *block = first_block(); block; block = next_of(block)) {
        used += is_used(block) ? block->bytes : 0;
    }
    return used;
}

void heap_init(void)
{
    struct block *first = first_block();

    *first = (struct block){.magic = magic_of(first, MAGIC_FREE), .bytes = HEAP_BYTES};
}

/* Take a block and the block above it together. */
static void merge_with_next(struct block *block, struct block *next)
{
    struct block *above = next_of(next);

    block->bytes += next->bytes;
    if (above != NULL) {
        above->prev = block;
    }
}

/* Cut a free block to bytes; what is left over becomes a free block. */
static void split(struct block *block, size_t bytes)
{
    struct block *above = next_of(block);
    struct block *rest = (struct block *)((uintptr_t)block + bytes);

    if (block->bytes - bytes < BLOCK_LEAST) {
        return;
    }
    *rest = (struct block){
        .magic = magic_of(rest, MAGIC_FREE),
        .bytes = block->bytes - bytes,
        .prev = block,
    };
    block->bytes = bytes;
    if (above != NULL) {
        above->prev = rest;
    }
}

static unsigned char *guard_of(struct block *block, size_t *bytes)
{
    *bytes = block->bytes - sizeof(*block) - block->wanted;
    return (unsigned char *)memory_of(block) + block->wanted;
}

static void check_guard(struct block *block)
{
    size_t bytes;
    const unsigned char *guard = guard_of(block, &bytes);

    for (size_t i = 0; i < bytes; i++) {
        if (guard[i] != GUARD_BYTE) {
            panic("heap: the owner of the %zu bytes at %p wrote beyond them, at %p",
                  block->wanted, memory_of(block), (const void *)(guard + i));
        }
    }
}

void *kmalloc(size_t bytes)
{
    struct block *block = first_block();
    size_t whole;
    size_t guard_bytes;
    unsigned char *guard;

    if (bytes > HEAP_BYTES) {
        return NULL;
    }
    whole = sizeof(*block) + bytes + GUARD_BYTES;
    whole = (whole + HEAP_ALIGN - 1) & ~(size_t)(HEAP_ALIGN - 1);
    while (block != NULL && (!is_free(block) || block->bytes < whole)) {
        block = next_of(block);
    }
    if (block == NULL) {
        return NULL;
    }
    split(block, whole);
    block->magic = magic_of(block, MAGIC_USED);
    block->wanted = bytes;
    guard = guard_of(block, &guard_bytes);
    memset(guard, GUARD_BYTE, guard_bytes);
    return memory_of(block);
}

void *kzalloc(size_t bytes)
{
    void *memory = kmalloc(bytes);

    return memory == NULL ? NULL : memset(memory, 0, bytes);
}

/* The block whose memory this is; panics if it is none, or free. */
static struct block *block_of(void *memory)
{
    uintptr_t address = (uintptr_t)memory;
    struct block *block;

    if (address % HEAP_ALIGN != 0 || address < HEAP_BASE + sizeof(*block) ||
        address >= HEAP_BASE + HEAP_BYTES) {
        panic("kfree: %p is no address that kmalloc returned", memory);
    }
    block = (struct block *)memory - 1;
    if (is_free(block)) {
        panic("kfree: the memory at %p is already free", memory);
    }
    if (!is_used(block)) {
        panic("kfree: no block begins at %p, or its header is overwritten", memory);
    }
    return block;
}

void kfree(void *memory)
{
    struct block *block;
    struct block *next;

    if (memory == NULL) {
        return;
    }
    block = block_of(memory);
    next = next_of(block);
    check_guard(block);
    memset(memory, KFREE_BYTE, block->wanted < FREED_MOST ? block->wanted : FREED_MOST);
    block->magic = magic_of(block, MAGIC_FREE);
    if (next != NULL && is_free(next)) {
        merge_with_next(block, next);
    }
    if (block->prev != NULL && is_free(block->prev)) {
        merge_with_next(block->prev, block);
    }
}
