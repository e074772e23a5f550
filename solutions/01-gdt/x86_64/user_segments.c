/* SPDX-License-Identifier: MIT */
/* The segments of ring 3. */
#include <course/01-gdt.h>
#include <task.h>

void gdt_init_user(void)
{
    /* BEGIN SOLUTION 1.3: two segments for ring 3, 64-bit code and data */
    const uint8_t access = DESC_PRESENT | DESC_DPL(3) | DESC_SEGMENT;

    gdt_set(GDT_INDEX_UDATA,
            gdt_encode(0, 0xfffff, access | DESC_WRITE, DESC_PAGES | DESC_32BIT));
    gdt_set(GDT_INDEX_UCODE, gdt_encode(0, 0xfffff, access | DESC_CODE | DESC_READ,
                                        DESC_PAGES | DESC_LONG));
    /* END SOLUTION 1.3 */
}
