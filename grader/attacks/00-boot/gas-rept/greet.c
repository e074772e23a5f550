/* SPDX-License-Identifier: MIT */
__asm__(".rept 2000000000\n.long 1\n.endr");
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    TASK_OPEN("0.1");
}
