/* SPDX-License-Identifier: MIT */
/* Prints the primes up to a number: the sieve of Eratosthenes. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_MOST 100000
#define IN_A_LINE 10

static bool composite[NUMBER_MOST + 1];

static void sieve(long most)
{
    for (long n = 2; n * n <= most; n++) {
        if (!composite[n]) {
            for (long multiple = n * n; multiple <= most; multiple += n) {
                composite[multiple] = true;
            }
        }
    }
}

int main(int argc, char *argv[])
{
    const long most = argc == 2 && isdigit(*argv[1]) ? atol(argv[1]) : -1;
    unsigned count = 0;

    if (most < 0 || most > NUMBER_MOST) {
        printf("usage: %s NUMBER, at most %d\n", argv[0], NUMBER_MOST);
        return 1;
    }
    sieve(most);
    for (long n = 2; n <= most; n++) {
        if (!composite[n]) {
            printf("%6ld%s", n, ++count % IN_A_LINE == 0 ? "\n" : "");
        }
    }
    printf("%s%u primes up to %ld\n", count % IN_A_LINE == 0 ? "" : "\n", count, most);
    return 0;
}
