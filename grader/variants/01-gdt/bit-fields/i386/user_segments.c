/* SPDX-License-Identifier: MIT */
/* The segments of ring 3, field by field, copied into their slots. */
#include <course/01-gdt.h>
#include <string.h>

struct segment {
    uint16_t limit;
    unsigned base : 24;
    unsigned accessed : 1;
    unsigned read_write : 1;
    unsigned direction : 1;
    unsigned executable : 1;
    unsigned is_segment : 1;
    unsigned dpl : 2;
    unsigned present : 1;
    unsigned limit_high : 4;
    unsigned available : 1;
    unsigned long_mode : 1;
    unsigned big : 1;
    unsigned pages : 1;
    unsigned base_high : 8;
} PACKED;
_Static_assert(sizeof(struct segment) == sizeof(uint64_t), "a slot");

static struct segment user_segment(void)
{
    struct segment new;

    memset(&new, 0, sizeof(new));
    new.limit = 0xffff;
    new.limit_high = 0xf;
    new.pages = 1;
    new.is_segment = 1;
    new.dpl = 3;
    new.read_write = 1;
    new.present = 1;
    return new;
}

void gdt_init_user(void)
{
    struct segment code = user_segment();
    struct segment data = user_segment();

    code.executable = 1;
    code.big = 1;
    data.big = 1;
    memcpy(&gdt[GDT_INDEX_UCODE], &code, sizeof(code));
    memcpy(&gdt[GDT_INDEX_UDATA], &data, sizeof(data));
}
