/* SPDX-License-Identifier: MIT */
/* Division of 64-bit numbers, which the compiler calls like this in 32-bit mode. */
#include <types.h>

uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);
int64_t __divmoddi4(int64_t a, int64_t b, int64_t *rest);

/* By shifting and subtracting; division by 0 gives all ones, and a. */
uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest)
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

    return __udivmoddi4(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b)
{
    uint64_t rest;

    __udivmoddi4(a, b, &rest);
    return rest;
}

/* Towards 0: the rest has the sign of a. */
int64_t __divmoddi4(int64_t a, int64_t b, int64_t *rest)
{
    uint64_t left;
    const uint64_t quotient = __udivmoddi4(a < 0 ? -(uint64_t)a : (uint64_t)a,
                                           b < 0 ? -(uint64_t)b : (uint64_t)b, &left);

    *rest = (int64_t)(a < 0 ? -left : left);
    return (int64_t)((a < 0) != (b < 0) ? -quotient : quotient);
}

int64_t __divdi3(int64_t a, int64_t b)
{
    int64_t rest;

    return __divmoddi4(a, b, &rest);
}

int64_t __moddi3(int64_t a, int64_t b)
{
    int64_t rest;

    __divmoddi4(a, b, &rest);
    return rest;
}
