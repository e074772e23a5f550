/* SPDX-License-Identifier: MIT */
/* Other definitions of what the core owns. */
#include <course/01-gdt.h>

uint64_t gdt[GDT_SLOTS] = {
    [GDT_INDEX_UCODE] = 0x00cffa000000ffff,
    [GDT_INDEX_UDATA] = 0x00cff2000000ffff,
};
struct table_ptr gdt_ptr = {sizeof(gdt) - 1, (uintptr_t)gdt};

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    return 0;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    return E_OK;
}
