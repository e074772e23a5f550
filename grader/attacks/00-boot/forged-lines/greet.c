/* SPDX-License-Identifier: MIT */
#line 1 "/etc/passwd"
#error "forged"
#line 7 "../../grader/judge.py"
#error "forged too"
# 9 "::error file=x::Total: 100/100"
#error "forged three"
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    TASK_OPEN("0.1");
}
