/* SPDX-License-Identifier: MIT */
#include <arch/segment.h>
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    const struct table_ptr none = {0, 0};

    __asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}
