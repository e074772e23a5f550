/* SPDX-License-Identifier: MIT */
/* Descriptors: how their fields are packed, and how they get into the table. */
#include <course/01-gdt.h>
#include <task.h>

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    /* BEGIN SOLUTION 1.1: pack the fields as the picture in arch/segment.h shows */
    uint64_t descriptor = limit & 0xffff;

    descriptor |= (uint64_t)(base & 0xffffff) << 16;
    descriptor |= (uint64_t)access << 40;
    descriptor |= (uint64_t)((limit >> 16) & 0xf) << 48;
    descriptor |= (uint64_t)(flags & 0xf) << 52;
    descriptor |= (uint64_t)(base >> 24) << 56;
    return descriptor;
    /* END SOLUTION 1.1 */
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    /* BEGIN SOLUTION 1.2: refuse slot 0 and what is no slot, write the others */
    if (index == GDT_INDEX_NULL || index >= GDT_SLOTS) {
        return E_INVAL;
    }
    gdt[index] = descriptor;
    return E_OK;
    /* END SOLUTION 1.2 */
}
