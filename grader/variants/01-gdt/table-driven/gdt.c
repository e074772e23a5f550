/* SPDX-License-Identifier: MIT */
/* The picture of a descriptor as a table of moves. */
#include <course/01-gdt.h>

enum source {
    BASE,
    LIMIT,
    ACCESS,
    FLAGS,
    SOURCES
};

static const struct move {
    enum source source;
    unsigned from, bits, to;
} moves[] = {
    {LIMIT, 0, 16, 0},  {BASE, 0, 24, 16}, {ACCESS, 0, 8, 40},
    {LIMIT, 16, 4, 48}, {FLAGS, 0, 4, 52}, {BASE, 24, 8, 56},
};

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    const uint64_t values[SOURCES] = {
        [BASE] = base, [LIMIT] = limit, [ACCESS] = access, [FLAGS] = flags};
    uint64_t result = 0;

    for (const struct move *m = moves; m < moves + ARRAY_SIZE(moves); m++) {
        const uint64_t part = values[m->source] >> m->from & ((1ull << m->bits) - 1);

        result += part << m->to;
    }
    return result;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    for (unsigned slot = GDT_INDEX_NULL + 1; slot < GDT_SLOTS; slot++) {
        if (slot == index) {
            gdt[slot] = descriptor;
            return E_OK;
        }
    }
    return E_INVAL;
}
