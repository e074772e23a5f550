/* SPDX-License-Identifier: MIT */
/* Heap, page frames and kernel stacks, at the addresses that they have in the kernel.
 */
#include "host.h"

#include "include/memory.h"
#include <paging.h>

#define SLOTS 64
#define ROUNDS 30000

static unsigned guards;

void paging_guard(uintptr_t va)
{
    CHECK(va == KSTACK_BASE + guards * (KSTACK_BYTES + PAGE_BYTES));
    guards++;
}

/* Owned memory is filled with a byte of its own, so that overlaps show. */
struct owned {
    unsigned char *memory;
    size_t bytes;
    unsigned char fill;
};

static void take(struct owned *owned)
{
    size_t bytes = below(8) ? below(300) : below(200000);

    owned->memory = below(2) ? kmalloc(bytes) : kzalloc(bytes);
    if (owned->memory == NULL) {
        return;
    }
    CHECK((uintptr_t)owned->memory % 16 == 0);
    CHECK((uintptr_t)owned->memory >= HEAP_BASE);
    CHECK((uintptr_t)owned->memory + bytes <= HEAP_BASE + HEAP_BYTES);
    owned->bytes = bytes;
    owned->fill = (unsigned char)below(256);
    memset(owned->memory, owned->fill, bytes);
}

static void give(struct owned *owned)
{
    for (size_t i = 0; i < owned->bytes; i++) {
        CHECK(owned->memory[i] == owned->fill);
    }
    kfree(owned->memory);
    owned->memory = NULL;
}

static void test_heap_at_random(void)
{
    static struct owned slots[SLOTS];

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct owned *owned = &slots[below(SLOTS)];

        if (owned->memory == NULL) {
            take(owned);
        } else {
            give(owned);
        }
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].memory != NULL) {
            give(&slots[i]);
        }
    }
}

static size_t largest_block(void)
{
    for (size_t bytes = HEAP_BYTES; bytes > 0; bytes -= 16) {
        void *memory = kmalloc(bytes);

        if (memory != NULL) {
            kfree(memory);
            return bytes;
        }
    }
    return 0;
}

void test_heap(void)
{
    size_t largest;
    char *a;
    char *b;

    map_fixed(HEAP_BASE, HEAP_BYTES);
    CHECK_PANIC("overwritten", kmalloc(1)); /* without heap_init */
    heap_init();
    largest = largest_block();
    CHECK(largest > HEAP_BYTES - 64);
    CHECK(kmalloc(SIZE_MAX) == NULL && kzalloc(HEAP_BYTES) == NULL);
    kfree(NULL);
    test_heap_at_random();
    CHECK(largest_block() == largest); /* all came together again */

    a = kmalloc(24);
    b = kmalloc(24);
    CHECK_PANIC("no address", kfree(a + 1));
    CHECK_PANIC("no block", kfree(a + 16));
    CHECK_PANIC("no address", kfree(&a));
    a[24] = 0;
    CHECK_PANIC("wrote beyond", kfree(a));
    a[24] = (char)0xa5;
    kfree(a);
    CHECK_PANIC("already free", kfree(a));
    kfree(b);
    CHECK_PANIC("already free", kfree(b));

    a = kmalloc(24);
    b = kmalloc(24);
    memset(a, 0, 24 + 40);
    CHECK_PANIC("overwritten", kmalloc(100));
    CHECK_PANIC("overwritten", kfree(b));
}

void test_frames(void)
{
    static uintptr_t frames[FRAME_POOL_BYTES / PAGE_BYTES];
    size_t count = sizeof(frames) / sizeof(frames[0]);

    map_fixed(FRAME_POOL_BASE, FRAME_POOL_BYTES);
    memset((void *)FRAME_POOL_BASE, 0xff, FRAME_POOL_BYTES);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++) {
            frames[i] = frame_alloc();
            CHECK(frames[i] % PAGE_BYTES == 0 && frames[i] >= FRAME_POOL_BASE);
            CHECK(frames[i] < FRAME_POOL_BASE + FRAME_POOL_BYTES);
            for (size_t byte = 0; byte < PAGE_BYTES; byte++) {
                CHECK(((char *)frames[i])[byte] == 0); /* so none is given twice */
            }
            memset((void *)frames[i], 0xff, PAGE_BYTES);
        }
        CHECK(frame_alloc() == 0);
        for (size_t i = 0; i < count; i++) {
            frame_free(frames[i]);
        }
    }
    CHECK_PANIC("already free", frame_free(frames[0]));
    CHECK_PANIC("no frame", frame_free(frames[0] + 4));
    CHECK_PANIC("no frame", frame_free(FRAME_POOL_BASE - PAGE_BYTES));
    CHECK_PANIC("no frame", frame_free(FRAME_POOL_BASE + FRAME_POOL_BYTES));
}

void test_stacks(void)
{
    uintptr_t tops[KSTACK_SLOTS];

    for (unsigned i = 0; i < KSTACK_SLOTS; i++) {
        tops[i] = kstack_alloc();
        CHECK(tops[i] == KSTACK_BASE + (i + 1) * (KSTACK_BYTES + PAGE_BYTES));
        CHECK(tops[i] <= FRAME_POOL_BASE);
        CHECK(guards == KSTACK_SLOTS); /* all of them, at the first call */
    }
    CHECK(kstack_alloc() == 0);
    kstack_free(tops[40]);
    CHECK_PANIC("no top", kstack_free(tops[40]));
    CHECK_PANIC("no top", kstack_free(tops[3] - 16));
    CHECK(kstack_alloc() == tops[40] && kstack_alloc() == 0);
    CHECK(guards == KSTACK_SLOTS);
}
