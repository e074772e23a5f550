/* SPDX-License-Identifier: MIT */
/* Memory in blocks, out of a heap that grows by heap_grow (sys.h). */
#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys.h>

#define ALIGN 16
#define GROW_BYTES 4096 /* the heap grows by multiples of this */

/*
 * The heap is blocks without gaps. Each begins with a header that knows its own length
 * and that of the block in front, so that a block that is freed finds both neighbours,
 * and becomes one with those that are free. A header alone, always in use, is the end:
 *
 *   | header | memory ... | header | memory ... | ... | header |
 *
 * The free blocks are a list, linked through what is memory otherwise. The first that
 * is long enough is taken, and split if it is longer. Should somebody else use
 * heap_grow in between, the heap goes on in another region, with an end of its own.
 */
struct block {
    alignas(ALIGN) size_t before; /* bytes of the block in front of this, 0: none */
    size_t length;                /* bytes of this, header and memory, and FREE */
    alignas(ALIGN) struct block *next; /* in the list, if this is free */
    struct block *previous;
};

#define FREE 1 /* in a length, which is a multiple of ALIGN */
#define HEADER_BYTES offsetof(struct block, next)

static struct block *free_blocks;
static struct block *end; /* of the region that grows; NULL: there is no heap yet */

static bool is_free(const struct block *block)
{
    return block->length & FREE;
}

static size_t bytes_of(const struct block *block)
{
    return block->length & ~(size_t)FREE;
}

static struct block *behind(const struct block *block)
{
    return (struct block *)((char *)block + bytes_of(block));
}

static struct block *in_front(const struct block *block)
{
    return (struct block *)((char *)block - block->before);
}

static void *memory_of(struct block *block)
{
    return (char *)block + HEADER_BYTES;
}

static struct block *block_of(void *memory)
{
    return (struct block *)((char *)memory - HEADER_BYTES);
}

/* For a block that is not free, or not yet. */
static void set_bytes(struct block *block, size_t bytes)
{
    block->length = bytes;
    behind(block)->before = bytes;
}

static void list_add(struct block *block)
{
    block->length |= FREE;
    block->previous = NULL;
    block->next = free_blocks;
    if (free_blocks) {
        free_blocks->previous = block;
    }
    free_blocks = block;
}

static void list_remove(struct block *block)
{
    block->length &= ~(size_t)FREE;
    if (block->next) {
        block->next->previous = block->previous;
    }
    if (block->previous) {
        block->previous->next = block->next;
    } else {
        free_blocks = block->next;
    }
}

/* The block becomes free, as one with its neighbours if they are. */
static void release(struct block *block)
{
    struct block *next = behind(block);

    if (is_free(next)) {
        list_remove(next);
        set_bytes(block, bytes_of(block) + bytes_of(next));
    }
    if (block->before > 0 && is_free(in_front(block))) {
        struct block *previous = in_front(block);

        list_remove(previous);
        set_bytes(previous, bytes_of(previous) + bytes_of(block));
        block->length |= FREE; /* inside the other now: for free() of what was freed */
        block = previous;
    }
    list_add(block);
}

/* Give back what a block in use has beyond so many bytes, if that makes a block. */
static void cut(struct block *block, size_t bytes)
{
    const size_t rest_bytes = bytes_of(block) - bytes;

    if (rest_bytes >= sizeof(struct block)) {
        struct block *rest;

        set_bytes(block, bytes);
        rest = behind(block);
        set_bytes(rest, rest_bytes);
        release(rest);
    }
}

/* Let the last free block have at least so many bytes; false if memory is short. */
static bool grow(size_t bytes)
{
    const bool last_is_free = end && end->before > 0 && is_free(in_front(end));
    const size_t present = last_is_free ? bytes_of(in_front(end)) : 0;
    const size_t missing = bytes - present + (end ? 0 : HEADER_BYTES);
    const size_t more = (missing + GROW_BYTES - 1) / GROW_BYTES * GROW_BYTES;
    const uintptr_t place = (uintptr_t)heap_grow((intptr_t)more);
    struct block *block = end;
    size_t block_bytes = more;

    if (place == 0) {
        return false;
    }
    if (!end || place != (uintptr_t)end + HEADER_BYTES) {
        const uintptr_t start = (place + ALIGN - 1) / ALIGN * ALIGN;

        block = (struct block *)start;
        block->before = 0;
        block_bytes = (place + more) / ALIGN * ALIGN - start - HEADER_BYTES;
    }
    block->length = block_bytes;
    end = behind(block);
    end->before = block_bytes;
    end->length = HEADER_BYTES;
    release(block);
    return true;
}

static struct block *first_fit(size_t bytes)
{
    struct block *block = free_blocks;

    while (block && bytes_of(block) < bytes) {
        block = block->next;
    }
    return block;
}

/* The length of a block with so much memory; 0, with errno set, if that cannot be. */
static size_t block_bytes(size_t memory_bytes)
{
    const size_t bytes = (memory_bytes + HEADER_BYTES + ALIGN - 1) / ALIGN * ALIGN;

    if (memory_bytes > PTRDIFF_MAX - 2 * GROW_BYTES) {
        errno = E_NOMEM;
        return 0;
    }
    return bytes < sizeof(struct block) ? sizeof(struct block) : bytes;
}

void *malloc(size_t bytes)
{
    const size_t wanted = block_bytes(bytes);
    struct block *block;

    if (wanted == 0) {
        return NULL;
    }
    while (!(block = first_fit(wanted))) {
        if (!grow(wanted)) {
            errno = E_NOMEM;
            return NULL;
        }
    }
    list_remove(block);
    cut(block, wanted);
    return memory_of(block);
}

void free(void *memory)
{
    if (!memory) {
        return;
    }
    if (is_free(block_of(memory))) {
        printf("free: the block at %p is free already\n", memory);
        abort();
    }
    release(block_of(memory));
}

void *calloc(size_t count, size_t bytes)
{
    void *memory;

    if (__builtin_mul_overflow(count, bytes, &bytes)) {
        errno = E_NOMEM;
        return NULL;
    }
    memory = malloc(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *old, size_t bytes)
{
    const size_t wanted = block_bytes(bytes);
    struct block *block, *next;
    void *memory;

    if (!old || wanted == 0) {
        return wanted == 0 ? NULL : malloc(bytes);
    }
    block = block_of(old);
    next = behind(block);
    if (bytes_of(block) < wanted && is_free(next) &&
        bytes_of(block) + bytes_of(next) >= wanted) {
        list_remove(next);
        set_bytes(block, bytes_of(block) + bytes_of(next));
    }
    if (bytes_of(block) >= wanted) {
        cut(block, wanted);
        return old;
    }
    memory = malloc(bytes);
    if (memory) {
        memcpy(memory, old, bytes_of(block) - HEADER_BYTES);
        free(old);
    }
    return memory;
}
