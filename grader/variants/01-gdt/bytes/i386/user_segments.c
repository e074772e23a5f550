/* SPDX-License-Identifier: MIT */
/* The segments of ring 3, worked out by hand. */
#include <course/01-gdt.h>

void gdt_init_user(void)
{
    gdt[3] = 0x00cffa000000ffff;
    gdt[4] = 0x00cff2000000ffff;
}
