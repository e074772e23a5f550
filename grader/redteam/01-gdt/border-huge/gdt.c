/* SPDX-License-Identifier: MIT */
/* More .bss than the machine has RAM. */
#include <course/01-gdt.h>

static uint64_t ballast[32 << 20];

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    return ballast[base % 64];
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    ballast[index % 64] = descriptor;
    return E_OK;
}
