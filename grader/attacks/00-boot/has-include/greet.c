/* SPDX-License-Identifier: MIT */
#if __has_include("/etc/passwd") || __has_include("/etc/shadow") || \
    __has_include("@ROOT@/README.md") || __has_include("/proc/self/stat")
#error "something is there"
#else
#error "nothing is there"
#endif
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    TASK_OPEN("0.1");
}
