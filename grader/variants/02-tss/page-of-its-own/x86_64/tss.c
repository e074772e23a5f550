/* SPDX-License-Identifier: MIT */
/* A page for the TSS, and a table for its descriptor. */
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <memory.h>
#include <memmap.h>
#include <string.h>

/* Bits of a value, from `from` on, and the place in the descriptor for them. */
struct piece {
    uint8_t from;
    uint8_t count;
    uint8_t to;
};

static const struct piece of_base[] = {{0, 24, 16}, {24, 8, 56}, {32, 32, 64}};
static const struct piece of_limit[] = {{0, 16, 0}, {16, 4, 48}};
static const struct piece of_access[] = {{0, 8, 40}};

static struct tss *tss;

static void place(uint64_t *slot, uint64_t value, const struct piece *piece,
                  size_t left)
{
    if (left == 0) {
        return;
    }
    slot[piece->to / 64] |= (value >> piece->from & ((1ull << piece->count) - 1))
                            << piece->to % 64;
    place(slot, value, piece + 1, left - 1);
}

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    memset(slot, 0, TSS_DESC_SLOTS * sizeof(*slot));
    place(slot, base, of_base, ARRAY_SIZE(of_base));
    place(slot, limit, of_limit, ARRAY_SIZE(of_limit));
    place(slot, DESC_PRESENT | DESC_TSS, of_access, ARRAY_SIZE(of_access));
}

void tss_init(void)
{
    uint64_t descriptor[TSS_DESC_SLOTS];

    if (!tss) {
        tss = (struct tss *)frame_alloc();
    }
    memset(tss, 0xff, PAGE_BYTES);
    memset(tss, 0, sizeof(*tss));
    tss->iomap_base = sizeof(*tss);
    tss_encode((uintptr_t)tss, PAGE_BYTES - 1, descriptor);
    for (unsigned i = 0; i < ARRAY_SIZE(descriptor); i++) {
        gdt_set(GDT_INDEX_TSS + i, descriptor[i]);
    }
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
}

void tss_set_kernel_stack(uintptr_t top)
{
    tss->rsp0 = top;
}
