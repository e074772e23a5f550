/* SPDX-License-Identifier: MIT */
/* The segments of ring 3. */
#include <course/01-gdt.h>
#include <task.h>

void gdt_init_user(void)
{
    /* BEGIN SOLUTION 1.3: two flat segments of 4 GiB for ring 3, code and data */
    const uint8_t access = DESC_PRESENT | DESC_DPL(3) | DESC_SEGMENT;
    const uint8_t flags = DESC_PAGES | DESC_32BIT;

    gdt_set(GDT_INDEX_UCODE,
            gdt_encode(0, 0xfffff, access | DESC_CODE | DESC_READ, flags));
    gdt_set(GDT_INDEX_UDATA, gdt_encode(0, 0xfffff, access | DESC_WRITE, flags));
    /* END SOLUTION 1.3 */
}
