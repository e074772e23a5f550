/* SPDX-License-Identifier: MIT */
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    __asm__ volatile("mov %%cr0, %%eax\n\t"
                     "and $0x7fffffff, %%eax\n\t"
                     "mov %%eax, %%cr0\n\t"
                     "jmp *%0"
                     :
                     : "r"(0xd0000000)
                     : "eax");
}
