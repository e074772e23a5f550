/* SPDX-License-Identifier: MIT */
/*
 * A program that says nothing: ends with its first word's number, or does not end. A
 * boot may put a number of its own into the image, so that no word tells how it will
 * end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys.h>

/* family.py finds these two words, and replaces them. */
static const volatile uint32_t salt[2] = {0x51a7ab1e, 0xca11ab1e};

int main(int argc, char *argv[])
{
    char c;

    switch (argc < 2 ? '0' : argv[1][0]) {
    case 'e': /* ever */
        for (;;) {
        }
    case 'r': /* reads, and nobody types */
        return (int)read(&c, 1);
    case 'z': /* sleeps, then ends */
        sleep_ms((unsigned)atoi(argv[1] + 1));
        return 7;
    default:
        return argc < 2 ? 0 : atoi(argv[1]) ^ (int)salt[0];
    }
}
