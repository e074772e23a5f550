/* SPDX-License-Identifier: MIT */
#include <arch/segment.h>
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    static const uint64_t table[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff,
                                     0xcffb000000ffff,
                                     0xcff3000000ffff};
    const struct table_ptr gdtr = {sizeof(table) - 1, (uintptr_t)table};

    __asm__ volatile("lgdt %0\n\t"
                     "xor %%eax, %%eax\n\t"
                     "ltr %%ax\n\t"
                     "push $0x23\n\t"
                     "push $0x1000\n\t"
                     "push $2\n\t"
                     "push $0x1b\n\t"
                     "push $0x1000\n\t"
                     "iret"
                     :
                     : "m"(gdtr)
                     : "eax");
}
