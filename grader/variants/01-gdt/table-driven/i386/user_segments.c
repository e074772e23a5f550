/* SPDX-License-Identifier: MIT */
/* The segments of ring 3 as a table. */
#include <console.h>
#include <course/01-gdt.h>
#include <panic.h>

#define USER (DESC_PRESENT | DESC_DPL(3) | DESC_SEGMENT)

static const struct {
    unsigned slot;
    uint8_t access;
    uint8_t flags;
} segments[] = {
    {GDT_INDEX_UCODE, USER | DESC_CODE | DESC_READ, DESC_PAGES | DESC_32BIT},
    {GDT_INDEX_UDATA, USER | DESC_WRITE, DESC_PAGES | DESC_32BIT},
};

void gdt_init_user(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
        const uint64_t descriptor =
            gdt_encode(0, ~0u, segments[i].access, segments[i].flags);

        if (gdt_set(segments[i].slot, descriptor) != E_OK) {
            panic("slot %u is not to be had", segments[i].slot);
        }
        kprintf("slot %u: %016llx\n", segments[i].slot, (unsigned long long)descriptor);
    }
}
