/* SPDX-License-Identifier: MIT */
/* A descriptor is eight bytes, and a table is many of them. */
#include <course/01-gdt.h>
#include <string.h>

static uint8_t byte_of(uint32_t number, unsigned which)
{
    return number >> (8 * which) & 0xff;
}

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    const uint8_t bytes[8] = {
        byte_of(limit, 0),
        byte_of(limit, 1),
        byte_of(base, 0),
        byte_of(base, 1),
        byte_of(base, 2),
        access,
        (uint8_t)((flags & 0x0f) << 4 | (byte_of(limit, 2) & 0x0f)),
        byte_of(base, 3),
    };
    uint64_t descriptor;

    memcpy(&descriptor, bytes, sizeof(descriptor));
    return descriptor;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    uint8_t *slot = (uint8_t *)gdt + (size_t)index * sizeof(gdt[0]);

    switch (index) {
    case 1 ... GDT_SLOTS - 1:
        for (unsigned i = 0; i < 8; i++, descriptor >>= 8) {
            slot[i] = (uint8_t)descriptor;
        }
        return E_OK;
    default:
        return E_INVAL;
    }
}
