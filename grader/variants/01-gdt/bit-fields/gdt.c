/* SPDX-License-Identifier: MIT */
/* Descriptors as the compiler packs them: bit-fields, lowest bit first. */
#include <course/01-gdt.h>

union descriptor {
    struct {
        uint64_t limit_low : 16;
        uint64_t base_low : 24;
        uint64_t access : 8;
        uint64_t limit_high : 4;
        uint64_t flags : 4;
        uint64_t base_high : 8;
    } bits;
    uint64_t whole;
};

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    union descriptor new = {.whole = 0};

    new.bits.base_high = base >> 24;
    new.bits.base_low = base;
    new.bits.limit_high = limit >> 16;
    new.bits.limit_low = limit;
    new.bits.flags = flags;
    new.bits.access = access;
    return new.whole;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    union descriptor *const table = (union descriptor *)gdt;

    if (index - 1 < GDT_SLOTS - 1) { /* 0 wraps around */
        table[index].whole = descriptor;
        return E_OK;
    }
    return E_INVAL;
}
