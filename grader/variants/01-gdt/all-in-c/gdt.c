/* SPDX-License-Identifier: MIT */
/* Two halves of 32 bits, as the picture shows them. */
#include <course/01-gdt.h>

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    const uint32_t low = base << 16 | (limit & 0x0000ffff);
    const uint32_t high = (base & 0xff000000) | (flags % 16u) << 20 |
                          (limit & 0x000f0000) | (uint32_t)access << 8 |
                          (base >> 16 & 0xff);

    return (uint64_t)high << 32 | low;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    int result = E_INVAL;

    if (index > 0 && index < GDT_SLOTS) {
        uint64_t *slot = gdt + index;

        *slot = descriptor;
        result = E_OK;
    }
    return result;
}
