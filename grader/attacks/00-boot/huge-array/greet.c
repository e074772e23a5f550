/* SPDX-License-Identifier: MIT */
char space[1 << 30] = {1};
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    TASK_OPEN("0.1");
}
