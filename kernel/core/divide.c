/* SPDX-License-Identifier: MIT */
/* Division of 64-bit numbers, which the compiler calls like this in 32-bit mode. */
#include <types.h>

uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);

/* By shifting and subtracting; division by 0 gives all ones, and a. */
static uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest)
{
    uint64_t quotient = 0;

    *rest = 0;
    for (int bit = 63; bit >= 0; bit--) {
        const bool carry = *rest >> 63;

        *rest = *rest << 1 | (a >> bit & 1);
        quotient <<= 1;
        if (carry || *rest >= b) {
            *rest -= b;
            quotient |= 1;
        }
    }
    return quotient;
}

uint64_t __udivdi3(uint64_t a, uint64_t b)
{
    uint64_t rest;

    return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b)
{
    uint64_t rest;

    divide(a, b, &rest);
    return rest;
}
