/* SPDX-License-Identifier: MIT */
/* The kernel's segments again, for ring 3, and all that it takes to load them. */
#include <course/01-gdt.h>

#define RING3 (3ull << 45)
#define AVAILABLE (1ull << 52)

void gdt_init_user(void)
{
    gdt_set(GDT_INDEX_UDATA, gdt[GDT_INDEX_KDATA] | RING3 | AVAILABLE);
    gdt_set(GDT_INDEX_UCODE, gdt[GDT_INDEX_KCODE] | RING3 | AVAILABLE);
}

void gdt_reload(unsigned slots)
{
    struct table_ptr all = gdt_ptr;

    all.limit = sizeof(gdt) - 1; /* empty slots do no harm */
    gdt_ptr = all;
    __asm__ volatile("lgdt %0" : : "m"(all) : "memory");
    __asm__ volatile("mov %0, %%ds\n\t"
                     "mov %0, %%es\n\t"
                     "mov %0, %%ss"
                     :
                     : "r"(SEL_KDATA)
                     : "memory");
    __asm__ volatile("push %0\n\t"
                     "push $1f\n\t"
                     "lretq\n"
                     "1:"
                     :
                     : "i"(SEL_KCODE)
                     : "memory");
}
