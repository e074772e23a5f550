/* SPDX-License-Identifier: MIT */
/* Takes the nonce apart by division: the base is known at run time only. */
#include <console.h>
#include <course/00-boot.h>
#include <types.h>

#define DIGITS 16

static volatile uint64_t base = 16;

void boot_greet(const char *nonce)
{
    char text[DIGITS + 1];
    uint64_t number = 0;
    unsigned digits = 0;

    for (; nonce[digits] && digits < DIGITS; digits++) {
        const char c = nonce[digits];

        number = number * base + (uint64_t)(c < 'a' ? c - '0' : c - 'a' + 10);
    }
    text[digits] = '\0';
    while (digits-- > 0) {
        const uint64_t by = base;

        text[digits] = "0123456789abcdef"[number % by];
        number /= by;
    }
    kprintf("Hello, ringlab! nonce=%s\n", text);
}
