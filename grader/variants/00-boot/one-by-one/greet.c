/* SPDX-License-Identifier: MIT */
/* The greeting, letter by letter. */
#include <console.h>
#include <course/00-boot.h>

static void put(const char *text)
{
    if (*text) {
        console_putc(*text);
        put(text + 1);
    }
}

void boot_greet(const char *nonce)
{
    put("Hello, ringlab! nonce=");
    put(nonce);
    put("\n");
}
