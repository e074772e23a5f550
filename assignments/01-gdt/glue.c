/* SPDX-License-Identifier: MIT */
/* When stage 01 comes to life: the user segments, and a GDTR that covers them. */
#include <course/01-gdt.h>
#include <init.h>

static void gdt_stage_init(void)
{
    gdt_init_user();
    gdt_reload(GDT_INDEX_TSS); /* every slot before this one */
}

INIT(100, gdt_stage_init);
