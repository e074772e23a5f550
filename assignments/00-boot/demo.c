/* SPDX-License-Identifier: MIT */
/* The demo: the kernel greets whoever booted it. */
#include <course/00-boot.h>
#include <init.h>
#include <multiboot.h>

static void demo(void)
{
    char nonce[32] = "none";

    cmdline_text("nonce", nonce, sizeof(nonce));
    boot_greet(nonce);
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
