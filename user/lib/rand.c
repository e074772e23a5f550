/* SPDX-License-Identifier: MIT */
/* Numbers that look like chance, and are the same after the same seed. */
#include <stdint.h>
#include <stdlib.h>

static uint32_t state = 1;

void srand(unsigned seed)
{
    state = seed != 0 ? seed : 1;
}

/* Marsaglia, "Xorshift RNGs" (2003): each state but 0 comes once in 2^32 - 1 steps. */
int rand(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (int)(state * 0x9e3779b1u >> 1); /* spreads small seeds over all bits */
}
