/* SPDX-License-Identifier: MIT */
/* The greeting in a buffer of its own, with a word before and one behind. */
#include <console.h>
#include <course/00-boot.h>

#include <stdarg.h>

static char line[80];
static unsigned used;

static void add(const char *first, ...)
{
    va_list rest;

    va_start(rest, first);
    for (const char *part = first; part; part = va_arg(rest, const char *)) {
        used += (unsigned)ksnprintf(line + used, sizeof(line) - used, "%s", part);
    }
    va_end(rest);
}

void boot_greet(const char *nonce)
{
    kprintf("boot_greet was called\n");
    add("Hello", ", ", "ringlab", "! ", "nonce=", nonce, NULL);
    kprintf("%s\r\n", line);
    kprintf("boot_greet returns\n");
}
