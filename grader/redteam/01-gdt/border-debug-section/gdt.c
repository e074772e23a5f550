/* SPDX-License-Identifier: MIT */
/* Unloaded sections under names that look like the compiler's. */
#include <course/01-gdt.h>

__asm__(".pushsection .debug_scenario\n\t"
        ".ascii \"[ringlab] end of gdt-encode\"\n\t"
        ".popsection");

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    return 0;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    return E_OK;
}
