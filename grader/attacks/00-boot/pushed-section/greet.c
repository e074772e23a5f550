/* SPDX-License-Identifier: MIT */
__asm__(".pushsection .table.init.0,\"a\"\n.long boot_greet\n.popsection");
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    TASK_OPEN("0.1");
}
