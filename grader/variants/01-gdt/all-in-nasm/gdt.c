/* SPDX-License-Identifier: MIT */
/* Bit n of the descriptor, from 63 down to 0. */
#include <course/01-gdt.h>

struct parts {
    uint32_t base, limit;
    uint8_t access, flags;
};

static unsigned bit(const struct parts *p, unsigned n)
{
    return n >= 56   ? p->base >> (n - 32) & 1
           : n >= 52 ? p->flags >> (n - 52) & 1
           : n >= 48 ? p->limit >> (n - 32) & 1
           : n >= 40 ? p->access >> (n - 40) & 1
           : n >= 16 ? p->base >> (n - 16) & 1
                     : p->limit >> n & 1;
}

static uint64_t from(const struct parts *p, unsigned n)
{
    return n == 64 ? 0 : from(p, n + 1) << 1 | bit(p, n);
}

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    const struct parts parts = {base, limit, access, flags};

    return from(&parts, 0);
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    if (!index) {
        return E_INVAL;
    }
    if (index / GDT_SLOTS) {
        return E_INVAL;
    }
    *(gdt + index) = descriptor;
    return 0;
}
